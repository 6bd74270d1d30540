"""Shapes, areas and normals of membranes."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.simulation.membranes import (
    Sheet,
    Vesicle,
    bilayer_points,
    paint_membrane,
    place_membranes,
)

TURN = Rotation.from_euler("zyx", [30, 40, 50], degrees=True).as_matrix()


@pytest.fixture
def sphere():
    return Vesicle(np.array([300.0, 310.0, 320.0]), np.full(3, 200.0), np.eye(3), 37.0)


@pytest.fixture
def ellipsoid():
    return Vesicle(np.array([300.0, 310.0, 320.0]), np.array([150.0, 200.0, 260.0]), TURN, 37.0)


@pytest.fixture
def sheet():
    normal = np.array([0.2, -0.1, 1.0]) / np.linalg.norm([0.2, -0.1, 1.0])
    return Sheet(np.array([300.0, 300.0, 300.0]), normal, (600.0, 500.0), 37.0)


def test_areas(sphere, ellipsoid, sheet):
    # 4π 200²; the ellipsoid numerically: 521 500 within Thomsen's 1.1 %; the sheet 600 · 500 / n_z
    assert sphere.area == pytest.approx(502655, rel=1e-5)
    theta = (np.arange(400) + 0.5) * np.pi / 400
    phi = (np.arange(800) + 0.5) * 2 * np.pi / 800
    t, p = np.meshgrid(theta, phi, indexing="ij")
    unit = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1)
    axes = ellipsoid.axes
    stretch = axes.prod() * np.linalg.norm(unit / axes, axis=-1)
    area = (stretch * np.sin(t)).sum() * (np.pi / 400) * (2 * np.pi / 800)
    assert ellipsoid.area == pytest.approx(area, rel=0.011)
    assert ellipsoid.leaflet(0.0, 8.0)[1].sum() == pytest.approx(area, rel=2e-3)
    assert sheet.area == pytest.approx(300000 * np.sqrt(1.05), rel=1e-6)


def test_leaflets_lie_where_they_should(sphere, sheet):
    points, areas = sphere.leaflet(18.5, 10.0)
    assert np.linalg.norm(points - sphere.centre, axis=1) == pytest.approx(218.5)
    assert areas.sum() == pytest.approx(4 * np.pi * 218.5**2, rel=1e-3)
    points, _ = sheet.leaflet(-18.5, 10.0)
    assert (points - sheet.centre) @ sheet.normal == pytest.approx(-18.5)


def test_points_are_no_farther_apart_than_asked(sphere, ellipsoid, sheet):
    from scipy.spatial import cKDTree

    for membrane in (sphere, ellipsoid, sheet):
        points, _ = membrane.leaflet(0.0, 15.0)
        nearest = cKDTree(points).query(points, k=2)[0][:, 1]
        assert nearest.max() < 1.2 * 15.0


def test_bilayer_has_its_mass(sphere):
    _, masses = bilayer_points(sphere, 10.0)
    # 11.7 Da/Å² on spheres of radius 181.5 and 218.5 Å
    assert masses.sum() == pytest.approx(11.7 * 4 * np.pi * (181.5**2 + 218.5**2), rel=1e-3)


@pytest.mark.parametrize("name", ["sphere", "ellipsoid", "sheet"])
def test_samples_lie_on_the_surface_with_its_normal(name, request):
    membrane = request.getfixturevalue(name)
    points, normals = membrane.sample(200, np.random.default_rng(0))
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1)
    assert membrane.contains(points, 0.5).all()
    # a step along the normal leaves by the same distance, outwards
    assert membrane.contains(points + 9 * normals, 10.0).all()
    assert not membrane.contains(points + 11.5 * normals, 10.0).any()
    if name != "sheet":
        assert (((points - membrane.centre) * normals).sum(axis=1) > 0).all()


def test_samples_are_even(ellipsoid):
    points, _ = ellipsoid.sample(4000, np.random.default_rng(1))
    local = (points - ellipsoid.centre) @ ellipsoid.matrix
    surface, areas = ellipsoid.leaflet(0.0, 6.0)
    surface = (surface - ellipsoid.centre) @ ellipsoid.matrix
    for axis in range(3):
        limit = 0.6 * ellipsoid.axes[axis]
        share = areas[np.abs(surface[:, axis]) > limit].sum() / areas.sum()
        assert (np.abs(local[:, axis]) > limit).mean() == pytest.approx(share, abs=0.03)


def test_painted_volume(sphere):
    labels = np.zeros((64, 64, 64), np.uint16)
    paint_membrane(labels, sphere, 7, 10.0, half_thickness=25.0)
    expected = 4 / 3 * np.pi * (225**3 - 175**3) / 1000
    assert (labels == 7).sum() == pytest.approx(expected, rel=0.02)
    assert labels[32, 31, 10] == 7
    assert labels[32, 31, 30] == 0


def test_membranes_do_not_cross(sphere):
    other = Vesicle(sphere.centre + np.array([0, 0, 30.0]), sphere.axes, np.eye(3), 37.0)
    inner = Vesicle(sphere.centre, np.full(3, 100.0), np.eye(3), 37.0)
    occupied = np.zeros((64, 64, 64), np.uint16)
    placed = list(place_membranes(iter([sphere, other, inner]), occupied, 10.0))
    assert placed == [sphere, inner]
    assert set(np.unique(occupied)) == {0, 1, 2}


def test_bounds_enclose(ellipsoid, sheet):
    for membrane in (ellipsoid, sheet):
        low, high = membrane.bounds()
        for offset in (-18.5, 18.5):
            points, _ = membrane.leaflet(offset, 20.0)
            inside = (points >= low - 5) & (points <= high + 5)
            assert inside.all()
