"""Maps whose two sides hold different noise are found to be resolved differently."""

import math
from dataclasses import replace

import pytest
import torch

from subtomo.averaging.reconstruction.local_resolution import LocalOptions, measure_locally
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.fsc import fourier_shell_correlation, resolution_at, shell_frequencies
from subtomo.signal.masks import soft_sphere

N, PIXEL = 48, 4.0
SHAPE = (N, N, N)
SPHERE = soft_sphere(SHAPE, 18, 4)
OPTIONS = LocalOptions(window=64.0, threshold=0.5, finest=2 * PIXEL)


def noise(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def truth():
    """Amplitudes that fall as those of proteins do."""
    falling = torch.exp(-120 * frequency_radius(SHAPE, PIXEL) ** 2 / 4 * 4)
    return apply_filter(noise(0) * SPHERE, falling)


def halves(level):
    """Half maps with noise of a level that may differ from voxel to voxel."""
    signal = truth()
    return signal, signal + level * noise(1), signal + level * noise(2)


def test_the_side_with_less_noise_is_better_resolved():
    level = torch.full(SHAPE, 0.05)
    level[..., N // 2 :] = 0.5
    _, half1, half2 = halves(level)
    found = measure_locally(half1, half2, (half1 + half2) / 2, SPHERE, PIXEL, OPTIONS)
    quiet, noisy = found.resolution[24, 24, 14], found.resolution[24, 24, 34]
    assert quiet < 0.75 * noisy
    # each side agrees with what a map with that noise everywhere would give
    for side, value in ((quiet, 0.05), (noisy, 0.5)):
        _, one, two = halves(value)
        curve = fourier_shell_correlation(one * SPHERE, two * SPHERE).numpy()
        expected = resolution_at(shell_frequencies(N, PIXEL), curve, 0.5)
        assert float(side) == pytest.approx(expected, rel=0.2)


def test_the_filtered_map_is_closer_to_the_truth_than_one_filtered_everywhere_alike():
    level = torch.full(SHAPE, 0.05)
    level[..., N // 2 :] = 0.5
    signal, half1, half2 = halves(level)
    whole = (half1 + half2) / 2
    found = measure_locally(half1, half2, whole, SPHERE, PIXEL, OPTIONS)

    def error(volume):
        return float(((volume - signal) * SPHERE).square().sum())

    alike = min(
        error(apply_filter(whole, bandpass(SHAPE, PIXEL, low_pass=low_pass)))
        for low_pass in (9.0, 12.0, 16.0, 20.0, 26.0, 34.0)
    )
    assert error(found.filtered) < 0.9 * alike


def test_equal_halves_are_resolved_to_the_finest_and_left_as_they_are():
    signal = truth()
    found = measure_locally(signal, signal, signal, SPHERE, PIXEL, OPTIONS)
    assert float(found.resolution[24, 24, 24]) == pytest.approx(OPTIONS.finest, rel=1e-3)
    below_nyquist = (frequency_radius(SHAPE, 1.0) <= 0.5).float()
    change = apply_filter(found.filtered - signal, below_nyquist)
    assert change.abs().max() < 1e-3 * signal.abs().max()


def test_noise_alone_is_not_resolved():
    found = measure_locally(noise(1), noise(2), noise(1), SPHERE, PIXEL, OPTIONS)
    assert found.resolution[SPHERE > 0.5].min() > 30
    assert found.filtered.square().mean() < 0.2


def test_the_b_factor_raises_each_band_by_its_gain():
    signal = truth()
    plain = measure_locally(signal, signal, signal, SPHERE, PIXEL, OPTIONS)
    sharp = measure_locally(
        signal, signal, signal, SPHERE, PIXEL, replace(OPTIONS, b_factor=-100.0)
    )
    radius = frequency_radius(SHAPE, PIXEL)
    shell = (radius * N * PIXEL).round() == 10
    spectra = [torch.fft.rfftn(one.filtered)[shell].abs() for one in (plain, sharp)]
    gain = float(spectra[1].sum() / spectra[0].sum())
    assert gain == pytest.approx(math.exp(25 * (10 / (N * PIXEL)) ** 2), rel=0.01)


def test_what_lies_outside_the_mask_does_not_count():
    mask = SPHERE.clone()
    mask[..., N // 2 :] = 0
    level = torch.full(SHAPE, 0.05)
    level[..., N // 2 :] = 1.0
    _, half1, half2 = halves(level)
    found = measure_locally(half1, half2, half1, mask, PIXEL, OPTIONS)
    spoilt = measure_locally(half1, half2, half1, SPHERE, PIXEL, OPTIONS)
    at = (24, 24, 20)
    assert float(found.resolution[at]) < 0.8 * float(spoilt.resolution[at])
