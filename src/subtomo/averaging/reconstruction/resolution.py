"""The mask of a reconstruction, and the resolution of its half maps."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask, sphere_mask
from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.averaging.resolution import resolution_of
from subtomo.errors import DataError, ShapeError
from subtomo.formats.volumes import read_volume
from subtomo.signal.fsc import (
    FscCurves,
    fourier_shell_correlation,
    masked_fsc,
    resolution_at,
    shell_frequencies,
)

_MASK_RESOLUTION = 0.5  # agreement of the unmasked halves, down to which the mask is made
_COARSEST_MASK_PX = 8.0  # voxels of the finest detail of a mask of maps that agree on little


@dataclass(frozen=True, eq=False)
class HalfMapResolution:
    """How well half maps agree under a mask.

    Parameters
    ----------
    mask : (n, n, n)
    curves : Fourier shell correlations
    resolution : Å, where the corrected curve falls below 0.143
    """

    mask: Tensor
    curves: FscCurves
    resolution: float


def half_map_resolution(
    half1: Tensor, half2: Tensor, whole: Tensor, pixel_size: float, mask: Tensor | None
) -> HalfMapResolution:
    """Correlate half maps under a mask, corrected for what the mask does.

    Parameters
    ----------
    half1, half2, whole : (n, n, n)
    pixel_size : Å
    mask : (n, n, n); None: made around the density of the whole

    Returns
    -------
    HalfMapResolution
    """
    if mask is None:
        mask = _mask_around(half1, half2, whole, pixel_size)
    curves = masked_fsc(half1, half2, mask, pixel_size)
    return HalfMapResolution(mask, curves, resolution_of(curves))


def given_mask(options: PostprocessOptions, size: int, pixel_size: float) -> Tensor | None:
    """Read or make the mask that the options name; None if they name none.

    Parameters
    ----------
    options : of the reconstruction
    size : edge of the maps
    pixel_size : Å

    Raises
    ------
    ShapeError
        If the file is on another grid.
    DataError
        If its values are not from 0 to 1.
    """
    if options.mask is not None:
        return _read_mask(options.mask, size, pixel_size)
    if options.mask_diameter is not None:
        return sphere_mask(Box(size, pixel_size), options.mask_diameter)
    return None


def _mask_around(half1: Tensor, half2: Tensor, whole: Tensor, pixel_size: float) -> Tensor:
    """Make a mask around what both halves show."""
    n = whole.shape[-1]
    agreement = fourier_shell_correlation(half1, half2).numpy()
    detail = resolution_at(shell_frequencies(n, pixel_size), agreement, _MASK_RESOLUTION)
    resolution = min(detail, _COARSEST_MASK_PX * pixel_size)
    return density_mask(whole, Box(n, pixel_size), resolution, wide=True)


def _read_mask(path: Path, size: int, pixel_size: float) -> Tensor:
    volume = read_volume(path)
    if volume.shape != (size, size, size) or abs(volume.pixel_size / pixel_size - 1) > 1e-2:
        z, y, x = volume.shape
        raise ShapeError(
            f"{path}: mask of {x} x {y} x {z} voxels of {volume.pixel_size:g} Å for maps of {size} "
            f"voxels of {pixel_size:g} Å; expected one grid: resample the mask"
        )
    mask = torch.tensor(volume.load())
    low, high = float(mask.min()), float(mask.max())
    if not (low >= 0 and 0 < high <= 1):
        raise DataError(f"{path}: mask has values from {low:g} to {high:g}; expected 0 to 1")
    return mask
