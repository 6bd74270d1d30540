"""Coordinates are scaled, counted from elsewhere and mirrored as the options say."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.sources.particle_placement import (
    FLIPS,
    Placement,
    is_inside,
    n_changes,
    placements_near,
)

SIZE = (100, 80, 40)
POINT = np.array([[10.0, 20.0, 30.0]])


# Worked by hand, in a tomogram of 100 x 80 x 40 voxels.
@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        (Placement(), (10, 20, 30)),
        (Placement(scale=2), (20, 40, 60)),
        (Placement(scale=2, keeps_corner=True), (20.5, 40.5, 60.5)),
        (Placement(is_one_based=True), (9, 19, 29)),
        (Placement(is_one_based=True, scale=2), (18, 38, 58)),
        (Placement(origin="centre"), (60, 60, 50)),
        (Placement(origin="centre", scale=0.5), (55, 50, 35)),
        (Placement(swaps_yz=True), (10, 30, 20)),
        (Placement(flips="x"), (89, 20, 30)),
        (Placement(flips="yz"), (10, 59, 9)),
        (Placement(swaps_yz=True, flips="z"), (10, 30, 19)),
        (Placement(origin="centre", flips="z"), (60, 60, -11)),
        (Placement(shift_px=(1, -2, 0.5)), (11, 18, 30.5)),
    ],
)
def test_coordinates(placement: Placement, expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(placement.indices(POINT, SIZE), [expected])


# Means of blocks of 2: voxel i of the binned tomogram lies between voxels 2i and 2i + 1.
def test_what_scaling_keeps() -> None:
    binned = np.array([[0.0, 0, 0], [3, 3, 3]])
    found = Placement(scale=2, keeps_corner=True).indices(binned, SIZE)
    np.testing.assert_allclose(found[:, 0], [0.5, 6.5])


@pytest.mark.parametrize("flips", FLIPS)
@pytest.mark.parametrize("swaps_yz", [False, True])
def test_directions_go_with_the_coordinates(flips: str, swaps_yz: bool) -> None:
    placement = Placement(flips=flips, swaps_yz=swaps_yz)
    rotations = Rotation.random(5, rng=1).as_matrix()
    turned = placement.rotations(rotations)
    np.testing.assert_allclose(np.linalg.det(turned), 1)
    start = np.array([[30.0, 20, 10]])
    for old, new in zip(rotations, turned, strict=True):
        for axis in (0, 2):  # the reference keeps its x and z axes
            step = placement.indices(start + old[:, axis], SIZE) - placement.indices(start, SIZE)
            np.testing.assert_allclose(new[:, axis], step[0], atol=1e-12)
    is_odd = len(flips) % 2 == 1
    assert placement.changes_hand == (is_odd != swaps_yz)


def test_turning_twice_is_where_one_was() -> None:
    rotations = Rotation.random(3, rng=2).as_matrix()
    for flips in FLIPS:
        placement = Placement(flips=flips)
        np.testing.assert_allclose(placement.rotations(placement.rotations(rotations)), rotations)


def test_inside() -> None:
    points = np.array([[-0.5, 0, 0], [-0.6, 0, 0], [99.5, 79, 39], [50, 79.6, 20]])
    assert is_inside(points, SIZE).tolist() == [True, False, True, False]


def test_what_is_tried() -> None:
    given = Placement(scale=3, shift_px=(1, 2, 3))
    tried = list(placements_near(given, 10.0))
    assert tried[0] == given
    assert len(set(tried)) == len(tried)
    assert {p.scale for p in tried} == {0.1, 0.125, 0.25, 0.5, 1, 2, 3, 4, 8}
    assert all(p.shift_px == (1, 2, 3) for p in tried)
    assert n_changes(Placement(scale=1, flips="xz", origin="centre"), given) == 4


def test_words_are_options() -> None:
    placement = Placement(scale=0.5, flips="z", swaps_yz=True, origin="centre")
    assert placement.words() == "--scale 0.5 --swap-yz --origin centre --flip z"
    assert Placement().words() == "the numbers as they are"
    assert Placement(keeps_corner=True).words() == "the numbers as they are"  # moves nothing
