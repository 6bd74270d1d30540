"""A tomogram as the embedding network takes it."""

import torch
from torch import Tensor

from subtomo.model import Volume
from subtomo.picking.net.embedding_network import VOXELS_ACROSS
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.resampling import resample_volume

HIGH_PASS = 3.0
"""Particle diameters: coarser features are removed."""
LIMIT = 5.0
"""Standard deviations at which voxels are clipped, as those of gold."""
_TIMES = 2  # clipped and scaled: gold first makes the deviation too large


def prepare(volume: Volume, diameter: float, *, invert: bool) -> Volume:
    """Bring a tomogram to `VOXELS_ACROSS` voxels a particle, mean 0 and standard deviation 1.

    Parameters
    ----------
    volume : is read into memory
    diameter : Å, of the particle
    invert : it shows protein dark
    """
    pixel_size = diameter / VOXELS_ACROSS
    coarse = resample_volume(volume, pixel_size)
    data = torch.from_numpy(coarse.load())
    band = bandpass(coarse.shape, pixel_size, high_pass=HIGH_PASS * diameter)
    data = apply_filter(-data if invert else data, band)
    return coarse.with_data(normalised(data, dims=(0, 1, 2)).numpy())


def normalised(x: Tensor, *, dims: tuple[int, ...]) -> Tensor:
    """Bring to mean 0 and standard deviation 1, with what is far off clipped to `LIMIT`.

    Parameters
    ----------
    x : of any shape
    dims : over which mean and deviation are taken
    """
    for _ in range(_TIMES):
        x = x - x.mean(dim=dims, keepdim=True)
        x = x / x.std(dim=dims, keepdim=True).clamp_min(1e-12)
        x = x.clamp(-LIMIT, LIMIT)
    return x
