"""Boxes turned with and without a margin."""

import numpy as np
import pytest
import torch
from planted import blobs
from scipy.spatial.transform import Rotation

from subtomo.signal.turned_boxes import corner_margin, turn_boxes

POINTS = np.array([[3.0, 1, -2], [-4, 2, 1], [0, -3, 3]])


def test_blobs_turn_and_move_with_their_box():
    matrices = Rotation.random(3, rng=1).as_matrix()
    shift = np.array([[1.5, -0.5, 2.0]])
    box = blobs(20, POINTS)
    turned = turn_boxes(
        box.expand(3, 20, 20, 20), torch.from_numpy(matrices), torch.from_numpy(shift).expand(3, 3)
    )
    axis = torch.arange(20) - 10
    ball = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2 < 8**2  # not what came in
    for found, matrix in zip(turned, matrices, strict=True):
        truth = blobs(20, POINTS @ matrix.T + shift)
        assert (found - truth)[ball].norm() < 0.05 * truth.norm()


@pytest.mark.parametrize("n", [12, 15])
def test_corners_come_from_the_margin(n):
    margin = corner_margin(n)
    assert margin >= (np.sqrt(3) - 1) / 2 * n
    corner = np.full((1, 3), n // 2 - 2.0)
    matrix = Rotation.from_euler("zx", [45, 30], degrees=True).as_matrix()
    source = corner @ matrix  # Rᵀ of it
    assert np.abs(source).max() > n / 2  # outside the box before it is turned
    wide = blobs(n + 2 * margin, source)
    turned = turn_boxes(wide[None], torch.from_numpy(matrix[None]), margin=margin)[0]
    truth = blobs(n, corner)
    assert turned.shape == truth.shape
    assert (turned - truth).norm() < 0.05 * truth.norm()
    # without the margin it is lost; what is not known is the mean
    inner = slice(margin, margin + n)
    alone = turn_boxes(wide[None, inner, inner, inner], torch.from_numpy(matrix[None]))[0]
    assert alone.max() < 0.75
    assert turn_boxes(torch.full((1, n, n, n), 3.0), torch.from_numpy(matrix[None])).min() > 2.99
