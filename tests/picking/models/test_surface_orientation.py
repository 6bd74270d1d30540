"""Points between surfaces, and what pictures are made of."""

import numpy as np
import pytest
from model_truths import scattered

from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.geometry.even_points import ellipsoid_mesh
from subtomo.model import Particles
from subtomo.picking.models.coarse_surface import coarse_surface
from subtomo.picking.models.levels_of_points import levels_of_points
from subtomo.picking.models.sections import plane_section
from subtomo.picking.models.surface_orientation import (
    DISTANCE,
    MODEL,
    nearest_surface,
    orient_by_surfaces,
)
from subtomo.picking.surfaces.surface import Surface


def sphere(x, radius=100.0, edge=15.0):
    ellipsoid = Ellipsoid.sphere([x, 0.0, 0.0], radius)
    vertices, faces = ellipsoid_mesh(ellipsoid, edge, 100_000, 1)
    return Surface(vertices, faces, ellipsoid.normals(vertices))


SURFACES = {"a": sphere(0.0), "b": sphere(300.0)}
POINTS = np.array([[0, 0, 130.0], [300, 0, 60.0], [140.0, 0, 0], [160.0, 0, 0]])


def test_the_nearest_of_several_surfaces_counts_and_the_inside_is_negative():
    found = nearest_surface(POINTS, SURFACES)
    assert found.row.tolist() == [0, 1, 0, 1]
    assert np.allclose(found.distance, [30, -40, 40, 40], atol=0.5)
    assert np.allclose(found.normal, [[0, 0, 1], [0, 0, 1], [1, 0, 0], [-1, 0, 0]], atol=0.02)


def test_particles_without_a_surface_near_stay_as_they_were():
    quaternion = np.tile([0.5, 0.5, 0.5, 0.5], (4, 1))
    particles = Particles(np.full(4, "t"), POINTS, orientation=quaternion)
    kept = orient_by_surfaces(
        particles, SURFACES, maximum_distance=35, snap=True, shift_along_normal=10
    )
    assert kept.extra[MODEL].tolist() == ["a", "", "", ""]
    assert np.array_equal(kept.position[1:], POINTS[1:])
    assert np.allclose(kept.orientation[1:], quaternion[1:])
    assert np.allclose(kept.position[0], [0, 0, 110], atol=0.5)
    none = orient_by_surfaces(particles, {})
    assert np.isnan(none.extra[DISTANCE]).all()
    assert np.array_equal(none.position, POINTS)
    assert len(orient_by_surfaces(particles.select(slice(0)), SURFACES)) == 0


def test_a_section_of_a_sphere_is_a_circle():
    pieces = plane_section(sphere(0.0, edge=8.0), 2, 60.0)
    assert np.allclose(pieces[:, :, 2], 60)
    assert np.allclose(np.linalg.norm(pieces[:, :, :2], axis=2), 80, atol=0.6)
    length = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1).sum()
    assert length == pytest.approx(2 * np.pi * 80, rel=0.01)
    assert len(plane_section(sphere(0.0), 0, 500.0)) == 0


def test_a_coarse_surface_has_few_triangles_and_the_same_place():
    fine = sphere(0.0, edge=6.0)
    coarse = coarse_surface(fine, 400)
    assert 100 < len(coarse.faces) <= 500 < len(fine.faces)
    assert np.allclose(np.linalg.norm(coarse.vertices, axis=1), 100, atol=6)
    assert coarse_surface(coarse, 10_000) is coarse
    # no triangle is folded onto another
    corners = coarse.vertices[coarse.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normals * corners.mean(axis=1)).sum(axis=1).min() > 0
    assert coarse.area < fine.area


def test_levels_are_found_where_points_were_clicked_slice_by_slice():
    clicked = np.array([[k, k % 3, z] for z in (30.0, 10.0, 50.0) for k in range(4)])
    assert levels_of_points(clicked, 10.0) == (1,) * 4 + (0,) * 4 + (2,) * 4
    assert levels_of_points(clicked[:4], 10.0) is None
    assert levels_of_points(clicked[:6], 10.0) is None
    assert levels_of_points(100 * scattered(20), 10.0) is None
    assert levels_of_points(clicked[:0], 10.0) is None
