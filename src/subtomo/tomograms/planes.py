"""Planes of a volume on disk, read without letting the memory grow."""

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError

_SLAB_BYTES = 64 * 1024 * 1024


def read_planes(data: Any, start: int, stop: int, name: str) -> NDArray[np.float32]:
    """Copy planes into memory as float32 and let go of the file's pages.

    Parameters
    ----------
    data : (z, y, x), in memory, memory-mapped or lazy
    start, stop : first plane, and the one after the last
    name : of the volume, for messages

    Returns
    -------
    (stop - start, y, x) float32

    Raises
    ------
    DataError
        If a value is NaN or infinite.
    """
    planes = np.array(data[start:stop], dtype=np.float32)
    _release(data)
    if not np.isfinite(planes.sum(dtype=np.float64)) and not np.isfinite(planes).all():
        z = start + int(np.argmin(np.isfinite(planes).all(axis=(1, 2))))
        raise DataError(
            f"{name}: plane z = {z} holds NaN or infinite values; expected finite ones: "
            "replace them, for example by the mean"
        )
    return planes


def planes_in_memory(shape: tuple[int, int, int], asked: int | None) -> int:
    """Choose how many planes are read at a time: what was asked for, else what 64 MB hold."""
    return asked or max(1, _SLAB_BYTES // (4 * shape[1] * shape[2]))


def _release(data: Any) -> None:
    """Unmap what was read of a memory-mapped file: it is still cached, but no longer counted."""
    while data is not None and not isinstance(data, mmap.mmap):
        data = getattr(data, "base", None)
    if data is not None and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)
