"""Helices of subunits."""

import numpy as np
import pytest

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.simulation.filaments import Helix, frame_along, helix_poses, lying_frame


def test_straight_helix_by_hand():
    helix = Helix(rise=10.0, twist=90.0, radius=20.0, n_subunits=5, persistence_length=1e30)
    start = np.array([100.0, 200.0, 300.0])
    positions, orientations = helix_poses(helix, start, np.eye(3), np.random.default_rng(0))
    # a quarter turn and 10 Å up each: x, y, -x, -y, x
    steps = [[20, 0, 0], [0, 20, 10], [-20, 0, 20], [0, -20, 30], [20, 0, 40]]
    assert positions - start == pytest.approx(np.array(steps, dtype=float), abs=1e-6)
    matrices = matrices_from_quaternions(orientations)
    assert matrices[1] == pytest.approx(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]), abs=1e-6)
    assert helix.length == 40


def test_neighbours_are_related_by_rise_and_twist():
    rng = np.random.default_rng(3)
    helix = Helix(rise=27.5, twist=-166.6, radius=15.0, n_subunits=20, persistence_length=1e30)
    frame = lying_frame(rng, 15.0)
    positions, orientations = helix_poses(helix, np.zeros(3), frame, rng)
    matrices = matrices_from_quaternions(orientations)
    axis = frame[:, 2]
    for i in range(19):
        assert (positions[i + 1] - positions[i]) @ axis == pytest.approx(27.5)
        between = matrices[i].T @ matrices[i + 1]
        turn = np.degrees(np.arctan2(between[1, 0], between[0, 0]))
        assert turn == pytest.approx(-166.6, abs=1e-6)
        assert between[2, 2] == pytest.approx(1)
    # subunits point outwards
    outwards = positions - np.outer(positions @ axis, axis)
    assert np.einsum("ni,ni->n", outwards, matrices[:, :, 0]) == pytest.approx(15.0)


def test_persistence_length():
    # a worm-like chain: ⟨t(0)·t(L)⟩ = exp(-L / P)
    helix = Helix(rise=10.0, twist=0.0, radius=0.0, n_subunits=21, persistence_length=400.0)
    rng = np.random.default_rng(5)
    cosines = []
    for _ in range(1500):
        _, orientations = helix_poses(helix, np.zeros(3), np.eye(3), rng)
        cosines.append(matrices_from_quaternions(orientations[-1])[2, 2])
    assert np.mean(cosines) == pytest.approx(np.exp(-0.5), abs=0.03)


def test_frames_are_rotations():
    rng = np.random.default_rng(0)
    for z in np.vstack([np.eye(3), -np.eye(3), rng.normal(size=(20, 3))]):
        unit = z / np.linalg.norm(z)
        frame = frame_along(unit, 1.0)
        assert frame[:, 2] == pytest.approx(unit)
        assert frame.T @ frame == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(frame) == pytest.approx(1)


def test_lying_frames_lie():
    rng = np.random.default_rng(0)
    heights = [lying_frame(rng, 15.0)[2, 2] for _ in range(200)]
    assert 0.2 < np.abs(heights).max() <= np.sin(np.radians(15)) + 1e-12
