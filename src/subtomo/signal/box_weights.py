"""Weights that resample one axis of a box: moved by part of a voxel, binned or not."""

import math

import torch
from torch import Tensor

_HALF_WIDTH = 12  # voxels that the weights of one voxel reach to each side
_BETA = 6.0  # of the Kaiser window: errors below 0.1 % up to 0.8 of the Nyquist frequency
_FEWEST = 4  # output voxels around a box that bear the step between its two ends, where binned


def margin_voxels(binning: int = 1) -> int:
    """Count the output voxels that resampling looks at beyond each end of a box."""
    return max(_FEWEST, math.ceil(_HALF_WIDTH / binning))


def resampling_weights(box_size: int, rests: Tensor, *, binning: int = 1) -> Tensor:
    """Matrices that take the voxels of one axis to those of a box.

    Parameters
    ----------
    box_size : n, voxels of the box
    rests : (...) float64, voxels of the input, at most a half
        By how much the box's voxel n // 2 lies beyond the input's voxel
        ``(margin + n // 2) · binning``, margin as ``margin_voxels`` says.
    binning : voxels of the input in one of the box

    Returns
    -------
    (..., n, (n + 2 · margin) · binning) float32

    Notes
    -----
    Without binning: the sinc under a Kaiser window (Oppenheim and Schafer, Discrete-Time Signal
    Processing, 7.5), its sum brought to 1. It looks at its neighbourhood
    only, where a phase shift of the Fourier transform would carry the step between the box's two
    ends into it. With binning: the Fourier transform of the input, moved by a phase and cropped
    as ``fourier_crop`` does, as a matrix (the Dirichlet kernel).

    Examples
    --------
    >>> resampling_weights(2, torch.tensor(0.0)).argmax(dim=1) - margin_voxels()
    tensor([0, 1])
    """
    if binning == 1:
        return _windowed_sinc(box_size, rests)
    return _fourier_crop(box_size, rests, binning)


def _windowed_sinc(n: int, rests: Tensor) -> Tensor:
    """Put the same weights into each row, one place further on."""
    distance = torch.arange(-_HALF_WIDTH, _HALF_WIDTH + 1) - rests[..., None]
    relative = distance / (_HALF_WIDTH + 0.5)
    weights = torch.sinc(distance) * torch.special.i0(_BETA * (1 - relative**2).sqrt())
    weights = (weights / weights.sum(-1, keepdim=True)).to(torch.float32)
    wide = n + 2 * _HALF_WIDTH
    matrices = torch.zeros(*rests.shape, n, wide + 1)
    matrices[..., : weights.shape[-1]] = weights[..., None, :]
    # rows that are one too long, cut again at the right length, are each moved by one
    return matrices.flatten(-2)[..., : n * wide].reshape(*rests.shape, n, wide)


def _fourier_crop(n: int, rests: Tensor, binning: int) -> Tensor:
    """Sum the waves that the output's grid holds, at the places of the box's voxels."""
    margin = margin_voxels(binning)
    m = n + 2 * margin
    wide = m * binning
    places = (torch.arange(n) + margin) * binning + rests[..., None].double()
    phase = 2 * math.pi / wide * (places[..., None] - torch.arange(wide))
    # 1 + 2 Σ cos(k · phase), k up to the Nyquist frequency, as a ratio of sines
    highest = m // 2
    half = torch.sin(phase / 2)
    is_peak = half.abs() < 1e-9
    ratio = torch.sin((highest + 0.5) * phase) / half.masked_fill(is_peak, 1.0)
    waves = torch.where(is_peak, 2.0 * highest + 1, ratio)
    return (waves / wide).to(torch.float32)
