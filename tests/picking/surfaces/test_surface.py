import numpy as np
import pytest
from skimage.measure import marching_cubes, mesh_surface_area

from subtomo.errors import DataError, ShapeError
from subtomo.picking.surfaces import Surface
from subtomo.picking.surfaces.nearest_point import barycentric_nearest

TETRAHEDRON = Surface(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
)


def ball(radius: float = 8.3) -> Surface:
    z, y, x = np.mgrid[-10:11, -10:11, -10:11]
    vertices, faces, *_ = marching_cubes(np.sqrt(x**2 + y**2 + z**2), radius)
    return Surface(vertices - 10, faces)


def test_area_agrees_with_another_program_and_the_sphere():
    surface = ball()
    other = mesh_surface_area(surface.vertices, surface.faces)
    assert surface.area == pytest.approx(other)
    assert surface.area == pytest.approx(4 * np.pi * 8.3**2, rel=0.02)


def test_normals_of_a_ball_are_radial():
    surface = ball()
    radial = surface.vertices / np.linalg.norm(surface.vertices, axis=1, keepdims=True)
    assert np.median(np.abs((radial * surface.normals).sum(axis=1))) > 0.999


def test_a_tetrahedron_is_closed_until_a_face_is_taken_off():
    assert TETRAHEDRON.is_closed
    opened = Surface(TETRAHEDRON.vertices, TETRAHEDRON.faces[:3])
    assert not opened.is_closed
    assert sorted(map(tuple, np.sort(opened.boundary, axis=1))) == [(1, 2), (1, 3), (2, 3)]


def test_the_nearest_point_by_hand():
    # Above the middle of the face on z = 0, beside an edge, beyond a corner.
    found = TETRAHEDRON.closest([[0.2, 0.2, -0.5], [0.5, -1.0, -1.0], [3.0, -1.0, 0.0]])
    np.testing.assert_allclose(found.position, [[0.2, 0.2, 0], [0.5, 0, 0], [1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(found.distance, [0.5, np.sqrt(2), np.sqrt(5)])
    assert found.triangle[0] == 0


def test_the_nearest_point_is_that_of_all_triangles():
    surface = ball()
    points = np.random.default_rng(0).uniform(-15, 15, (60, 3))
    triangles = surface.vertices[surface.faces]
    found = surface.closest(points)
    for k, point in enumerate(points):
        weights = barycentric_nearest(np.tile(point, (len(triangles), 1)), triangles)
        distance = np.linalg.norm(np.einsum("nk,nkx->nx", weights, triangles) - point, axis=1)
        assert found.distance[k] == pytest.approx(distance.min(), abs=1e-9)


def test_triangles_of_very_different_size_and_without_area_are_found():
    vertices = [[0, 0, 0], [100, 0, 0], [0, 100, 0], [50, 50, 1], [50.1, 50, 1], [50.2, 50, 1]]
    found = Surface(vertices, [[0, 1, 2], [3, 4, 5]]).closest([[10, 10, 5], [50.15, 50, 2]])
    np.testing.assert_allclose(found.position, [[10, 10, 0], [50.15, 50, 1]], atol=1e-9)


def test_the_normal_is_interpolated_within_the_triangle():
    normals = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    surface = Surface([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], normals)
    found = surface.closest([[0.5, 0.0, 3.0]])
    np.testing.assert_allclose(found.normal, [[np.sqrt(0.5), 0, np.sqrt(0.5)]])


def test_nothing_asked_gives_nothing():
    assert TETRAHEDRON.closest(np.empty((0, 3))).position.shape == (0, 3)
    empty = Surface(np.empty((0, 3)), np.empty((0, 3), dtype=int))
    assert not empty.is_closed
    assert empty.area == 0
    with pytest.raises(DataError, match="no triangles"):
        empty.closest([[0, 0, 0]])


def test_arrays_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match="faces name vertices 0 to 3; there are 3"):
        Surface(np.zeros((3, 3)), [[0, 1, 3]])
    with pytest.raises(ShapeError, match=r"vertices have shape \(3, 2\)"):
        Surface(np.zeros((3, 2)), [[0, 1, 2]])
    with pytest.raises(DataError, match="not finite"):
        Surface([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
