"""Coarser grids through the Fourier transform, with bounded memory.

Planes are resampled in y and x and kept in a scratch file, ordered so that the columns along z of
some rows lie together; these are resampled in z; planes of the result are gathered from there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.model import Volume
from subtomo.signal.fourier import fourier_crop
from subtomo.signal.resampling import interpolation_matrix, resample_planes
from subtomo.tomograms.block_mean import binned_shape
from subtomo.tomograms.planes import planes_in_memory, read_planes

_BLOCK_BYTES = 64 * 1024 * 1024
_ITEM = 4  # bytes of a float32


@dataclass(frozen=True)
class Resampling:
    """How a volume comes to its new grid, one axis after another.

    Parameters
    ----------
    used : (z, y, x), the part of the old volume from its first voxel that is used
    shape : (z, y, x) of the new one
    in_plane : from (..., y, x) to the new y and x
    along_z : from (..., z), the last axis, to the new z
    """

    used: tuple[int, int, int]
    shape: tuple[int, int, int]
    in_plane: Callable[[Tensor], Tensor]
    along_z: Callable[[Tensor], Tensor]


def cropping(shape: tuple[int, int, int], by: int) -> Resampling:
    """Crop the Fourier transform to 1/by of its size; what is left at the far ends is cut off.

    Raises
    ------
    SettingsError
        If the volume is smaller than ``by`` voxels along an axis.
    """
    z, y, x = new = binned_shape(shape, by)
    return Resampling(
        used=(z * by, y * by, x * by),
        shape=new,
        in_plane=lambda planes: fourier_crop(planes, (y, x)),
        along_z=lambda columns: fourier_crop(columns, (z,)),
    )


def interpolation(
    shape: tuple[int, int, int], new_shape: tuple[int, int, int], ratio: float
) -> Resampling:
    """Interpolate on voxels ``ratio`` times as large, as `resample_volume` does."""
    z, y, x = (
        torch.from_numpy(interpolation_matrix(n, m, ratio))
        for n, m in zip(shape, new_shape, strict=True)
    )
    return Resampling(
        used=shape,
        shape=new_shape,
        in_plane=lambda planes: resample_planes(planes, y, x),
        along_z=lambda columns: columns @ z.T,
    )


def fourier_bin(volume: Volume, by: int) -> Volume:
    """Bin a volume by cropping its Fourier transform, in memory.

    Parameters
    ----------
    volume
    by : new pixel size over the old

    Returns
    -------
    Volume of float32, (z // by, y // by, x // by)
        What is left at the far end of an axis is cut off. Voxel 0 and the origin stay.

    Raises
    ------
    SettingsError
        If the volume is smaller than ``by`` voxels along an axis.
    """
    plan = cropping(volume.shape, by)
    z, y, x = plan.used
    data = torch.from_numpy(np.array(volume.data[:z, :y, :x], dtype=np.float32))
    return Volume(fourier_crop(data, plan.shape).numpy(), volume.pixel_size * by, volume.origin)


def resampled_planes(
    data: Any,
    plan: Resampling,
    scratch: IO[bytes],
    *,
    slices_in_memory: int | None = None,
    name: str = "volume",
) -> Iterator[NDArray[np.float32]]:
    """Resample a volume, some planes of the result at a time.

    Parameters
    ----------
    data : (z, y, x), in memory, memory-mapped or lazy
    plan : what to do
    scratch : open file for writing and reading; it becomes as large as the planes resampled in y
        and x, four bytes a value
    slices_in_memory : planes of the input that are read at a time; None: what 64 MB hold
    name : of the volume, for messages

    Yields
    ------
    (planes, y, x) float32, from the first plane to the last

    Raises
    ------
    DataError
        If a value is NaN or infinite.
    """
    depth, height, width = plan.shape
    step = planes_in_memory(data.shape, slices_in_memory)
    _write_planes(scratch, data, plan, step, name)
    _resample_columns(scratch, plan)
    planes = max(1, _BLOCK_BYTES // (_ITEM * height * width))
    for start in range(0, depth, planes):
        stop = min(start + planes, depth)
        slab = np.empty((stop - start, height, width), dtype=np.float32)
        for y in range(height):
            row = _read(scratch, (y * depth + start) * width, (stop - start) * width)
            slab[:, y] = row.reshape(stop - start, width)
        yield slab


def _write_planes(file: IO[bytes], data: Any, plan: Resampling, step: int, name: str) -> None:
    """Resample in y and x; the file then holds (new y, old z, new x)."""
    depth, rows, columns = plan.used
    _, height, width = plan.shape
    for start in range(0, depth, step):
        stop = min(start + step, depth)
        slab = read_planes(data, start, stop, name)[:, :rows, :columns]
        small = np.empty((stop - start, height, width), dtype=np.float32)
        for plane, target in zip(slab, small, strict=True):
            target[...] = plan.in_plane(torch.from_numpy(plane)).numpy()
        for y in range(height):
            _write(file, (y * depth + start) * width, small[:, y])


def _resample_columns(file: IO[bytes], plan: Resampling) -> None:
    """Resample in z, in place; the file then begins with (new y, new z, new x)."""
    old, new = plan.used[0], plan.shape[0]
    _, height, width = plan.shape
    rows = max(1, _BLOCK_BYTES // (_ITEM * max(old, new) * width))
    order = range(0, height, rows)
    # rows that grow must be written from the last to the first
    for start in order if new <= old else reversed(order):
        stop = min(start + rows, height)
        block = _read(file, start * old * width, (stop - start) * old * width)
        columns = torch.from_numpy(block.reshape(stop - start, old, width)).movedim(1, -1)
        resampled = plan.along_z(columns.contiguous()).movedim(-1, 1)
        _write(file, start * new * width, resampled.numpy())


def _read(file: IO[bytes], first: int, count: int) -> NDArray[np.float32]:
    """Read float32 values from a place in the file."""
    file.seek(first * _ITEM)
    values = np.empty(count, dtype=np.float32)
    file.readinto(values.data)  # type: ignore[attr-defined]  # binary files have it
    return values


def _write(file: IO[bytes], first: int, values: NDArray[np.float32]) -> None:
    """Write float32 values at a place in the file."""
    file.seek(first * _ITEM)
    file.write(np.ascontiguousarray(values, dtype=np.float32).data)
