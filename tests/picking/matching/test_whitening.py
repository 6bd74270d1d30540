import numpy as np
import torch

from subtomo.picking.matching.whitening import power_spectrum
from subtomo.signal.filters import apply_filter
from subtomo.signal.fourier import frequency_radius

PX = 8.0


def coloured(n=48):
    """White noise times a known filter, whose square is the power spectrum."""
    white = torch.from_numpy(np.random.default_rng(0).normal(size=(n,) * 3))
    return apply_filter(white, torch.exp(-frequency_radius((n,) * 3, PX).double() * 20)).float()


def test_the_spectrum_is_the_square_of_the_filter():
    spectrum = power_spectrum(coloured().numpy(), PX)
    expected = np.exp(-40 * spectrum.frequency)
    inner = slice(2, 30)  # a few components only in the first shells, the taper's leak in the last
    ratio = spectrum.power[inner] / expected[inner]
    assert ratio.std() / ratio.mean() < 0.1


def test_whitened_noise_is_white():
    noise = coloured()
    white = apply_filter(noise, power_spectrum(noise.numpy(), PX).whitening(noise.shape, PX))
    again = power_spectrum(white.numpy(), PX)
    inner = again.power[2:30]
    assert inner.max() / inner.min() < 1.6


def test_the_gain_does_not_depend_on_the_grid():
    spectrum = power_spectrum(coloured().numpy(), PX)
    coarse, fine = spectrum.whitening((16,) * 3, PX), spectrum.whitening((32,) * 3, PX)
    torch.testing.assert_close(coarse, fine[::2, ::2, ::2])
