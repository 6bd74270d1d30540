import numpy as np
import pytest
from surface_truths import (
    VOXEL,
    ellipsoid,
    errors_of,
    half_cylinder,
    saddle,
    sphere_cap,
    unordered,
)

from subtomo.errors import DataError, SettingsError, ShapeError, SubtomoWarning
from subtomo.picking.surfaces import point_outward, surface_from_points

SIZES = {"control_interval": 25 * VOXEL, "mesh_parameter": 10 * VOXEL, "subdivisions": 1}
PATCHES = [unordered(sphere_cap(100)), unordered(half_cylinder()), unordered(saddle())]
CLOSED = [ellipsoid(), ellipsoid((40, 80, 80)), ellipsoid((70, 70, 70))]


@pytest.mark.parametrize("truth", PATCHES + CLOSED, ids=lambda truth: truth.name)
def test_clicks_without_levels(truth):
    surface = point_outward(surface_from_points(truth.clicks, **SIZES), truth.inside)
    position, normal = errors_of(truth, surface)
    assert position.max() < 0.5
    assert np.percentile(normal, 95) < 2
    assert surface.is_closed == (truth in CLOSED)


@pytest.mark.slow
@pytest.mark.parametrize("truth", PATCHES + CLOSED, ids=lambda truth: truth.name)
def test_normals_with_a_voxel_of_noise(truth):
    surface = surface_from_points(truth.with_noise(1.0, 0), **SIZES)
    surface = point_outward(surface, truth.inside)
    assert surface.is_closed == (truth in CLOSED)
    assert np.median(errors_of(truth, surface)[1]) < 2.5


def test_of_two_ways_to_lay_it_flat_the_better_one_is_taken():
    # A saddle is a height over its plane exactly, but cannot be unrolled; a half cylinder can, and
    # is no height over any plane.
    plane, rolled = unordered(saddle()), unordered(half_cylinder())
    for truth, most in ((plane, 0.2), (rolled, 2.0)):
        surface = point_outward(surface_from_points(truth.clicks, **SIZES), truth.inside)
        assert np.percentile(errors_of(truth, surface)[1], 95) < most


def test_the_order_of_clicks_says_nothing():
    truth = PATCHES[0]
    one = surface_from_points(truth.clicks, **SIZES)
    other = surface_from_points(truth.clicks[::-1], **SIZES)
    np.testing.assert_allclose(one.vertices, other.vertices, atol=1e-6)


def test_whether_it_is_closed_can_be_said():
    truth = ellipsoid((70, 70, 70))
    assert not surface_from_points(truth.clicks, is_closed=False, **SIZES).is_closed
    bowl = truth.clicks[truth.clicks[:, 0] > -200]
    assert surface_from_points(bowl, is_closed=True, **SIZES).is_closed


def test_the_mesh_can_be_said():
    truth = PATCHES[2]
    plain = surface_from_points(truth.clicks, **{**SIZES, "subdivisions": 0})
    split = surface_from_points(truth.clicks, **{**SIZES, "subdivisions": 1})
    assert len(split.faces) == 4 * len(plain.faces)
    coarse = surface_from_points(
        truth.clicks, **{**SIZES, "subdivisions": 0, "mesh_parameter": 20 * VOXEL}
    )
    assert len(coarse.faces) < 0.4 * len(plain.faces)
    with pytest.warns(SubtomoWarning, match="at most 300"):
        few = surface_from_points(truth.clicks, maximum_triangles=300, **SIZES)
    assert len(few.faces) <= 300


def test_a_larger_control_interval_smooths_more():
    # Waves of 60 voxels and 2 voxels' height, which control points 90 apart cannot follow.
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 120, (2, 250))
    points = np.stack([x, y, 2 * np.sin(2 * np.pi * x / 60)], axis=1)
    heights = [
        np.std(
            surface_from_points(
                points, control_interval=interval, mesh_parameter=4.0, subdivisions=0
            ).vertices[:, 2]
        )
        for interval in (12.0, 90.0)
    ]
    assert heights[0] == pytest.approx(np.sqrt(2), rel=0.1)
    assert heights[1] < 0.6 * heights[0]


FLAT = np.array([[x, y, 0.0] for x in (0, 100, 200, 300) for y in (0, 100, 200, 300)])


def test_a_flat_patch_is_a_patch():
    surface = surface_from_points(FLAT, control_interval=100.0, mesh_parameter=20.0)
    assert surface.area == pytest.approx(90_000, rel=0.01)
    np.testing.assert_allclose(np.abs(surface.normals[:, 2]), 1)


@pytest.mark.parametrize(
    ("points", "is_closed", "words"),
    [
        (np.empty((0, 3)), None, "0 different clicks; a surface needs at least 4"),
        (np.ones((9, 3)), None, "1 different clicks"),
        (np.arange(30.0).reshape(10, 3), None, "all 10 clicks lie on one line"),
        (FLAT, True, "all 16 clicks lie in one plane; a closed surface needs"),
        (FLAT[:5] + [[0, 0, k] for k in (1, 5, 9, 2, 7)], True, "5 clicks; .* at least 9"),
        (np.vstack([FLAT, [[0, 0, np.inf]]]), None, "click 17 is"),
    ],
)
def test_clicks_that_make_no_surface_are_named(points, is_closed, words):
    with pytest.raises(DataError, match=words):
        surface_from_points(points, is_closed=is_closed, **SIZES)


def test_a_closed_form_that_is_not_seen_from_its_middle_is_named():
    # A ring-shaped tube: its middle is outside it.
    rng = np.random.default_rng(0)
    around, section = 2 * np.pi * rng.random((2, 150))
    ring = 1000 + 150 * np.cos(section)
    torus = np.stack([ring * np.cos(around), ring * np.sin(around), 150 * np.sin(section)], axis=1)
    with pytest.raises(DataError, match="from a closed surface around their middle"):
        surface_from_points(torus, is_closed=True, **SIZES)


def test_shapes_and_settings_are_checked():
    with pytest.raises(ShapeError, match=r"\(4, 2\)"):
        surface_from_points(np.zeros((4, 2)), **SIZES)
    with pytest.raises(SettingsError, match="mesh_parameter"):
        surface_from_points(FLAT, **{**SIZES, "mesh_parameter": 0.0})


def test_an_edge_of_the_hull_without_length_makes_no_triangle():
    # A triangle of clicks with its tip alone at the top: the last row is a single vertex.
    tip = np.array([[0, 0, 0], [100, 0, 0], [200, 0, 0], [50, 90, 5], [100, 180, 0]], dtype=float)
    surface = surface_from_points(tip, control_interval=100.0, mesh_parameter=20.0)
    assert surface.triangle_areas.min() > 0
    assert np.isfinite(surface.normals).all()
