import math

import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.signal.masks import soft_edge, soft_sphere


def test_sphere_edge_by_hand():
    mask = soft_sphere((21, 21, 21), 5, 4)
    line = mask[10, 10, 10:]
    expected = [1] * 6 + [0.5 + 0.5 * math.cos(math.pi * i / 4) for i in (1, 2, 3)] + [0, 0]
    assert torch.allclose(line, torch.tensor(expected), atol=1e-6)


def test_sphere_volume_and_centre():
    mask = soft_sphere((40, 40, 40), 12.0, centre=(18.5, 20.25, 21))
    assert mask.sum() == pytest.approx(4 / 3 * math.pi * 12**3, rel=0.01)
    z, y, x = (mask.sum([a for a in range(3) if a != axis]) for axis in range(3))
    places = torch.arange(40.0)
    centre = [float((line * places).sum() / line.sum()) for line in (x, y, z)]
    assert centre == pytest.approx([18.5, 20.25, 21], abs=0.05)


def test_disc():
    assert soft_sphere((9, 9), 2.0).sum() == 13  # 1 + 4 + 4 + 4 pixels within radius 2


def test_soft_edge_of_a_ball_is_a_soft_sphere():
    ball = soft_sphere((32, 32, 32), 8.0)
    soft = soft_edge(ball, 5.0)
    assert soft[ball > 0].min() == 1
    # distances are measured to the nearest voxel of the mask, so within one voxel of the ball's
    assert (soft - soft_sphere((32, 32, 32), 8.0, 5.0)).abs().max() < 0.25
    assert soft_edge(torch.zeros(4, 4), 3.0).sum() == 0


def test_soft_edge_refuses_a_batch():
    with pytest.raises(ShapeError, match="4 axes"):
        soft_edge(torch.zeros(1, 4, 4, 4), 1.0)
