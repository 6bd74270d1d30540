import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.fsc import (
    fourier_shell_correlation,
    masked_fsc,
    randomise_phases,
    resolution_at,
    shell_frequencies,
    shell_sums,
)
from subtomo.signal.masks import soft_sphere


def noise(n, seed):
    return torch.randn(n, n, n, generator=torch.Generator().manual_seed(seed))


def filtered(volume, power):
    """Noise of a chosen power spectrum."""
    n = volume.shape[-1]
    weight = power(frequency_radius((n, n, n), 1.0)).sqrt()
    return torch.fft.irfftn(torch.fft.rfftn(volume) * weight, s=(n, n, n))


@pytest.mark.parametrize("n", [8, 9])
def test_shells_by_their_definition(n):
    a, b = noise(n, 0), noise(n, 1)
    fa, fb = (np.fft.fftn(x.double().numpy()) for x in (a, b))
    k = np.fft.fftfreq(n, 1 / n)
    radius = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2).round()
    expected = []
    for shell in range(n // 2 + 1):
        x, y = fa[radius == shell], fb[radius == shell]
        expected.append(
            (x * y.conj()).sum().real / np.sqrt((abs(x) ** 2).sum() * (abs(y) ** 2).sum())
        )
    assert np.allclose(fourier_shell_correlation(a, b).numpy(), expected)


def test_shell_sums_add_up_to_all_components():
    x = noise(8, 0).double()
    power = torch.fft.rfftn(x).abs() ** 2
    inside = np.fft.fftfreq(8, 1 / 8) ** 2
    inside = (inside[:, None, None] + inside[None, :, None] + inside[None, None, :]) ** 0.5 < 4.5
    expected = (abs(np.fft.fftn(x.numpy())) ** 2)[inside].sum()
    assert shell_sums(power, 8).sum() == pytest.approx(expected)


def test_signal_and_noise_of_known_spectra_give_the_closed_form():
    # FSC = signal power / (signal power + noise power), shell by shell
    n = 48
    signal = filtered(noise(n, 0), lambda k: 20 * torch.exp(-((k / 0.2) ** 2)))
    half1, half2 = signal + noise(n, 1), signal + noise(n, 2)
    frequency = shell_frequencies(n, 1.0)
    power = 20 * np.exp(-((frequency / 0.2) ** 2))
    measured = fourier_shell_correlation(half1, half2).numpy()
    # standard deviation of a shell's FSC is below 1/sqrt(components / 2)
    components = 2 * np.pi * np.arange(1, n // 2 + 1) ** 2
    assert np.all(np.abs(measured - power / (power + 1))[1:] < 4 / np.sqrt(components))


def test_equal_maps_and_opposite_maps():
    x = noise(8, 0)
    assert torch.allclose(fourier_shell_correlation(x, 3 * x), torch.ones(5).double())
    assert torch.allclose(fourier_shell_correlation(x, -x), -torch.ones(5).double())


def test_correction_removes_what_the_mask_alone_correlates():
    # a strong common signal below 1/12 Å leaks through the mask's edge to 1/4 Å: not resolution
    n, mask = 48, soft_sphere((48, 48, 48), 6, 4)
    common = filtered(noise(n, 0), lambda k: 1000.0 * (k < 1 / 12)) * soft_sphere((n,) * 3, 10, 3)
    curves = masked_fsc(common + noise(n, 1), common + noise(n, 2), mask, 1.0, seed=3)
    leak = slice(curves.frequency.searchsorted(curves.randomised_from) + 2, n // 4)
    assert curves.masked[leak].min() > 0.4
    assert curves.corrected[leak].mean() < 0.5 * curves.masked[leak].mean()
    # the published formula, where it applies
    tail = curves.frequency > curves.randomised_from + 2.5 / n
    masked, randomised = curves.masked[tail], curves.randomised[tail]
    assert np.allclose(curves.corrected[tail], (masked - randomised) / (1 - randomised))
    head = curves.frequency < curves.randomised_from
    assert np.array_equal(curves.corrected[head], curves.masked[head])


def test_a_mask_that_forces_correlation_is_corrected_for():
    # a sharp, off-set background under the mask correlates at all shells; truth: nothing does
    n = 48
    mask = soft_sphere((n,) * 3, 8, 0)
    half1, half2 = (noise(n, s) + 2.0 for s in (1, 2))
    curves = masked_fsc(half1, half2, mask, 1.0)
    beyond = curves.frequency > 0.1
    assert curves.masked[beyond].mean() > 0.1
    assert abs(curves.corrected[beyond].mean()) < 0.3 * curves.masked[beyond].mean()


def test_randomised_phases_keep_amplitudes_and_the_low_frequencies():
    x = noise(16, 0).double()
    y = randomise_phases(x, 4, torch.Generator().manual_seed(1))
    fx, fy = torch.fft.rfftn(x), torch.fft.rfftn(y)
    assert torch.allclose(fx.abs(), fy.abs())
    low = frequency_radius((16, 16, 16), 1 / 16).round() < 4
    assert torch.allclose(fx[low], fy[low])
    assert abs(float(fourier_shell_correlation(x, y)[5:].mean())) < 0.1


def test_same_seed_same_curve():
    a, b, mask = noise(16, 0), noise(16, 1), soft_sphere((16,) * 3, 4, 2)
    first, again, other = (masked_fsc(a, b, mask, 1.0, seed).randomised for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_resolution_by_hand():
    frequency = np.array([0, 0.1, 0.2, 0.3])
    # 0.5 is crossed half way from 0.7 at 0.1 to 0.3 at 0.2
    assert resolution_at(frequency, np.array([1, 0.7, 0.3, 0.6]), 0.5) == pytest.approx(1 / 0.15)
    assert resolution_at(frequency, np.ones(4), 0.143) == pytest.approx(1 / 0.3)
    assert resolution_at(frequency, np.zeros(4), 0.5) == pytest.approx(1 / 0.05)


def test_maps_of_two_sizes_are_refused():
    with pytest.raises(ShapeError, match="cubes of one size"):
        fourier_shell_correlation(noise(8, 0), noise(9, 0))
    with pytest.raises(ShapeError, match="mask of"):
        masked_fsc(noise(8, 0), noise(8, 1), torch.ones(9, 9, 9), 1.0)
