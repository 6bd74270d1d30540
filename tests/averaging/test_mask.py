import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, blobs

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask, sphere_mask
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fourier import frequency_radius

N = 32
BOX = Box(N, PIXEL)


def test_the_mask_holds_the_density_and_little_else():
    density = asymmetric_density(N)
    noise = torch.randn(N, N, N, generator=torch.Generator().manual_seed(0))
    mask = density_mask(density + 0.15 * noise, BOX, 40.0, wide=False)
    assert mask[density > 0.2 * density.max()].min() > 0.9
    assert 0.02 < mask.mean() < 0.25


def test_small_parts_away_from_the_density_are_left_out():
    density = blobs(N, [[0, 0, 0]], width=2.5)
    speck = blobs(N, [[10, 0, 0]], width=0.8)
    mask = density_mask(density + speck, BOX, 30.0, wide=False)
    assert mask[16, 16, 16] == pytest.approx(1, abs=1e-3)
    assert mask[16, 16, 26] < 0.5


def test_a_wide_mask_leaks_less_beyond_a_low_pass():
    box, shape = Box(48, PIXEL), (48, 48, 48)
    density = apply_filter(asymmetric_density(48), bandpass(shape, PIXEL, low_pass=80.0))
    close, wide = (density_mask(density, box, 80.0, wide=wide) for wide in (False, True))
    assert (wide >= close - 1e-6).all()
    beyond = frequency_radius(shape, PIXEL) > 1 / 50
    power = [torch.fft.rfftn(density * mask)[beyond].abs().square().sum() for mask in (close, wide)]
    assert power[1] < 0.5 * power[0]


def test_a_flat_average_gives_the_sphere():
    assert torch.equal(density_mask(torch.zeros(N, N, N), BOX, 40.0, wide=True), BOX.sphere)


def test_sphere_of_a_diameter():
    mask = sphere_mask(BOX, 160.0)
    line = mask[16, 16, 16:].numpy()
    assert np.all(line[:9] == 1)
    assert 0 < line[10] < 1
    assert line[12:].max() == 0
