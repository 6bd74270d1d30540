"""Boxes around points of a volume, with the points exactly on voxel n // 2."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.model import Volume
from subtomo.signal.fourier import fourier_crop, fourier_shift

_MARGIN = 4  # output voxels around a box whose ringing from the periodic shift is cut away


def boxes_inside(
    volume: Volume, positions: NDArray[np.float64], box_size: int, *, binning: int = 1
) -> NDArray[np.bool_]:
    """Tell which boxes lie wholly in a volume.

    Parameters
    ----------
    volume : the tomogram
    positions : (m, 3) Å, columns x, y, z
    box_size : voxels after binning
    binning : voxels of the volume in one of the box

    Returns
    -------
    (m,) bool
    """
    first = _first_voxels(volume, positions, box_size, binning)
    last = first + box_size * binning
    return np.asarray(((first >= 0) & (last <= volume.shape[::-1])).all(axis=1))


def boxes_touching(
    volume: Volume, positions: NDArray[np.float64], box_size: int, *, binning: int = 1
) -> NDArray[np.bool_]:
    """Tell which boxes hold at least one voxel of a volume; parameters as `boxes_inside`."""
    first = _first_voxels(volume, positions, box_size, binning)
    last = first + box_size * binning
    return np.asarray(((last > 0) & (first < volume.shape[::-1])).all(axis=1))


def cut_boxes(
    volume: Volume, positions: NDArray[np.float64], box_size: int, *, binning: int = 1
) -> Tensor:
    """Cut boxes out of a volume; each position comes to lie exactly on voxel n // 2.

    The rest of a voxel is a phase shift in Fourier space, and binning crops the transform there;
    both run on a box with a margin, which is then cut away. What lies outside the volume is the
    mean of what the box has inside.

    Parameters
    ----------
    volume : the tomogram; only what is needed is read
    positions : (m, 3) Å, columns x, y, z
    box_size : n, voxels after binning
    binning : voxels of the volume in one of the box

    Returns
    -------
    (m, n, n, n) float32
    """
    margin = _MARGIN * binning
    wide = box_size * binning + 2 * margin
    first = _first_voxels(volume, positions, box_size, binning)
    rest = volume.position_to_index(positions) - _nearest_voxels(volume, positions)
    boxes = torch.empty((len(positions), wide, wide, wide))
    for box, start in zip(boxes, first - margin, strict=True):
        box[...] = torch.from_numpy(_read_padded(volume, start, wide))
    boxes = fourier_shift(boxes, -torch.from_numpy(rest).to(boxes.dtype))
    if binning > 1:
        boxes = fourier_crop(boxes, (box_size + 2 * _MARGIN,) * 3)
    inner = slice(_MARGIN, _MARGIN + box_size)
    return boxes[:, inner, inner, inner].contiguous()


def _nearest_voxels(volume: Volume, positions: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(volume.position_to_index(positions) + 0.5).astype(np.int64)


def _first_voxels(
    volume: Volume, positions: NDArray[np.float64], box_size: int, binning: int
) -> NDArray[np.int64]:
    """First voxel (x, y, z) of each box: the nearest to the position is n // 2 · binning on."""
    first: NDArray[np.int64] = _nearest_voxels(volume, positions) - box_size // 2 * binning
    return first


def _read_padded(volume: Volume, first: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Read a cube that may reach beyond the volume; outside is the mean of what is inside."""
    start = first[::-1]
    low = np.maximum(start, 0)
    high = np.minimum(start + size, volume.shape)
    region = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    values = np.array(volume.data[region], dtype=np.float32)
    if values.shape == (size, size, size):
        return values
    cube = np.full((size,) * 3, values.mean(dtype=np.float64), dtype=np.float32)
    cube[tuple(slice(int(a), int(b)) for a, b in zip(low - start, high - start, strict=True))] = (
        values
    )
    return cube
