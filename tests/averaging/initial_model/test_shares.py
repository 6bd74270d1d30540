import numpy as np
import pytest
import torch

from subtomo.averaging.box import Box
from subtomo.averaging.initial_model.shares import Shares
from subtomo.averaging.sums import ParticleSums, average_of, particle_sums

BOX = Box(12, 10.0)


def sums(value):
    shape = (12, 12, 7)
    data = torch.full(shape, complex(value), dtype=torch.complex128)
    return ParticleSums(data, torch.ones(shape, dtype=torch.float64), torch.zeros(7).double(), 1)


def of(shares):
    return {row: float(one.data[0, 0, 0].real) for row, one in shares.of_rows.items()}


def test_a_batch_replaces_its_part_of_the_model():
    shares = Shares(BOX, {4: sums(1.0), 2: sums(10.0)})
    after = shares.updated({2, 7}, {2: sums(20.0), 7: sums(30.0)}, 0.25)
    assert of(after) == pytest.approx({2: 5.0, 4: 0.75, 7: 7.5})
    assert float(after.total.weight[0, 0, 0]) == pytest.approx(1.25)
    # a particle that fits another class better leaves this one
    assert 4 not in of(shares.updated({4}, {}, 0.25))


def test_a_particle_is_left_out():
    shares = Shares(BOX, {4: sums(1.0), 2: sums(10.0)})
    assert float(shares.without(2).data[0, 0, 0].real) == 1.0
    assert float(shares.without(2).weight[0, 0, 0]) == 1.0
    assert float(shares.without(9).data[0, 0, 0].real) == 11.0
    alone = Shares(BOX, {4: sums(1.0)})  # nothing would be left
    assert float(alone.without(4).data[0, 0, 0].real) == 1.0


def test_moving_shares_moves_the_model():
    generator = torch.Generator().manual_seed(1)
    one = torch.randn(1, 12, 12, 12, generator=generator)
    eye, whole = torch.eye(3)[None], torch.ones(1, 12, 12, 7)
    still = Shares(BOX, {0: particle_sums(one, whole, eye, torch.zeros(1, 3), BOX)})
    moved = still.moved(torch.tensor([2.0, -1.0, 0.0]))
    before, after = (average_of(shares.total, BOX, 0.0) for shares in (still, moved))
    expected = torch.roll(before, (2, -1), dims=(2, 1))
    assert np.allclose(after, expected, atol=1e-3 * float(before.abs().max()))
