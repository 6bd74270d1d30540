"""Maps whose envelope is known get it taken off."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from subtomo.averaging.reconstruction.sharpening import (
    b_factor_gain,
    guinier_plot,
    sharpened,
    signal_share,
)
from subtomo.signal.filters import apply_filter
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.fsc import masked_fsc, resolution_at, shell_sums
from subtomo.signal.masks import soft_sphere

N, PIXEL, B = 48, 2.0, 150.0
SHAPE = (N, N, N)
RADIUS = frequency_radius(SHAPE, PIXEL)


def noise(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


@lru_cache
def blurred_halves(noise_level):
    """A map of equal amplitudes at all frequencies, blurred by B; its halves with white noise."""
    truth = noise(0) * soft_sphere(SHAPE, 14, 4)
    blurred = apply_filter(truth, torch.exp(-B * RADIUS**2 / 4))
    half1, half2 = (blurred + noise_level * noise(seed) for seed in (1, 2))
    mask = soft_sphere(SHAPE, 18, 4)
    curves = masked_fsc(half1, half2, mask, PIXEL)
    resolution = resolution_at(curves.frequency, curves.corrected, 0.143)
    return truth, (half1 + half2) / 2, mask, curves, resolution


@pytest.mark.parametrize("noise_level", [1e-4, 0.1])
def test_the_slope_of_the_guinier_plot_is_the_envelope_that_was_put_on(noise_level):
    _, whole, mask, curves, resolution = blurred_halves(noise_level)
    plot = guinier_plot(whole * mask, curves, resolution, coarsest=20.0)
    assert plot.b_factor == pytest.approx(-B, rel=0.06)
    assert plot.fitted[0] >= 1 / 20
    assert plot.fitted[1] <= 1 / resolution


def test_sharpening_restores_the_amplitudes_of_the_truth():
    truth, whole, mask, curves, resolution = blurred_halves(0.01)
    restored = sharpened(whole, curves, -B, resolution, PIXEL) * mask
    shells = slice(3, int(N * PIXEL / resolution) - 2)
    power = [
        shell_sums(torch.fft.rfftn(volume.double()).abs() ** 2, N)[shells].sqrt()
        for volume in (restored, truth, whole * mask)
    ]
    ratio = (power[0] / power[1]).numpy()
    before = (power[2] / power[1]).numpy()
    assert np.abs(ratio - 1).max() < 0.15
    assert before[-1] < 0.3


def test_noise_does_not_flatten_the_plot_of_the_signal():
    _, whole, mask, curves, resolution = blurred_halves(0.1)
    plot = guinier_plot(whole * mask, curves, resolution, coarsest=20.0)
    used = (plot.frequency >= plot.fitted[0]) & (plot.frequency <= plot.fitted[1])
    squared = plot.frequency[used] ** 2
    of_all, of_signal = (
        4 * np.polyfit(squared, curve[used], 1)[0] for curve in (plot.measured, plot.signal)
    )
    assert abs(of_signal + B) < abs(of_all + B) - 0.1 * B


def test_a_coarse_map_has_no_line_to_fit():
    _, whole, mask, curves, _ = blurred_halves(0.01)
    plot = guinier_plot(whole * mask, curves, 12.0, coarsest=12.5)
    assert plot.b_factor is None
    assert plot.fitted is None


def test_share_of_the_signal_by_hand():
    np.testing.assert_allclose(
        signal_share(np.array([1.0, 0.5, 0.0, -0.3])), [1, (2 / 3) ** 0.5, 0, 0]
    )
    # at 0.143 the average of two halves correlates with the truth to one half
    assert signal_share(np.array([1 / 7]))[0] == pytest.approx(0.5)


def test_the_gain_is_held_beyond_the_low_pass():
    gain = b_factor_gain(torch.tensor([0.0, 0.1, 0.15, 10.0]), -400.0, 10.0)
    np.testing.assert_allclose(gain, np.exp([0.0, 1.0, 2.25, 2.25]), rtol=1e-6)


def test_the_strongest_sharpening_stays_finite():
    """1 Å voxels, B of -10,000 Å²: exp(-b k²/4) alone is beyond the largest float32."""
    gain = b_factor_gain(frequency_radius((8, 8, 8), 1.0), -10_000.0, 2.0)
    assert torch.isfinite(1e6 * gain).all()
