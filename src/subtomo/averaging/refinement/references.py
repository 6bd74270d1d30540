"""References: given ones, and those of a round, in files for its items."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask
from subtomo.averaging.reference import HalfMaps, low_passed, make_references
from subtomo.errors import DataError, ShapeError
from subtomo.formats.atomic import replacing
from subtomo.formats.volumes import read_volume
from subtomo.signal.resampling import resample_volume

_SAME_PIXEL = 1e-3  # ratio of pixel sizes below which they are one


def load_references(paths: Sequence[Path], box: Box) -> list[Tensor]:
    """Read maps onto the grid of the boxes.

    Parameters
    ----------
    paths : of cubes of any pixel size and edge, centred on voxel n // 2
    box : of the particles

    Returns
    -------
    Each (n, n, n) float32, cropped, or padded with 0

    Raises
    ------
    ShapeError
        If a map is not a cube.
    DataError
        If it holds values that are not finite, or only one value.
    """
    return [_load_reference(path, box) for path in paths]


def _load_reference(path: Path, box: Box) -> Tensor:
    volume = read_volume(path)
    if len(set(volume.shape)) != 1:
        z, y, x = volume.shape
        raise ShapeError(f"{path}: reference of {x} x {y} x {z} voxels; expected a cube")
    if abs(volume.pixel_size / box.pixel_size - 1) > _SAME_PIXEL:
        volume = resample_volume(volume, box.pixel_size)
    data = torch.tensor(volume.load())
    if not torch.isfinite(data).all() or data.min() == data.max():
        raise DataError(
            f"{path}: reference holds values that are NaN or infinite, or all the same; expected a "
            "map of the particle"
        )
    return _in_box(data, box.size)


def _in_box(volume: Tensor, size: int) -> Tensor:
    """Crop a cube, or pad it with 0; voxel n // 2 stays the centre."""
    out = torch.zeros(size, size, size)
    n = volume.shape[0]
    start = size // 2 - n // 2
    target = slice(max(start, 0), min(start + n, size))
    source = slice(target.start - start, target.stop - start)
    out[target, target, target] = volume[source, source, source]
    return out


def first_references(
    given: Sequence[Tensor],
    box: Box,
    mask: Tensor | None,
    *,
    low_pass: float,
    mask_resolution: float,
) -> list[tuple[Tensor, Tensor]]:
    """Make the first references of given maps: low-passed, masked, the same for both halves.

    Parameters
    ----------
    given : each (n, n, n)
    box : of the maps
    mask : (n, n, n), or None: made around the density of each
    low_pass : Å
    mask_resolution : Å of the low-pass before a mask is made

    Returns
    -------
    Of each class, the references of both halves
    """
    made = []
    for volume in given:
        close = density_mask(volume, box, mask_resolution, wide=False) if mask is None else mask
        reference = low_passed(volume, box, low_pass) * close
        made.append((reference, reference))
    return made


def references_of_maps(
    maps: Sequence[HalfMaps | None], box: Box, *, shared_resolution: float, resolution: float
) -> list[tuple[Tensor, Tensor] | None]:
    """Make the references of a round of the maps before it.

    Parameters
    ----------
    maps : of each class, None for one that is lost
    box : of the maps
    shared_resolution, resolution : see :func:`subtomo.averaging.reference.make_references`

    Returns
    -------
    Of each class, the references of both halves, or None
    """
    return [
        None
        if one is None
        else make_references(one, box, shared_resolution=shared_resolution, resolution=resolution)
        for one in maps
    ]


def write_references(
    folder: Path, number: int, references: Sequence[tuple[Tensor, Tensor] | None]
) -> dict[int, tuple[Path | None, ...]]:
    """Write the references of a round for its items.

    Parameters
    ----------
    folder : for them
    number : of the round
    references : of each class, both halves

    Returns
    -------
    Files of each class, by half; None for a class that is lost
    """
    files: dict[int, list[Path | None]] = {1: [], 2: []}
    for which, of_class in enumerate(references, start=1):
        for half in (1, 2):
            if of_class is None:
                files[half].append(None)
                continue
            path = folder / f"reference_{number}_class{which}_half{half}.npy"
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.save(file, of_class[half - 1].numpy())
            files[half].append(path)
    return {half: tuple(paths) for half, paths in files.items()}
