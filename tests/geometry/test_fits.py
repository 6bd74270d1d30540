"""Spheres, ellipsoids and cubic lattices through points."""

import numpy as np
import pytest
from model_truths import scattered
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from subtomo.errors import DataError
from subtomo.geometry.cubic_lattice import fit_cubic_lattice
from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.geometry.ellipsoid_fit import fit_ellipsoid
from subtomo.geometry.even_points import ellipsoid_mesh, even_points
from subtomo.geometry.sphere_fit import fit_sphere

CENTRE = np.array([1000.0, -200.0, 30.0])
TURN = Rotation.from_euler("zyx", [40, -25, 70], degrees=True).as_matrix()
PLANE = (
    np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 3, 0], [5, 1, 0], [3, 3, 0], [1, 6, 0]]) * 9.0
)


def test_a_sphere_goes_through_four_points():
    sphere = fit_sphere(CENTRE + 70 * scattered(4))
    assert np.allclose(sphere.centre, CENTRE)
    assert sphere.radius == pytest.approx(70)


def test_a_noisy_cap_is_not_taken_for_a_smaller_sphere():
    """The linear fit alone shrinks it to 85 % at this noise."""
    directions = scattered(4000, 3)
    cap = directions[directions[:, 2] > 0.8]
    noise = np.random.default_rng(4).normal(0, 3, cap.shape)
    assert fit_sphere(CENTRE + 100 * cap + noise).radius == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("fit", [fit_sphere, fit_ellipsoid, fit_cubic_lattice])
@pytest.mark.parametrize(
    ("points", "said"),
    [
        (PLANE[:3], "3 points; .* needs at least 4"),
        (PLANE, "all 7 points lie in one plane"),
        (PLANE * [1, 0, 0], "all 7 points lie on one line"),
        (PLANE[:0], "0 points"),
    ],
)
def test_points_that_span_no_space_are_refused(fit, points, said):
    with pytest.raises(DataError, match=said):
        fit(points @ TURN + CENTRE)


def test_an_ellipsoid_goes_through_nine_points_in_any_direction():
    radii = np.array([30.0, 55.0, 80.0])
    fit = fit_ellipsoid(CENTRE + (scattered(9) * radii) @ TURN.T)
    assert fit.kind == "any"
    order = np.argsort(fit.ellipsoid.radii)
    assert np.allclose(fit.ellipsoid.radii[order], radii)
    assert np.allclose(np.abs(fit.ellipsoid.axes[:, order].T @ TURN), np.eye(3), atol=1e-6)
    assert np.linalg.det(fit.ellipsoid.axes) == pytest.approx(1)


def test_fewer_points_make_an_ellipsoid_along_the_axes_or_a_sphere():
    points = CENTRE + scattered(8) * [30, 55, 80]
    fit = fit_ellipsoid(points)
    assert fit.kind == "along the axes"
    assert np.allclose(np.sort(fit.ellipsoid.radii), [30, 55, 80])
    assert fit_ellipsoid(points[:5]).kind == "sphere"


def test_points_on_a_hyperboloid_do_not_make_an_ellipsoid():
    around, up = np.meshgrid(np.linspace(0, 6, 12), np.linspace(-2, 2, 5))
    ring = np.hypot(1, up)
    points = np.stack([ring * np.cos(around), ring * np.sin(around), up], -1).reshape(-1, 3)
    assert fit_ellipsoid(points @ TURN.T).kind != "any"


def test_a_noisy_ellipsoid_is_found():
    radii = np.array([400.0, 500.0, 700.0])
    noise = np.random.default_rng(1).normal(0, 10, (60, 3))
    fit = fit_ellipsoid(CENTRE + (scattered(60) * radii) @ TURN.T + noise)
    assert np.allclose(np.sort(fit.ellipsoid.radii), radii, rtol=0.03)


@pytest.mark.parametrize("radii", [(100, 100, 100), (300, 200, 100), (90, 90, 400), (400, 400, 90)])
def test_points_on_an_ellipsoid_are_even(radii):
    ellipsoid = Ellipsoid(CENTRE, np.array(radii, dtype=float), TURN)
    points = even_points(ellipsoid, 40.0)
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    assert np.median(nearest) == pytest.approx(40, rel=0.03)
    assert nearest.min() > 0.8 * 40
    assert nearest.max() < 1.25 * 40
    assert np.allclose(np.linalg.norm(ellipsoid.unit_points(points), axis=1), 1)
    assert np.array_equal(points, even_points(ellipsoid, 40.0))


def test_a_spacing_beyond_the_ellipsoid_leaves_one_point_and_a_tiny_one_is_refused():
    ball = Ellipsoid.sphere(CENTRE, 10.0)
    assert len(even_points(ball, 1000.0)) == 1
    with pytest.raises(DataError, match="give a larger separation"):
        even_points(ball, 0.001)


def test_area_is_that_of_a_sphere_and_of_a_spheroid():
    assert Ellipsoid.sphere(CENTRE, 3.0).area == pytest.approx(4 * np.pi * 9, rel=1e-9)
    eccentricity = np.sqrt(1 - 1 / 9)  # prolate, 1 : 3
    exact = 2 * np.pi * (1 + 3 / eccentricity * np.arcsin(eccentricity))
    prolate = Ellipsoid(CENTRE, np.array([1.0, 1.0, 3.0]), TURN)
    assert prolate.area == pytest.approx(exact, rel=0.011)


def test_the_mesh_of_an_ellipsoid_is_closed_and_faces_outwards():
    ellipsoid = Ellipsoid(CENTRE, np.array([50.0, 70.0, 120.0]), TURN)
    vertices, faces = ellipsoid_mesh(ellipsoid, 30.0, 100_000, 1)
    assert np.allclose(np.linalg.norm(ellipsoid.unit_points(vertices), axis=1), 1)
    assert len(faces) == 2 * len(vertices) - 4
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    outward = np.cross(b - a, c - a)
    assert ((outward * ellipsoid.normals(a)).sum(axis=1) > 0).all()


def test_a_lattice_is_found_from_some_of_its_nodes_and_noise():
    nodes = CENTRE + 120 * np.indices((4, 4, 3)).reshape(3, -1).T @ TURN.T
    rng = np.random.default_rng(2)
    clicked = nodes[rng.choice(len(nodes), 18, replace=False)]
    lattice = fit_cubic_lattice(clicked + rng.normal(0, 2, clicked.shape))
    assert lattice.spacing == pytest.approx(120, rel=0.01)
    assert cKDTree(nodes).query(lattice.nodes())[0].max() < 5
    assert np.linalg.det(lattice.axes) == pytest.approx(1)
    exact = fit_cubic_lattice(clicked, 120.0)
    finer = exact.nodes(2)
    assert len(finer) == np.prod((exact.highest - exact.lowest) * 2 + 1)
    assert cKDTree(finer).query(exact.nodes())[0].max() < 1e-6


def test_points_off_the_lattice_are_named():
    nodes = 100.0 * np.indices((3, 3, 3)).reshape(3, -1).T
    nodes[20] += 45
    with pytest.raises(DataError, match="point 21 lies"):
        fit_cubic_lattice(nodes, 100.0)
    with pytest.raises(DataError, match="no two pairs of neighbours"):
        fit_cubic_lattice(nodes * [1, 3, 7] + [0, 0, 0])
