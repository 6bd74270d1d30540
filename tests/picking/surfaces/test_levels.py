import time

import numpy as np
import pytest
from surface_truths import (
    VOXEL,
    errors_of,
    half_cylinder,
    normal_errors,
    position_errors,
    saddle,
    sphere_cap,
    vesicle,
)
from threadpoolctl import threadpool_limits

from subtomo.errors import DataError, SettingsError, ShapeError, SubtomoWarning
from subtomo.picking.surfaces import (
    crop_points,
    point_outward,
    surface_from_levels,
)
from subtomo.picking.surfaces.cropping import median_spacing

SIZES = {"control_interval": 25 * VOXEL, "mesh_parameter": 10 * VOXEL, "subdivisions": 1}
TRUTHS = [sphere_cap(72), sphere_cap(150), half_cylinder(), saddle(), vesicle()]


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.name)
def test_crop_points_without_noise(truth):
    surface = surface_from_levels(
        truth.clicks, truth.levels, **{**SIZES, "mesh_parameter": 5 * VOXEL}
    )
    surface = point_outward(surface, truth.inside)
    positions, normals = crop_points(surface, 12 * VOXEL)
    assert position_errors(truth, positions).max() < 0.5
    assert normal_errors(truth, positions, normals).max() < 2
    assert median_spacing(positions) == pytest.approx(12 * VOXEL, rel=0.05)
    assert surface.is_closed == truth.name.startswith("vesicle")


@pytest.mark.parametrize("truth", [sphere_cap(60), sphere_cap(150), half_cylinder(60)])
def test_normals_with_a_voxel_of_noise(truth):
    medians = []
    for seed in range(3):
        surface = surface_from_levels(truth.with_noise(1.0, seed), truth.levels, **SIZES)
        surface = point_outward(surface, truth.inside)
        medians.append(np.median(errors_of(truth, surface)[1]))
    assert np.mean(medians) < 2.0
    assert max(medians) < 2.5


def test_shuffled_clicks_starts_and_directions_make_the_same_surface():
    truth = half_cylinder()
    rng = np.random.default_rng(3)
    order = rng.permutation(len(truth.clicks))
    surface = surface_from_levels(truth.clicks[order], truth.levels[order], **SIZES)
    position, normal = errors_of(truth, point_outward(surface, truth.inside))
    assert position.max() < 0.5
    assert normal.max() < 2


def test_a_ragged_edge_does_not_bend_the_middle():
    # Every second level is clicked along two thirds of its curve only, from the other end.
    truth = sphere_cap(100, n_levels=7, n_clicks=12)
    kept = ~((truth.levels % 2 == 1) & (np.arange(len(truth.levels)) % 12 > 7))
    points, levels = truth.clicks[kept][::-1], truth.levels[kept][::-1]
    surface = point_outward(surface_from_levels(points, levels, **SIZES), truth.inside)
    position, normal = errors_of(truth, surface)
    assert np.percentile(position, 95) < 0.5
    assert np.percentile(normal, 95) < 2


def test_levels_of_two_and_three_clicks_are_enough():
    points = [[0, 0, 0], [100, 0, 0], [0, 5, 80], [50, 5, 80], [100, 5, 80]]
    surface = surface_from_levels(points, [0, 0, 1, 1, 1], control_interval=100, mesh_parameter=20)
    assert surface.area == pytest.approx(100 * np.hypot(80, 5), rel=0.02)


def test_a_single_click_ends_the_surface():
    truth = vesicle()
    inner = (truth.levels > 0) & (truth.levels < truth.levels.max())
    without = surface_from_levels(truth.clicks[inner], truth.levels[inner], **SIZES)
    assert not without.is_closed
    assert len(without.boundary) > 10
    assert surface_from_levels(truth.clicks, truth.levels, **SIZES).is_closed


def edges_of(surface):
    corners = surface.vertices[surface.faces]
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)


def test_the_mesh_parameter_is_the_length_of_the_edges_and_subdivisions_halve_it():
    truth = saddle()
    values = {"control_interval": 250.0, "subdivisions": 0}
    coarse = surface_from_levels(truth.clicks, truth.levels, mesh_parameter=100.0, **values)
    fine = surface_from_levels(truth.clicks, truth.levels, mesh_parameter=50.0, **values)
    assert np.median(edges_of(coarse)) == pytest.approx(100, rel=0.1)
    assert np.median(edges_of(fine)) == pytest.approx(50, rel=0.1)
    split = surface_from_levels(
        truth.clicks, truth.levels, mesh_parameter=100.0, control_interval=250.0, subdivisions=2
    )
    assert len(split.faces) == 16 * len(coarse.faces)
    assert np.median(edges_of(split)) == pytest.approx(25, rel=0.1)
    np.testing.assert_allclose(split.vertices[: len(coarse.vertices)], coarse.vertices)


def test_the_maximum_number_of_triangles_makes_edges_longer():
    truth = saddle()
    values = {"control_interval": 250.0, "mesh_parameter": 20.0, "subdivisions": 1}
    many = surface_from_levels(truth.clicks, truth.levels, **values)
    with pytest.warns(SubtomoWarning, match="sides of 36.3 Å, more than 20 Å, as there are at mo"):
        few = surface_from_levels(truth.clicks, truth.levels, maximum_triangles=2000, **values)
    assert len(many.faces) > 20_000
    assert 1000 < len(few.faces) <= 2000
    assert few.area == pytest.approx(many.area, rel=0.01)


def test_a_larger_control_interval_smooths_more():
    # Waves of 40 voxels and one voxel's height, which control points 60 voxels apart cannot follow.
    x = np.linspace(0, 120, 25)
    wave = np.sin(2 * np.pi * x / 40)
    points = np.concatenate([np.stack([x, wave, np.full(25, z)], axis=1) for z in range(0, 60, 10)])
    levels = np.repeat(np.arange(6), 25)
    heights = {}
    for interval in (8.0, 60.0):
        surface = surface_from_levels(
            points, levels, control_interval=interval, mesh_parameter=2.0, subdivisions=0
        )
        heights[interval] = np.std(surface.vertices[:, 1])
    assert heights[8.0] == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert heights[60.0] < 0.5 * heights[8.0]


def test_whether_curves_go_around_can_be_said():
    truth = half_cylinder(n_clicks=14)
    around = surface_from_levels(truth.clicks, truth.levels, is_closed=True, **SIZES)
    open_ = surface_from_levels(truth.clicks, truth.levels, **SIZES)
    assert around.area > 1.3 * open_.area


EIGHT = np.array([[0, 0], [40, 0], [60, 30], [30, 40], [20, -20], [0, -20]], dtype=float)


def with_an_eight() -> tuple[np.ndarray, np.ndarray]:
    """Clicks of a straight level 4 and of a level 7 that crosses itself."""
    straight = np.stack([np.linspace(0, 60, 6), np.zeros(6)], axis=1)
    levels = [np.column_stack([straight, np.zeros(6)]), np.column_stack([EIGHT, np.full(6, 30.0)])]
    return np.concatenate(levels), np.repeat([4, 7], 6)


def test_a_curve_that_crosses_itself_is_named():
    where = r"crosses itself: the piece from \(0, 0, 30\) to \(40, 0, 30\) Å crosses the piece"
    with pytest.raises(DataError, match=f"the curve of level 7 {where}"):
        surface_from_levels(*with_an_eight(), **SIZES)


def test_whether_clicks_are_in_order_can_be_said():
    surface_from_levels(*with_an_eight(), is_ordered=False, **SIZES)
    truth = half_cylinder()
    order = np.random.default_rng(3).permutation(len(truth.clicks))
    with pytest.raises(DataError, match="crosses itself"):
        surface_from_levels(truth.clicks[order], truth.levels[order], is_ordered=True, **SIZES)


LINE = np.stack([np.arange(6.0), np.arange(6.0), np.arange(6.0)], axis=1)
SQUARE = np.array([[0, 0, 0], [9, 0, 0], [0, 1, 9], [9, 1, 9]], dtype=float)


@pytest.mark.parametrize(
    ("points", "levels", "words"),
    [
        (np.empty((0, 3)), [], "no clicks; a surface needs clicks on at least two levels"),
        (SQUARE, [3, 3, 3, 3], "all 4 clicks are on level 3"),
        (LINE, [0, 0, 0, 1, 1, 1], "all 6 clicks lie on one line"),
        (SQUARE * [1, 1, np.nan], [0, 0, 1, 1], "click 1 is"),
        (SQUARE, [0, 0, 1.5, 1.5], "1.5 is given as a level"),
        (SQUARE, [0, 1, 2, 2], "level 1 has 1 different clicks; a curve needs at least 2"),
        (SQUARE[[0, 1, 0, 1, 2]], [0, 0, 1, 1, 2], "levels 0 and 1 lie on one another"),
        (SQUARE[[0, 2, 1]], [0, 1, 2], "a curve needs at least 2"),
        (SQUARE[[0, 2]], [0, 1], "lie on one line"),
    ],
)
def test_clicks_that_make_no_surface_are_named(points, levels, words):
    with pytest.raises(DataError, match=words):
        surface_from_levels(points, levels, **SIZES)


def test_shapes_and_settings_are_checked():
    with pytest.raises(ShapeError, match=r"levels \(3,\)"):
        surface_from_levels(SQUARE, [0, 0, 1], **SIZES)
    for wrong in (
        {"control_interval": 0.0},
        {"mesh_parameter": np.nan},
        {"subdivisions": 7},
        {"maximum_triangles": 10},
    ):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            surface_from_levels(SQUARE, [0, 0, 1, 1], **{**SIZES, **wrong})


def test_sixty_clicks_are_meshed_in_a_fifth_of_a_second():
    truth = sphere_cap(100)
    points = truth.with_noise(1.0, 0)
    seconds = []
    with threadpool_limits(1):
        for _ in range(3):
            start = time.process_time()
            surface_from_levels(
                points, truth.levels, control_interval=25 * VOXEL, mesh_parameter=5 * VOXEL
            )
            seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2
