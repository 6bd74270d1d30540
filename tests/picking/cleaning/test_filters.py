"""Every filter on picks worked by hand: what is kept, and the reason of what is not."""

import numpy as np
import pytest

from subtomo.errors import DataError
from subtomo.model import Particles, Volume, VoxelGrid
from subtomo.picking.cleaning.direction import TiltRange
from subtomo.picking.cleaning.duplicates import Duplicates, better_neighbours
from subtomo.picking.cleaning.edge import EdgeDistance
from subtomo.picking.cleaning.lattice_fit import LatticeFit, lattice_fit
from subtomo.picking.cleaning.mask import Mask
from subtomo.picking.cleaning.neighbours import Neighbours
from subtomo.picking.cleaning.score import BestScores, ScoreRange
from subtomo.picking.cleaning.surface import NearSurface
from subtomo.picking.cleaning.verdict import apply_filters
from subtomo.picking.surfaces.surface import Surface


def table(positions, **columns):
    positions = np.asarray(positions, dtype=float).reshape(-1, 3)
    return Particles(np.full(len(positions), "t"), positions, **columns)


def on_line(*xs, **columns):
    return table([[x, 0, 0] for x in xs], **columns)


def judge(each, picks):
    verdict = each(picks, np.arange(1, len(picks) + 1))
    return verdict.is_kept.tolist(), verdict.reason, verdict.measures


def about_x(*degrees):
    """Turn z axes by angles towards −y."""
    half = np.radians(degrees) / 2
    return np.stack([np.sin(half), 0 * half, 0 * half, np.cos(half)], axis=1)


def test_scores_are_kept_between_their_limits_and_unknown_ones_go():
    picks = on_line(0, 1, 2, 3, 4, score=np.array([0.1, 0.2, 0.5, 0.9, np.nan]))
    kept, reason, _ = judge(ScoreRange(0.2, 0.8), picks)
    assert kept == [False, True, True, False, False]
    assert reason[[0, 3, 4]].tolist() == [
        "score 0.1 is below 0.2",
        "score 0.9 is above 0.8",
        "score is unknown",
    ]


def test_the_best_scores_are_kept():
    picks = on_line(0, 1, 2, 3, score=np.array([0.3, np.nan, 0.9, 0.3]))
    kept, reason, _ = judge(BestScores(2), picks)
    assert kept == [True, False, True, False]
    assert reason[3] == "score 0.3 is number 3 of the tomogram, beyond 2"


def test_picks_near_the_faces_go():
    # voxels of 10 Å from −5 to 95 Å along x, centres at 0 to 90 Å
    grid = VoxelGrid(10.0, (10, 20, 20))
    picks = table([[0, 50, 50], [15, 50, 50], [75, 50, 50], [76, 50, 50], [-6, 50, 50]])
    kept, reason, measures = judge(EdgeDistance(grid, 20), picks)
    assert kept == [False, True, True, False, False]
    np.testing.assert_allclose(measures["subtomoEdgeDistance"], [5, 20, 20, 19, -1])
    assert reason[0] == "5 Å from the edge, below 20 Å"
    assert judge(EdgeDistance(grid, 0), picks)[0] == [True, True, True, True, False]


def test_a_mask_is_read_at_the_nearest_voxel_and_beyond_it_is_outside():
    data = np.zeros((4, 4, 4), dtype=np.float32)
    data[1, 2, 3] = 1
    mask = Volume(data, 10.0, (5.0, 0.0, 0.0))
    picks = table([[35, 20, 10], [39, 24, 6], [41, 20, 10], [15, 20, 10], [-99, 0, 0]])
    kept, reason, _ = judge(Mask(mask, 0.5), picks)
    assert kept == [True, True, False, False, False]
    assert reason[3] == "outside the mask, which is 0 there"
    kept, reason, _ = judge(Mask(mask, 0.5, keep_inside=False), picks)
    assert kept == [False, False, True, True, True]
    assert reason[0] == "inside the mask, which is 1 there"
    assert judge(Mask(mask, -1.0), picks)[0] == [True, True, False, True, False]


def test_tilts_are_angles_of_the_z_axis_to_the_beam():
    picks = on_line(0, 1, 2, 3, orientation=about_x(0, 30, 90, 170))
    kept, reason, measures = judge(TiltRange(29, 150), picks)
    assert kept == [False, True, True, False]
    np.testing.assert_allclose(measures["subtomoTilt"], [0, 30, 90, 170], atol=1e-9)
    assert reason[3] == "tilt 170° is above 150°"
    kept, reason, _ = judge(TiltRange(0, 180), on_line(0))
    assert (kept, reason[0]) == ([False], "tilt is unknown: no orientation")


def plane():
    """z = 0, normals up."""
    corners = [[-100, -100, 0], [100, -100, 0], [100, 100, 0], [-100, 100, 0]]
    return Surface(np.array(corners, dtype=float), np.array([[0, 1, 2], [0, 2, 3]]))


def test_picks_are_kept_by_distance_to_a_surface_and_by_side():
    picks = table([[0, 0, 5], [0, 0, -5], [3, 0, 30], [0, 7, -30]])
    near = NearSurface({"m": plane()}, most=10)
    kept, reason, measures = judge(near, picks)
    assert kept == [True, True, False, False]
    assert measures["subtomoSurfaceDistance"].tolist() == [5, -5, 30, -30]
    assert measures["subtomoSurfaceModel"].tolist() == ["m"] * 4
    assert reason[2] == "distance to the surface 30 Å is above 10 Å"
    assert judge(NearSurface({"m": plane()}, least=10), picks)[0] == [False, False, True, True]
    kept, reason, _ = judge(NearSurface({"m": plane()}, side="outside"), picks)
    assert kept == [True, False, True, False]
    assert reason[3] == "-30 Å from the surface, not outside"
    assert judge(NearSurface({"m": plane()}, side="inside"), picks)[0] == [False, True, False, True]


def test_angles_to_the_normal_are_true_angles():
    picks = on_line(0, 1, 2, 3, orientation=about_x(0, 40, 90, 175))
    each = NearSurface({"m": plane()}, least_angle=30, most_angle=100)
    kept, reason, measures = judge(each, picks)
    assert kept == [False, True, True, False]  # 175°, not 5°
    np.testing.assert_allclose(measures["subtomoNormalAngle"], [0, 40, 90, 175], atol=1e-9)
    assert reason[3] == "angle to the surface normal 175° is above 100°"
    flipped = NearSurface({"m": plane().flipped()}, most_angle=30)
    assert judge(flipped, picks)[0] == [False, False, False, True]
    kept, reason, _ = judge(NearSurface({"m": plane()}, most_angle=30), on_line(0))
    assert (kept, reason[0]) == ([False], "angle to the surface normal is unknown: no orientation")


def test_the_nearest_of_several_surfaces_counts_and_without_any_all_go():
    above = Surface(plane().vertices + np.array([0, 0, 50]), plane().faces)
    picks = table([[0, 0, 10], [0, 0, 40]])
    _, _, measures = judge(NearSurface({"low": plane(), "high": above}, most=99), picks)
    assert measures["subtomoSurfaceModel"].tolist() == ["low", "high"]
    kept, reason, _ = judge(NearSurface({}, most=99), picks)
    assert (kept, reason[0]) == ([False, False], "its tomogram has no surface")


def test_of_duplicates_the_best_score_stays():
    picks = on_line(0, 8, 16, 100, score=np.array([1.0, 3.0, 2.0, 0.5]))
    kept, reason, _ = judge(Duplicates(10), picks)
    assert kept == [False, True, False, True]
    assert reason[0] == "8 Å from the better pick in row 2"
    # 8 is gone, so nothing is too close to 0 and 16 when 8 has the worst score
    picks = on_line(0, 8, 16, score=np.array([2.0, 1.0, 3.0]))
    assert judge(Duplicates(10), picks)[0] == [True, False, True]


def test_without_scores_the_first_of_duplicates_stays_and_unknown_ones_lose():
    assert judge(Duplicates(10), on_line(8, 0, 16))[0] == [True, False, False]
    picks = on_line(0, 8, score=np.array([np.nan, -5.0]))
    assert judge(Duplicates(10), picks)[0] == [False, True]
    assert judge(Duplicates(8), on_line(0, 8))[0] == [True, True]  # not closer than 8


def test_duplicates_by_class_and_by_their_own_distance():
    picks = on_line(0, 5, class_name=np.array(["x", "y"]))
    assert judge(Duplicates(10), picks)[0] == [True, False]
    assert judge(Duplicates(10, per_class=True), picks)[0] == [True, True]
    column = {"subtomoExclusionDistance": np.array([30.0, np.nan, np.nan])}
    picks = on_line(0, 25, 50, extra=column)
    assert judge(Duplicates(by_column=True), picks)[0] == [True, False, True]
    assert judge(Duplicates(26, by_column=True), picks)[0] == [True, False, True]
    assert judge(Duplicates(51, by_column=True), picks)[0] == [True, False, False]
    with pytest.raises(DataError, match="no column subtomoExclusionDistance"):
        judge(Duplicates(by_column=True), on_line(0))


def test_a_pick_is_dropped_for_the_best_pick_that_is_too_close():
    better = better_neighbours(
        np.array([[0.0, 0, 0], [5, 0, 0], [9, 0, 0]]), np.array([1.0, 3, 2]), np.full(3, 6.0)
    )
    assert better.tolist() == [1, -1, 1]


def test_neighbours_are_counted_up_to_a_distance():
    picks = on_line(0, 10, 20, 100)
    kept, reason, measures = judge(Neighbours(10, least=1), picks)
    assert kept == [True, True, True, False]
    assert measures["subtomoNeighbours"].tolist() == [1, 2, 1, 0]
    assert reason[3] == "0 neighbours within 10 Å, expected at least 1"
    assert judge(Neighbours(10, most=1), picks)[0] == [True, False, True, True]
    picks = on_line(0, 10, class_name=np.array(["x", "y"]))
    assert judge(Neighbours(10, least=1, per_class=True), picks)[0] == [False, False]


def hexagons(n=7, spacing=100.0):
    i, j = np.meshgrid(np.arange(n), np.arange(n))
    x, y = spacing * (i + j / 2), spacing * np.sqrt(3) / 2 * j
    return np.stack([x.ravel(), y.ravel(), np.zeros(n * n)], axis=1)


def test_lattice_fit_of_complete_sites_edges_and_strays():
    points = np.concatenate([hexagons(), [[1000, 1000, 0]]])
    up = np.tile([0.0, 0, 1], (len(points), 1))
    fit = lattice_fit(points, up, spacing=100, tolerance=20, fold=6)
    n_near = (np.abs(np.linalg.norm(points[:, None] - points, axis=-1) - 100) < 1).sum(axis=1)
    np.testing.assert_allclose(fit, n_near / 6, atol=1e-9)  # missing neighbours lower it
    assert sorted(set(np.round(fit[:-1] * 6).astype(int).tolist())) == [2, 3, 4, 6]
    assert fit[-1] == 0
    # without axes the plane of the neighbours serves, wherever it is turned
    tilt = np.array([[1, 0, 0], [0, 0.6, -0.8], [0, 0.8, 0.6]])
    unknown = np.full_like(points, np.nan)
    turned = lattice_fit(points @ tilt.T, unknown, spacing=100, tolerance=20, fold=6)
    np.testing.assert_allclose(turned[n_near == 6], 1, atol=1e-9)


def test_lattice_fit_tells_square_from_hexagonal():
    square = np.stack(np.meshgrid(*[np.arange(5) * 100.0] * 2), -1).reshape(-1, 2)
    points = np.c_[square, np.zeros(25)]
    up = np.tile([0.0, 0, 1], (25, 1))
    assert lattice_fit(points, up, spacing=100, tolerance=20, fold=4)[12] == pytest.approx(1)
    assert lattice_fit(points, up, spacing=100, tolerance=20, fold=6)[12] < 1e-9
    assert lattice_fit(points, up, spacing=100, tolerance=45, fold=4)[12] < 1  # diagonals too


def test_picks_off_the_lattice_go():
    points = hexagons()
    points[24] += [30, 0, 0]  # the middle of 7 × 7
    picks = table(points)
    kept, reason, _ = judge(LatticeFit(100, 20, 6, 0.99), table(hexagons()))
    assert kept[24]
    kept, reason, _ = judge(LatticeFit(100, 20, 6, 0.99), picks)
    assert not kept[24]
    assert reason[24].startswith("lattice fit 0.0")
    assert not any(kept[i] for i in (17, 25, 31))  # its neighbours miss it
    points[24] -= [25, 0, 0]  # 5 Å off: 6 bonds turned by up to 3°, 18° of a sixth of a turn
    near = judge(LatticeFit(100, 20, 6, 0.9), table(points))
    assert near[0][24]
    assert 0.9 < near[2]["subtomoLatticeFit"][24] < 1


def test_filters_act_one_after_another():
    picks = on_line(0, 5, 10, score=np.array([0.1, 0.2, 0.3]))
    cleaned = apply_filters(picks, [ScoreRange(0.15), Neighbours(5, least=2)], np.array([7, 8, 9]))
    assert cleaned.dropped_by.tolist() == ["score", "neighbours", "neighbours"]
    assert cleaned.reason[1] == "1 neighbours within 5 Å, expected at least 2"
    np.testing.assert_array_equal(cleaned.measures["subtomoNeighbours"], [np.nan, 1, 1])
    closer = apply_filters(picks, [Duplicates(6)], np.array([7, 8, 9]))
    assert closer.reason[1] == "5 Å from the better pick in row 9"


@pytest.mark.parametrize(
    "each",
    [
        ScoreRange(0.1),
        BestScores(3),
        EdgeDistance(VoxelGrid(1.0, (9, 9, 9)), 1),
        Mask(Volume(np.zeros((2, 2, 2)), 1.0), 0.5),
        TiltRange(0, 90),
        NearSurface({"m": plane()}, most=9),
        Duplicates(10, by_column=False),
        Neighbours(10, least=1),
        LatticeFit(10, 2, 6, 0.5),
    ],
)
def test_every_filter_takes_an_empty_table(each):
    cleaned = apply_filters(Particles.empty(), [each], np.empty(0, dtype=int))
    assert len(cleaned.dropped_by) == 0
