"""The mask that options name, on the grid of the maps."""

from pathlib import Path

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.mask import sphere_mask
from subtomo.averaging.mask_settings import MaskOptions
from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.formats.volumes import read_volume


def given_mask(options: MaskOptions, box: Box) -> Tensor | None:
    """Read or make the mask that the options name; None if they name none.

    Parameters
    ----------
    options : a file, a diameter, or neither
    box : of the maps

    Returns
    -------
    (n, n, n) float32 or None

    Raises
    ------
    ShapeError
        If the file is on another grid.
    DataError
        If its values are not from 0 to 1.
    SettingsError
        If the diameter is less than a voxel or more than the box.
    """
    if options.mask is not None:
        return _read_mask(options.mask, box)
    if options.mask_diameter is not None:
        check_length("mask_diameter", options.mask_diameter, box)
        return sphere_mask(box, options.mask_diameter)
    return None


def check_length(name: str, length: float, box: Box, least_px: float = 1) -> None:
    """Refuse a length that a box does not hold.

    Parameters
    ----------
    name : of the option, as a field
    length : Å
    box : of the maps
    least_px : voxels that it is at least

    Raises
    ------
    SettingsError
        If the length is shorter, or longer than the box.
    """
    least, most = least_px * box.pixel_size, box.size * box.pixel_size
    if not least <= length <= most:
        raise SettingsError(
            f"--{name.replace('_', '-')} is {length:g} Å; expected {least:g} to {most:g} Å, for "
            f"maps of {box.size} voxels of {box.pixel_size:g} Å"
        )


def _read_mask(path: Path, box: Box) -> Tensor:
    """Read a mask and check its grid and values."""
    volume = read_volume(path)
    if volume.shape != (box.size,) * 3 or abs(volume.pixel_size / box.pixel_size - 1) > 1e-2:
        z, y, x = volume.shape
        raise ShapeError(
            f"{path}: mask of {x} x {y} x {z} voxels of {volume.pixel_size:g} Å for maps of "
            f"{box.size} voxels of {box.pixel_size:g} Å; expected one grid: resample the mask"
        )
    mask = torch.tensor(volume.load())
    low, high = float(mask.min()), float(mask.max())
    if not (low >= 0 and 0 < high <= 1):
        raise DataError(f"{path}: mask has values from {low:g} to {high:g}; expected 0 to 1")
    return mask
