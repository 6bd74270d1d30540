"""Volumes in EM files, memory-mapped."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.atomic import replacing
from subtomo.formats.em_header import HEADER_BYTES, EmHeader, build_em_header, read_em_header
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.mrc_writer import slabs


def read_em(path: Path | str) -> tuple[NDArray[Any] | LazyArray, EmHeader]:
    """Read an EM file: its values memory-mapped, and its header.

    Parameters
    ----------
    path : the file

    Returns
    -------
    data : (z, y, x), a read-only memory map; a lazy array if the byte order is foreign
    header : EmHeader

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is not an EM file, or is truncated.
    """
    path = Path(path)
    header = read_em_header(path)
    if 0 in header.shape:  # nothing to map
        return np.empty(header.shape, header.dtype), header
    values = np.memmap(path, header.dtype, "r", HEADER_BYTES, header.shape)
    if header.dtype.isnative:
        return values, header
    return LazyArray(header.shape, header.dtype, lambda index: _take(values, index)), header


def write_em(
    path: Path | str,
    data: Any,
    pixel_size: float = 0.0,
    *,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> None:
    """Write an EM file, replaced in one step.

    Parameters
    ----------
    path : the file
    data : (z, y, x), in memory or lazy; read in slabs
    pixel_size : Å; 0: not said
    origin : (x, y, z) Å, centre of the first voxel

    Raises
    ------
    FormatError
        If EM files hold no values of this type.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    path = Path(path)
    z, y, x = (int(n) for n in data.shape)
    dtype = np.dtype(data.dtype)
    raw = build_em_header(path, EmHeader((z, y, x), dtype, pixel_size, origin))
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(raw)
        for slab in slabs(data):
            file.write(np.ascontiguousarray(slab, dtype.newbyteorder("<")).tobytes())


def _take(values: NDArray[Any], index: tuple[Any, ...]) -> NDArray[Any]:
    """Apply one index an axis, axis by axis."""
    for axis, part in enumerate(index):
        values = values[(slice(None),) * axis + (part,)]
    return values
