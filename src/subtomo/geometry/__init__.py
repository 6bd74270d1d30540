"""Rotations, point groups, orientation grids and the projection of points to tilt images."""

from subtomo.geometry.euler import (
    dynamo_from_quaternions,
    quaternions_from_dynamo,
    quaternions_from_relion,
    relion_from_quaternions,
)
from subtomo.geometry.orientation_grid import local_orientations, orientation_grid
from subtomo.geometry.rotations import (
    angular_distance,
    invert_quaternions,
    matrices_from_quaternions,
    multiply_quaternions,
    quaternions_from_matrices,
    random_quaternions,
    rotate_points,
)
from subtomo.geometry.symmetry import reduce_to_asymmetric_unit, symmetry_quaternions
from subtomo.geometry.tilt_projection import (
    depths,
    project_points,
    projection_matrices,
    tilt_rotations,
)

__all__ = [
    "angular_distance",
    "depths",
    "dynamo_from_quaternions",
    "invert_quaternions",
    "local_orientations",
    "matrices_from_quaternions",
    "multiply_quaternions",
    "orientation_grid",
    "project_points",
    "projection_matrices",
    "quaternions_from_dynamo",
    "quaternions_from_matrices",
    "quaternions_from_relion",
    "random_quaternions",
    "reduce_to_asymmetric_unit",
    "relion_from_quaternions",
    "rotate_points",
    "symmetry_quaternions",
    "tilt_rotations",
]
