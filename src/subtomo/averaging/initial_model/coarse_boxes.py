"""Boxes on fewer, larger voxels, their centre kept: what a band of low frequencies needs."""

import math

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.signal.fourier import fourier_crop

_MARGIN = 3  # Fourier voxels beyond the band, for soft edges and reading between components


def coarser_box(box: Box, size: int) -> Box:
    """Give the box of the same extent with fewer voxels.

    Parameters
    ----------
    box : at least as large
    size : voxels
    """
    return Box(size, box.pixel_size * box.size / size, box.device)


def box_for_band(box: Box, radius: float) -> Box:
    """Give the smallest box of the same extent that holds a band of frequencies.

    Parameters
    ----------
    box : of the particles
    radius : of the band, Fourier voxels
    """
    return coarser_box(box, min(box.size, 2 * math.ceil(radius + _MARGIN)))


def crop_volumes(volumes: Tensor, size: int) -> Tensor:
    """Resample volumes about their voxel n // 2.

    Parameters
    ----------
    volumes : (..., n, n, n)
    size : at most n

    Returns
    -------
    (..., size, size, size), the point of voxel n // 2 at voxel size // 2
    """
    dims = (-3, -2, -1)
    if volumes.shape[-1] == size:
        return volumes
    from_corner = torch.fft.ifftshift(volumes, dim=dims)
    cropped: Tensor = torch.fft.fftshift(fourier_crop(from_corner, (size,) * 3), dim=dims)
    return cropped


def crop_transfers(transfers: Tensor, size: int) -> Tensor:
    """Keep the low frequencies of functions of frequency.

    Parameters
    ----------
    transfers : (..., n, n, n // 2 + 1), ``rfftn`` layout
    size : at most n

    Returns
    -------
    (..., size, size, size // 2 + 1)
    """
    n = transfers.shape[-2]
    kept = torch.fft.fftfreq(size, 1 / size, device=transfers.device).round().long() % n
    return transfers[..., kept, :, :][..., kept, :][..., : size // 2 + 1]
