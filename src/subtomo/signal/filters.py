"""Radial filters and their application."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from subtomo.errors import SettingsError
from subtomo.signal.fourier import Device, frequency_radius


def bandpass(
    shape: Sequence[int],
    pixel_size: float,
    *,
    low_pass: float | None = None,
    high_pass: float | None = None,
    edge: float = 2.0,
    device: Device = None,
) -> Tensor:
    """Make a band-pass filter with raised-cosine edges, 0.5 at the cut-offs.

    Parameters
    ----------
    shape : (y, x) or (z, y, x) of the real array
    pixel_size : Å
    low_pass : Å, removes finer detail; None keeps all
    high_pass : Å, removes coarser features; None keeps all
    edge : Fourier pixels of the longest axis
        Width of the edge. Two keep ringing below a few per cent.

    Returns
    -------
    (..., x // 2 + 1) float32, 0 to 1

    Raises
    ------
    SettingsError
        If a cut-off is not positive, or nothing would pass.
    """
    for name, value in (("low_pass", low_pass), ("high_pass", high_pass)):
        if value is not None and not value > 0:
            raise SettingsError(f"{name} is {value} Å; expected a positive number")
    if low_pass is not None and high_pass is not None and low_pass >= high_pass:
        raise SettingsError(
            f"low_pass ({low_pass} Å) is not below high_pass ({high_pass} Å): nothing passes"
        )
    frequency = frequency_radius(shape, pixel_size, device)
    width = edge / (max(shape) * pixel_size)
    out = torch.ones_like(frequency)
    if low_pass is not None:
        out = out * raised_cosine(frequency - 1 / low_pass, width)
    if high_pass is not None:
        out = out * (1 - raised_cosine(frequency - 1 / high_pass, width))
    return out


def raised_cosine(distance: Tensor, width: float) -> Tensor:
    """Fall from 1 to 0 over ``width`` around distance 0."""
    if width <= 0:
        return (distance <= 0).to(distance.dtype)
    phase = (distance / width + 0.5).clamp(0, 1)
    return 0.5 + 0.5 * torch.cos(math.pi * phase)


def apply_filter(x: Tensor, filter: Tensor, *, shape: Sequence[int] | None = None) -> Tensor:
    """Multiply the transform of real arrays by a filter.

    Parameters
    ----------
    x : (..., *grid)
    filter : (..., *half grid), real or complex, ``rfftn`` layout
    shape : the grid; default: as many last axes as the filter has

    Returns
    -------
    (..., *grid)
    """
    shape = tuple(x.shape[-filter.ndim :]) if shape is None else tuple(shape)
    dims = tuple(range(-len(shape), 0))
    filtered: Tensor = torch.fft.irfftn(torch.fft.rfftn(x, dim=dims) * filter, s=shape, dim=dims)
    return filtered
