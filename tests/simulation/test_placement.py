"""Bodies in the ice: no overlap, wholly inside."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.simulation.placement import Body, empty_slab

UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])


def _ball(radius, n=None):
    n = n or 2 * int(radius) + 6
    z, y, x = np.indices((n, n, n)) - n // 2
    return x**2 + y**2 + z**2 <= radius**2


def _bar():
    mask = np.zeros((30, 30, 30), bool)
    mask[13:18, 13:18, 3:28] = True
    return mask


def test_body_is_painted_where_it_is():
    mask = np.zeros((9, 9, 9), bool)
    mask[4, 4, 4:8] = True  # four voxels along +x
    slab = empty_slab((20, 20, 20), 10.0, 200.0)
    # a quarter turn about z takes x to y
    turn = Rotation.from_euler("z", 90, degrees=True).as_quat()
    slab.add(Body(mask), np.array([70.0, 80.0, 90.0]), turn, 5)
    z, y, x = np.nonzero(slab.particles)
    assert set(z) == {9}
    assert set(x) == {7}
    assert sorted(y) == [8, 9, 10, 11]
    assert slab.particles[9, 8, 7] == 5


def test_turned_bodies_keep_their_volume():
    body, rng = Body(_bar()), np.random.default_rng(0)
    for orientation in random_quaternions(10, rng):
        slab = empty_slab((60, 60, 60), 1.0, 60.0)
        slab.add(body, rng.uniform(25, 35, 3), orientation, 1)
        assert int(slab.particles.sum()) == pytest.approx(body.volume_px, rel=0.1)


@pytest.mark.parametrize("mask", [_ball(5), _bar()], ids=["ball", "bar"])
def test_nothing_overlaps_or_touches(mask):
    body, rng = Body(mask), np.random.default_rng(1)
    slab = empty_slab((60, 60, 40), 10.0, 400.0)
    placed = []
    for _ in range(600):
        position, orientation = slab.random_position(rng), random_quaternions(1, rng)[0]
        if slab.has_room(body, position, orientation):
            alone = empty_slab((60, 60, 40), 10.0, 400.0)
            alone.add(body, position, orientation, 1)
            placed.append(alone.particles.astype(int))
            slab.add(body, position, orientation, len(placed))
    assert len(placed) > 8
    assert np.sum(placed, axis=0).max() == 1
    # one free voxel between bodies
    labels = slab.particles
    for axis in range(3):
        a, b = np.moveaxis(labels, axis, 0)[:-1], np.moveaxis(labels, axis, 0)[1:]
        assert not np.any((a != b) & (a > 0) & (b > 0))


def test_bodies_lie_wholly_in_the_ice():
    body, rng = Body(_ball(4)), np.random.default_rng(1)
    slab = empty_slab((40, 40, 40), 10.0, 160.0)  # voxels 12 to 28
    n = 0
    for _ in range(500):
        position, orientation = slab.random_position(rng), random_quaternions(1, rng)[0]
        if slab.has_room(body, position, orientation):
            slab.add(body, position, orientation, 1)
            n += 1
    assert n > 5
    z, _, _ = np.nonzero(slab.particles)
    assert z.min() >= 12
    assert z.max() <= 28
    # none is cut by the border of the tomogram
    assert len(z) == pytest.approx(n * _ball(4).sum(), rel=0.03)
    assert slab.volume_px == 40 * 40 * 16


def test_membranes_are_in_the_way_but_for_ones_own():
    body = Body(_ball(3))
    slab = empty_slab((40, 40, 40), 10.0, 400.0)
    slab.membranes[18:22] = 2
    position = np.array([200.0, 200.0, 200.0])
    assert not slab.has_room(body, position, UPRIGHT)
    assert not slab.has_room(body, position, UPRIGHT, membrane=1)
    assert slab.has_room(body, position, UPRIGHT, membrane=2)
    assert slab.has_room(body, np.array([200.0, 200.0, 60.0]), UPRIGHT)


def test_points_cover_every_voxel():
    # what lets the check stand for the paint
    body, rng = Body(_bar()), np.random.default_rng(3)
    for orientation in random_quaternions(10, rng):
        matrix, place = matrices_from_quaternions(orientation), rng.uniform(20, 30, 3)
        painted = {tuple(v) for v in body.voxels(matrix, place)}
        covered = {tuple(v) for v in np.rint(body.points(matrix, place, few=False)).astype(int)}
        assert painted <= covered
