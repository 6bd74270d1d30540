"""Reading MRC files: volumes and stacks of images, memory-mapped, gzipped or not."""

import gzip
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MissingFileError, MrcError, SubtomoWarning
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.mrc_header import HEADER_BYTES, MrcHeader, parse_header

_GZIP = b"\x1f\x8b"
_MOST_COMPRESSION = 1100
"""More than deflate can do (1032): a size beyond it cannot come out of a gzip file."""


def read_mrc_header(path: Path | str) -> MrcHeader:
    """Read what the header of an MRC file says, without its values.

    Parameters
    ----------
    path : the file, gzipped or not

    Raises
    ------
    MissingFileError
        If there is no such file.
    MrcError
        If it is not an MRC file.
    """
    path = Path(path)
    return parse_header(_first_bytes(path), path)


def require_whole(path: Path, header: MrcHeader) -> None:
    """Refuse an MRC file that is shorter than its header says; no value is read.

    A gzip file is refused only where no compression could make it so short.

    Parameters
    ----------
    path : the file
    header : its own

    Raises
    ------
    MrcError
        If the file is truncated.
    """
    n_bytes, needed = path.stat().st_size, header.data_offset + header.data_bytes
    if not _is_gzipped(path):
        if n_bytes < needed:
            raise _truncated(path, header, n_bytes)
    elif needed > _MOST_COMPRESSION * n_bytes:
        raise _truncated(path, header, None)


def read_mrc(path: Path | str) -> tuple[NDArray[Any] | LazyArray, MrcHeader]:
    """Read an MRC file: its values memory-mapped where possible, and its header.

    Parameters
    ----------
    path : the file; ``.gz`` is told by the contents

    Returns
    -------
    data : (z, y, x), also when the file has its axes in another order
        A read-only memory map; a lazy array if the byte order is foreign; in memory if gzipped.
    header : MrcHeader

    Raises
    ------
    MissingFileError
        If there is no such file.
    MrcError
        If it is not an MRC file, is truncated, or has a mode that is not read.
    """
    path = Path(path)
    header = read_mrc_header(path)
    for note in header.notes:
        warnings.warn(f"{path}: {note}", SubtomoWarning, stacklevel=2)
    require_whole(path, header)
    values = _inflate(path, header) if _is_gzipped(path) else _map(path, header)
    values = values.transpose(header.order)
    if values.dtype.isnative:
        return values, header
    return LazyArray(values.shape, values.dtype, lambda index: values[_mesh(index)]), header


def _is_gzipped(path: Path) -> bool:
    """Whether the contents are gzip's."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _first_bytes(path: Path) -> bytes:
    """Give the header's bytes, inflated if need be."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; expected an MRC file")
    if path.is_dir():
        raise MrcError(f"{path}: a folder; expected an MRC file")
    try:
        if _is_gzipped(path):
            with gzip.open(path) as file:
                return file.read(HEADER_BYTES)
        with path.open("rb") as file:
            return file.read(HEADER_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MrcError(f"{path}: the gzip file is damaged ({error}): copy it again") from error
    except PermissionError as error:
        raise MrcError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from error


def _map(path: Path, header: MrcHeader) -> NDArray[Any]:
    """Map the values into memory, in the file's axis order."""
    n_bytes, needed = path.stat().st_size, header.data_offset + header.data_bytes
    if n_bytes > needed:
        warnings.warn(
            f"{path}: {n_bytes - needed} bytes after the last voxel are ignored",
            SubtomoWarning,
            stacklevel=3,
        )
    return np.memmap(path, header.dtype, "r", header.data_offset, header.shape)


def _inflate(path: Path, header: MrcHeader) -> NDArray[Any]:
    """Read the values of a gzipped file, in the file's axis order."""
    needed = header.data_offset + header.data_bytes
    try:
        with gzip.open(path) as file:
            raw = file.read(needed)
            file.read(1)  # the checksum is tested at the end
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MrcError(f"{path}: the gzip file is damaged ({error}): copy it again") from error
    if len(raw) < needed:
        raise _truncated(path, header, len(raw))
    values = np.frombuffer(raw, header.dtype, offset=header.data_offset)
    return values.reshape(header.shape)


def _truncated(path: Path, header: MrcHeader, n_bytes: int | None) -> MrcError:
    """Say what is missing."""
    z, y, x = header.shape
    found = "fewer are there" if n_bytes is None else f"{n_bytes} are there"
    return MrcError(
        f"{path}: header says {x} x {y} x {z} voxels of mode {header.mode}, which takes "
        f"{header.data_offset + header.data_bytes} bytes, but {found}: "
        "the file is truncated or its header damaged; copy it again"
    )


def _mesh(index: tuple[slice | NDArray[np.intp], ...]) -> tuple[Any, ...]:
    """Make index arrays act axis by axis, as slices do."""
    n_arrays = sum(not isinstance(part, slice) for part in index)
    if n_arrays < 2:
        return index
    raise IndexError("at most one axis can be indexed by an array")
