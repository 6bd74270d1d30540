"""Noise with the power spectrum of a piece of tomogram."""

import numpy as np
import torch
from numpy.typing import NDArray

_TAPER = (
    0.1  # of each edge, at both ends: keeps the step between opposite faces out of the spectrum
)


def scramble_phases(block: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Replace the phases of a block by those of white noise.

    Parameters
    ----------
    block : (z, y, x)
    seed : of the noise

    Returns
    -------
    (z, y, x) float32
        Noise of the block's power spectrum and mean 0: what the block would be without any
        structure.
    """
    values = taper(torch.from_numpy(block).double())
    white = np.random.default_rng(seed).normal(size=block.shape)
    carrier = torch.fft.rfftn(torch.from_numpy(white))
    carrier = carrier / carrier.abs().clamp_min(1e-30)
    noise = torch.fft.irfftn(torch.fft.rfftn(values).abs() * carrier, s=block.shape)
    return np.asarray(noise.float().numpy())


def taper(values: torch.Tensor) -> torch.Tensor:
    """Take off the mean (z, y, x) and let the values fall to zero at the faces."""
    values = values - values.mean()
    for axis, n in enumerate(values.shape):
        width = max(1, round(_TAPER * n))
        distance = torch.arange(n, dtype=values.dtype) + 0.5
        distance = torch.minimum(distance, n - distance)
        window = 0.5 - 0.5 * torch.cos(torch.pi * (distance / width).clamp_max(1))
        values = values * window.reshape([n if i == axis else 1 for i in range(3)])
    return values
