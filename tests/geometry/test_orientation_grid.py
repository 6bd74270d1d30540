import numpy as np
import pytest
from scipy.spatial import KDTree

from subtomo.errors import SettingsError
from subtomo.geometry import (
    angular_distance,
    local_orientations,
    matrices_from_quaternions,
    multiply_quaternions,
    orientation_grid,
    quaternions_from_relion,
    random_quaternions,
    symmetry_quaternions,
)

ALL_ROTATIONS = 8 * np.pi**2 * (180 / np.pi) ** 3  # degrees³


def distances_to_grid(grid, q, symmetry="C1"):
    """Rotation angle (degrees) from each orientation to the nearest of the grid, or equivalent."""
    everything = np.concatenate(
        [multiply_quaternions(grid, s) for s in symmetry_quaternions(symmetry)]
    )
    chord, _ = KDTree(np.concatenate([everything, -everything])).query(q)
    return np.degrees(4 * np.arcsin(chord / 2))


def random_in_cone(n, cone_deg, rng):
    tilt = np.degrees(np.arccos(rng.uniform(np.cos(np.radians(cone_deg)), 1, n)))
    turns = rng.uniform(-180, 180, (2, n))
    return quaternions_from_relion(np.stack([turns[0], tilt, turns[1]], axis=1))


@pytest.mark.parametrize("spacing", [4.0, 7.3, 15.0, 30.0])
def test_one_orientation_for_every_spacing_cubed(spacing):
    assert len(orientation_grid(spacing)) == round(ALL_ROTATIONS / spacing**3)


@pytest.mark.parametrize("spacing", [6.0, 10.0, 20.0])
def test_no_rotation_is_farther_than_promised(spacing):
    q = random_quaternions(20_000, np.random.default_rng(0))
    distance = distances_to_grid(orientation_grid(spacing), q)
    assert distance.max() < 1.1 * spacing
    # the ball of a cell's volume has radius 0.62 spacing and mean distance 0.465: near the optimum
    assert distance.mean() < 0.53 * spacing


@pytest.mark.parametrize("spacing", [6.0, 12.0])
def test_moments_are_those_of_haar_measure(spacing):
    matrices = matrices_from_quaternions(orientation_grid(spacing))
    random_error = 1 / np.sqrt(3 * len(matrices))
    # far better than random orientations, whose error this would be
    np.testing.assert_allclose(matrices.mean(axis=0), 0, atol=random_error / 3)
    second = np.einsum("nij,nkl->ijkl", matrices, matrices) / len(matrices)
    expected = np.einsum("ik,jl->ijkl", np.eye(3), np.eye(3)) / 3
    np.testing.assert_allclose(second, expected, atol=random_error / 3)


def test_rotation_angles_from_anywhere_follow_haar_measure():
    grid = orientation_grid(8.0)
    for q in random_quaternions(5, np.random.default_rng(4)):
        angle = np.sort(np.radians(angular_distance(grid, q)))
        expected = (angle - np.sin(angle)) / np.pi
        found = (np.arange(len(angle)) + 0.5) / len(angle)
        # random orientations would reach 1.36/√n in one of twenty trials (Kolmogorov, Smirnov)
        assert np.abs(found - expected).max() < 0.5 * 1.36 / np.sqrt(len(angle))


@pytest.mark.parametrize("symmetry", ["C2", "C7", "D2", "D7", "T", "O", "I"])
def test_a_symmetric_unit_is_as_many_times_smaller_and_covers_as_well(symmetry):
    spacing = 10.0
    grid = orientation_grid(spacing, symmetry)
    expected = ALL_ROTATIONS / spacing**3 / len(symmetry_quaternions(symmetry))
    assert len(grid) == pytest.approx(expected, rel=0.02)
    q = random_quaternions(4_000, np.random.default_rng(1))
    distance = distances_to_grid(grid, q, symmetry)
    assert distance.max() < 1.1 * spacing
    assert distance.mean() < 0.53 * spacing


@pytest.mark.parametrize(("spacing", "cone"), [(5, 5), (5, 20), (10, 40), (10, 90), (12, 150)])
def test_a_cone_holds_its_share_and_is_covered(spacing, cone):
    grid = orientation_grid(spacing, cone_deg=cone)
    share = np.sin(np.radians(cone) / 2) ** 2
    assert len(grid) == pytest.approx(ALL_ROTATIONS / spacing**3 * share, abs=1)
    assert matrices_from_quaternions(grid)[:, 2, 2].min() >= np.cos(np.radians(cone)) - 1e-9
    distance = distances_to_grid(grid, random_in_cone(3_000, cone, np.random.default_rng(2)))
    assert distance.max() < 1.4 * spacing
    # within the cap the heights of the axes are uniform
    heights = matrices_from_quaternions(grid)[:, 2, 2]
    assert heights.mean() == pytest.approx(1 - share, abs=0.6 / len(grid))


@pytest.mark.parametrize("axis", [(0, 0, 2), (0, 0, -1), (1, 0, 0), (1, -2, 0.5)])
def test_a_cone_about_another_axis(axis):
    grid = orientation_grid(8, cone_deg=25, cone_axis=axis)
    along = matrices_from_quaternions(grid)[:, :, 2] @ (np.array(axis) / np.linalg.norm(axis))
    assert along.min() > np.cos(np.radians(25)) - 1e-9
    assert len(grid) == len(orientation_grid(8, cone_deg=25))


def test_a_narrow_cone_holds_turns_about_its_axis_only():
    grid = orientation_grid(7.0, cone_deg=2.0, cone_axis=(0, 1, 0))
    assert len(grid) == 52  # 360 / 7, rounded up
    np.testing.assert_allclose(
        matrices_from_quaternions(grid)[:, :, 2], np.tile([0, 1, 0], (52, 1)), atol=1e-12
    )


@pytest.mark.parametrize(
    ("symmetry", "share"), [("C4", 4), ("D1", 1), ("D2", 2), ("D7", 7), ("O", 4)]
)
def test_a_narrow_cone_with_symmetry_counts_only_partners_in_the_cone(symmetry, share):
    # a cone of 30 degrees about z holds the axis of one end: the flipped partners are outside
    all_in_cone = orientation_grid(9, cone_deg=30)
    unit = orientation_grid(9, symmetry, cone_deg=30)
    assert len(unit) == pytest.approx(len(all_in_cone) / share, rel=0.03)
    q = random_in_cone(2_000, 30, np.random.default_rng(3))
    assert distances_to_grid(unit, q, symmetry).max() < 1.4 * 9


def test_the_identity_is_not_needed_but_a_wide_spacing_still_gives_something():
    assert orientation_grid(180).shape == (3, 4)


@pytest.mark.parametrize(("reach", "spacing"), [(6, 2), (20, 5), (60, 8), (180, 25), (5, 5)])
def test_local_orientations_cover_their_ball(reach, spacing):
    centre = random_quaternions(1, np.random.default_rng(5))[0]
    grid = local_orientations(centre, reach, spacing)
    angles = angular_distance(grid, centre)
    assert angles[0] == pytest.approx(0, abs=1e-6)
    assert (np.diff(angles) > -1e-6).all()
    assert angles.max() <= reach + 1e-6
    between = angular_distance(grid[1:], grid[0])
    assert between.min() == pytest.approx(spacing, rel=1e-6)
    rng = np.random.default_rng(6)
    axes = rng.normal(size=(3_000, 3))
    angle = np.radians(reach) * rng.uniform(size=3_000) ** (1 / 3)
    axes *= np.sin(angle / 2)[:, None] / np.linalg.norm(axes, axis=1, keepdims=True)
    inside = multiply_quaternions(np.column_stack([axes, np.cos(angle / 2)]), centre)
    assert distances_to_grid(grid, inside).max() < 1.0 * spacing


def test_without_range_only_the_centre_is_left():
    centre = np.array([0.5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(local_orientations(centre, 0, 3), [centre])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spacing_deg": 0}, "spacing is 0 degrees"),
        ({"spacing_deg": np.nan}, "spacing is nan"),
        ({"spacing_deg": 5, "cone_deg": 181}, "cone is 181"),
        ({"spacing_deg": 5, "cone_deg": 10, "cone_axis": (0, 0, 0)}, "cone axis"),
        ({"spacing_deg": 5, "symmetry": "Q"}, "symmetry is 'Q'"),
    ],
)
def test_senseless_grids_are_refused(arguments, message):
    with pytest.raises(SettingsError, match=message):
        orientation_grid(**arguments)
