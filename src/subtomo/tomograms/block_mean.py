"""Binning by block means."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SettingsError
from subtomo.model import Volume
from subtomo.tomograms.planes import planes_in_memory, read_planes


def block_mean(volume: Volume, by: int) -> Volume:
    """Bin a volume by the means of its blocks, in memory.

    Parameters
    ----------
    volume
    by : edge of the blocks in voxels

    Returns
    -------
    Volume of float32, (z // by, y // by, x // by)
        What is left at the far end of an axis is cut off. The first voxel is the middle of the
        first block: the origin moves by (by − 1)/2 old voxels.

    Raises
    ------
    SettingsError
        If the volume is smaller than a block.

    Examples
    --------
    >>> block_mean(Volume(np.arange(8.0).reshape(2, 2, 2), 10.0), 2).origin
    (5.0, 5.0, 5.0)
    """
    planes = np.concatenate(list(block_mean_planes(volume.data, by)))
    return Volume(planes, volume.pixel_size * by, block_mean_origin(volume, by))


def block_mean_origin(volume: Volume, by: int) -> tuple[float, float, float]:
    """Place (x, y, z), in Å, of the first voxel after `block_mean`: half a voxel counts."""
    x, y, z = (start + (by - 1) / 2 * volume.pixel_size for start in volume.origin)
    return x, y, z


def block_mean_planes(
    data: Any, by: int, *, slices_in_memory: int | None = None, name: str = "volume"
) -> Iterator[NDArray[np.float32]]:
    """Bin a volume by block means, plane by plane of the result.

    Parameters
    ----------
    data : (z, y, x), in memory, memory-mapped or lazy
    by : edge of the blocks in voxels
    slices_in_memory : planes of the input that are read at a time; None: what 64 MB hold
        The result does not depend on it.
    name : of the volume, for messages

    Yields
    ------
    (1, y // by, x // by) float32

    Raises
    ------
    SettingsError
        If the volume is smaller than a block.
    DataError
        If a value is NaN or infinite.
    """
    z, y, x = binned_shape(data.shape, by)
    step = planes_in_memory(data.shape, slices_in_memory)
    total, n_added = np.zeros((y, x)), 0
    for start in range(0, z * by, step):
        for plane in read_planes(data, start, min(start + step, z * by), name):
            rows = plane[: y * by, : x * by].reshape(y, by, x * by).sum(axis=1, dtype=np.float64)
            total += rows.reshape(y, x, by).sum(axis=2)
            n_added += 1
            if n_added == by:
                yield (total / by**3).astype(np.float32)[None]
                total, n_added = np.zeros((y, x)), 0


def binned_shape(shape: tuple[int, int, int], by: int) -> tuple[int, int, int]:
    """Count the whole blocks (z, y, x) in a volume.

    Raises
    ------
    SettingsError
        If there is none along an axis.
    """
    z, y, x = (n // by for n in shape)
    if min(z, y, x) < 1:
        raise SettingsError(
            f"a volume of {shape[2]} x {shape[1]} x {shape[0]} voxels (x, y, z) is smaller than a "
            f"block of {by} voxels; bin it by less"
        )
    return z, y, x
