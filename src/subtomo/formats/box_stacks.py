"""Many boxes in one file or folder: a stack of MRC volumes, HDF5 of EMAN, Zarr.

A table names one of them as ``000003@FILE``, counted from 1 as RELION counts images.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.model import Volume

StackFormat = Literal["mrc-stack", "hdf", "zarr"]

_AT = "@"
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class BoxHeader:
    """What a file may say of one box beside its values.

    Parameters
    ----------
    tomogram : its name
    centre : (3,) Å, columns x, y, z, of the box's voxel n // 2
    coordinate_px : (3,) of the same point from voxel size // 2 of the tomogram, in voxels of the
        box
    rotation : (3, 3) reference to tomogram, of the particle; None where it is not known
    shift_px : (3,) voxels of the box, of the particle from voxel n // 2
    """

    tomogram: str
    centre: NDArray[np.float64]
    coordinate_px: NDArray[np.float64]
    rotation: NDArray[np.float64] | None
    shift_px: NDArray[np.float64]


class BoxStack(Protocol):
    """A stack that is being written, from its first box to its last."""

    def write(self, box: NDArray[np.float32], header: BoxHeader) -> None:
        """Append a box (n, n, n)."""


@dataclass(frozen=True)
class _Kind:
    """Where a format is written and read, and what its files end in."""

    suffix: str
    module: str

    def function(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(import_module(self.module), name)
        return function


_KINDS: Mapping[StackFormat, _Kind] = {
    "mrc-stack": _Kind(".mrc", "subtomo.formats.mrc_volumes"),
    "hdf": _Kind(".hdf", "subtomo.formats.eman_volumes"),
    "zarr": _Kind(".zarr", "subtomo.formats.zarr_volumes"),
}


def stack_suffix(kind: StackFormat) -> str:
    """Give what the files of a format end in."""
    return _KINDS[kind].suffix


def write_box_stack(
    path: Path, kind: StackFormat, count: int, box_size: int, pixel_size: float
) -> AbstractContextManager[BoxStack]:
    """Open a stack for writing; it appears under its name when the ``with`` block ends well.

    Parameters
    ----------
    path : the file or folder
    kind : its format
    count : of boxes; the block must write so many
    box_size : n, voxels
    pixel_size : Å

    Raises
    ------
    ShapeError
        If a box is not of this size.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    opened: AbstractContextManager[BoxStack] = _KINDS[kind].function("write_volumes")(
        path, count, box_size, pixel_size
    )
    return opened


def read_stacked_box(path: Path | str) -> Volume:
    """Read one box of a stack, its values only when they are used; its origin is not known.

    Parameters
    ----------
    path : of the file, with the number of the box before it, as `name_in_stack` makes it

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is no such stack, or has no box of this number.
    """
    number, file = split_stack_name(str(path))
    assert number is not None, "the name of a box in a stack has its number"
    suffix = Path(file).suffix.lower()
    kind = next((kind for kind in _KINDS.values() if kind.suffix == suffix), None)
    if kind is None:
        raise FormatError(
            f"{file}: no format of stacks of boxes is called {suffix or 'nothing'}; expected one "
            f"of {', '.join(each.suffix for each in _KINDS.values())}"
        )
    values, pixel_size = kind.function("read_volume_of_stack")(Path(file), number)
    return Volume(values, pixel_size)


def name_in_stack(number: int, file: str | Path) -> str:
    """Name one box of a stack, counted from 1."""
    return f"{number:0{_DIGITS}d}{_AT}{file}"


def split_stack_name(name: str) -> tuple[int | None, str]:
    """Take the name of a box apart: its number in a stack, None where it is alone; the file."""
    number, at, file = name.partition(_AT)
    return (int(number), file) if at and number.isdigit() else (None, name)
