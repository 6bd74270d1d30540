"""Filaments: subunits on a helix whose axis is a gently bent line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.rotations import quaternions_from_matrices

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Helix:
    """How the subunits of a filament follow one another.

    Parameters
    ----------
    rise : Å along the axis from one subunit to the next
    twist : degrees about the axis, right-handed when positive
    radius : Å from the axis to the subunits' centres
    n_subunits : of one filament
    persistence_length : Å; over this length the axis turns by about a radian
    """

    rise: float
    twist: float
    radius: float
    n_subunits: int
    persistence_length: float

    @property
    def length(self) -> float:
        """Å from the first subunit's centre to the last's, along the axis."""
        return self.rise * (self.n_subunits - 1)


def helix_poses(
    helix: Helix, start: FloatArray, frame: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Place the subunits of one filament.

    Subunit i is turned by ``i · twist`` about the axis; its own z axis is the filament's, its x
    axis points outwards.

    Parameters
    ----------
    helix
    start : (3,) Å, a point of the axis, beside the first subunit
    frame : (3, 3), columns are the reference's axes there; z along the filament
    rng : for the bends

    Returns
    -------
    positions : (n, 3) Å, columns x, y, z
    orientations : (n, 4) quaternions, reference to tomogram
    """
    positions = np.empty((helix.n_subunits, 3))
    matrices = np.empty((helix.n_subunits, 3, 3))
    # a worm-like chain: two independent turns a step, ⟨angle²⟩ = step / persistence length each
    bends = rng.normal(size=(helix.n_subunits, 2)) * np.sqrt(helix.rise / helix.persistence_length)
    axis_point, frame = np.array(start, dtype=np.float64), np.array(frame, dtype=np.float64)
    for i, (bend_x, bend_y) in enumerate(bends):
        matrices[i] = frame @ _turn_z(np.radians(i * helix.twist))
        positions[i] = axis_point + helix.radius * matrices[i][:, 0]
        axis_point = axis_point + helix.rise * frame[:, 2]
        frame = frame @ _small_turn(bend_x, bend_y)
    return positions, quaternions_from_matrices(matrices)


def lying_frame(rng: np.random.Generator, steepest_deg: float) -> FloatArray:
    """Draw a frame (3, 3) whose z axis is within an angle of the tomogram's xy plane."""
    azimuth = rng.uniform(0, 2 * np.pi)
    height = np.sin(np.radians(steepest_deg)) * rng.uniform(-1, 1)
    flat = np.sqrt(1 - height**2)
    z = np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), height])
    return frame_along(z, rng.uniform(0, 2 * np.pi))


def frame_along(z: FloatArray, spin: float) -> FloatArray:
    """Make a rotation (3, 3) that takes the reference's z axis to a unit vector, after a spin."""
    other = np.eye(3)[np.argmin(np.abs(z))]
    x = np.cross(other, z)
    x /= np.linalg.norm(x)
    return np.asarray(np.column_stack([x, np.cross(z, x), z]) @ _turn_z(spin))


def _turn_z(angle: float) -> FloatArray:
    """Rotation about z, rad."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _small_turn(about_x: float, about_y: float) -> FloatArray:
    """Rotation by two angles, rad, first about x, then about y."""
    cx, sx, cy, sy = np.cos(about_x), np.sin(about_x), np.cos(about_y), np.sin(about_y)
    turn_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    return np.asarray(np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ turn_x)
