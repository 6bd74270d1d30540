import numpy as np
import pytest
import torch

from subtomo.errors import SettingsError
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fourier import frequency_radius


def wave(n, cycles):
    return torch.cos(2 * np.pi * cycles * torch.arange(n) / n).expand(n, n).contiguous()


def test_half_at_the_cut_offs_one_between_zero_beyond():
    n, pixel = 64, 2.0
    band = bandpass((n, n, n), pixel, low_pass=128 / 20, high_pass=128 / 5, edge=4)
    line = band[0, 0]  # index i is the frequency i / 128
    assert line[20] == pytest.approx(0.5, abs=1e-5)
    assert line[5] == pytest.approx(0.5, abs=1e-5)
    assert line[7:19].min() == 1
    assert line[22:].max() == pytest.approx(0, abs=1e-6)
    assert line[:4].max() == pytest.approx(0, abs=1e-6)


def test_anisotropic_grids_use_true_frequencies():
    band = bandpass((8, 32), 1.0, low_pass=4.0, edge=0)
    assert torch.equal(band, (frequency_radius((8, 32), 1.0) <= 0.25).float())


def test_filter_keeps_a_wave_in_the_band_and_removes_one_outside():
    band = bandpass((32, 32), 1.0, low_pass=4.0)
    assert torch.allclose(apply_filter(wave(32, 3), band), wave(32, 3), atol=1e-5)
    assert apply_filter(wave(32, 12), band).abs().max() < 1e-5


@pytest.mark.parametrize("cut", [{"low_pass": 0.0}, {"low_pass": 50.0, "high_pass": 20.0}])
def test_senseless_cut_offs_are_refused(cut):
    with pytest.raises(SettingsError, match="low_pass"):
        bandpass((8, 8), 1.0, **cut)
