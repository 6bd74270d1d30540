import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, blobs

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask, sphere_mask

N = 32
BOX = Box(N, PIXEL)


def test_the_mask_holds_the_density_and_little_else():
    density = asymmetric_density(N)
    noise = torch.randn(N, N, N, generator=torch.Generator().manual_seed(0))
    mask = density_mask(density + 0.15 * noise, BOX, 40.0)
    assert mask[density > 0.2 * density.max()].min() > 0.9
    assert 0.02 < mask.mean() < 0.25


def test_small_parts_away_from_the_density_are_left_out():
    density = blobs(N, [[0, 0, 0]], width=2.5)
    speck = blobs(N, [[10, 0, 0]], width=0.8)
    mask = density_mask(density + speck, BOX, 30.0)
    assert mask[16, 16, 16] == pytest.approx(1, abs=1e-3)
    assert mask[16, 16, 26] < 0.5


def test_a_flat_average_gives_the_sphere():
    assert torch.equal(density_mask(torch.zeros(N, N, N), BOX, 40.0), BOX.sphere)


def test_sphere_of_a_diameter():
    mask = sphere_mask(BOX, 160.0)
    line = mask[16, 16, 16:].numpy()
    assert np.all(line[:9] == 1)
    assert 0 < line[10] < 1
    assert line[12:].max() == 0
