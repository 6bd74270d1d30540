"""A stack of volumes in one MRC file: space group 401, and as many sections an interval as one has.

Source: MRC2014, Cheng et al., J. Struct. Biol. 192 (2015) 146, Table 1 and its notes on ISPG.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MissingFileError, MrcError, ShapeError
from subtomo.formats.box_stacks import BoxHeader
from subtomo.formats.mrc_header import (
    HEADER_BYTES,
    HEADER_DTYPE,
    VOLUME_STACK,
    refuse_other_formats,
)
from subtomo.formats.mrc_writer import MrcWriter

_FLOAT32 = 2


class _MrcVolumes:
    """Volumes handed on plane by plane."""

    def __init__(self, writer: MrcWriter, box_size: int) -> None:
        self._writer = writer
        self._shape = (box_size,) * 3

    def write(self, box: NDArray[np.float32], header: BoxHeader) -> None:
        """Append a box; MRC has no place for what is said of it."""
        if box.shape != self._shape:
            raise ShapeError(
                f"{self._writer.path}: a box has shape {box.shape}; expected {self._shape}"
            )
        self._writer.write(box)


@contextmanager
def write_volumes(
    path: Path, count: int, box_size: int, pixel_size: float
) -> Iterator[_MrcVolumes]:
    """Open a stack for writing; see ``write_box_stack``."""
    shape = (count * box_size, box_size, box_size)
    with MrcWriter(path, shape, pixel_size, depth=box_size) as writer:
        yield _MrcVolumes(writer, box_size)


def read_volume_of_stack(path: Path, number: int) -> tuple[NDArray[np.float32], float]:
    """Read one volume of a stack that `write_volumes` wrote.

    Parameters
    ----------
    path : the file
    number : counted from 1

    Returns
    -------
    values : (z, y, x), mapped into memory
    pixel_size : Å

    Raises
    ------
    MissingFileError
        If there is no such file.
    MrcError
        If it is no stack of volumes of 32-bit numbers, or has no volume of this number.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; expected a stack of volumes")
    with path.open("rb") as file:
        raw = file.read(HEADER_BYTES)
    refuse_other_formats(raw, path)
    record = np.frombuffer(raw.ljust(HEADER_BYTES, b"\0"), HEADER_DTYPE.newbyteorder("<"))[0]
    columns, rows, sections = (int(n) for n in record["size"])
    depth = int(record["grid"][2])
    if int(record["space_group"]) != VOLUME_STACK or int(record["mode"]) != _FLOAT32 or depth < 1:
        raise MrcError(
            f"{path}: space group {int(record['space_group'])}, mode {int(record['mode'])}; "
            f"expected a stack of volumes ({VOLUME_STACK}) of 32-bit numbers (mode 2)"
        )
    if not 1 <= number <= sections // depth:
        raise MrcError(f"{path}: has {sections // depth} volumes; expected one of number {number}")
    start = HEADER_BYTES + int(record["extended_bytes"])
    if path.stat().st_size < start + 4 * sections * rows * columns:
        raise MrcError(f"{path}: the file is shorter than its header says: copy it again")
    shape = (depth, rows, columns)
    values = np.memmap(path, "<f4", "r", start + 4 * (number - 1) * int(np.prod(shape)), shape)
    return values, float(f"{float(record['cell'][0]) / columns:.6g}")
