from types import SimpleNamespace

import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, blobs

from subtomo.averaging.box import Box
from subtomo.averaging.given_mask import given_mask
from subtomo.averaging.mask import density_mask, mask_in_words
from subtomo.averaging.reconstruction.stacks_settings import ReconstructStacksSettings
from subtomo.averaging.settings import AverageSettings
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


def on_faces(mask):
    """Values of the outermost voxels."""
    within = torch.zeros_like(mask, dtype=torch.bool)
    within[1:-1, 1:-1, 1:-1] = True
    return mask[~within]


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("n", [24, N, 48])
def test_density_near_a_face_is_not_cut_off_at_it(n, wide):
    density = blobs(n, [[0, 0, 0], [0.3 * n, 0, 0]], width=0.1 * n)
    mask = density_mask(density, Box(n, PIXEL), 30.0, wide=wide)
    assert on_faces(mask).max() == 0
    assert mask.diff(dim=-1).abs().max() < 0.5  # no step, also where the box ends
    assert mask[n // 2, n // 2, n // 2] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("n", [8, 31, N])
def test_a_flat_average_gives_a_sphere(n):
    mask = density_mask(torch.zeros(n, n, n), Box(n, PIXEL), 40.0, wide=True)
    assert on_faces(mask).max() == 0
    assert mask[n // 2, n // 2, n // 2] == 1
    assert mask.mean() > 0.1


def test_the_sphere_is_one_within_its_diameter_and_its_edge_lies_outside():
    """160 Å are 8 voxels on each side of the centre; the edge takes four more."""
    files = {"particles": "p.star", "output_dir": "out", "mask_diameter": 160.0}
    for settings in (AverageSettings(**files), ReconstructStacksSettings(**files)):
        line = given_mask(settings, BOX)[16, 16, 16:].numpy()
        assert np.all(line[:9] == 1)
        assert line[9:12] == pytest.approx((1 + np.cos(np.pi * np.array([1, 2, 3]) / 4)) / 2)
        assert line[12:].max() == 0


@pytest.mark.parametrize(
    ("mask", "diameter", "name"),
    [
        ("m.mrc", None, "the mask m.mrc"),
        (None, 80.0, "a spherical mask of 80 Å"),
        (None, None, "the mask around the density"),
    ],
)
def test_masks_in_words(mask, diameter, name):
    half = torch.zeros(4, 4, 4)
    half[:2] = 1
    options = SimpleNamespace(mask=mask, mask_diameter=diameter)
    assert mask_in_words(options, half) == f"{name} fills 50 % of the box"
