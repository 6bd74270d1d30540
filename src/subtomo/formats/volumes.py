"""Volumes and stacks of images, whatever their format: told by the suffix."""

from pathlib import Path
from typing import Any

from subtomo.errors import FormatError
from subtomo.formats.mrc import read_mrc
from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.pixel_size import choose_pixel_size
from subtomo.model import Volume

VOLUME_SUFFIXES = (".mrc", ".rec", ".map")
"""What a file with one volume may be called."""

STACK_SUFFIXES = (".mrcs", ".st")
"""What a file with a stack of images may be called."""


def read_volume(
    path: Path | str,
    *,
    pixel_size: float | None = None,
    origin: tuple[float, float, float] | None = None,
) -> Volume:
    """Read a volume, its values only when they are used where the format allows.

    Parameters
    ----------
    path : the file
    pixel_size : Å; wins over the header's, with a warning if they disagree
    origin : (x, y, z) Å, centre of the first voxel; wins over the header's

    Returns
    -------
    Volume
        The origin of an MRC header counts only in files that this package wrote; else it is 0.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is not what its suffix says.
    DataError
        If no pixel size is known.
    """
    path = Path(path)
    _format(path)
    data, header = read_mrc(path)
    size = choose_pixel_size(path, header.pixel_size, pixel_size)
    if origin is None:
        origin = header.origin if header.has_our_origin else (0.0, 0.0, 0.0)
    return Volume(data, size, origin)


def write_volume(path: Path | str, volume: Volume) -> None:
    """Write a volume in the format of the suffix; same data, same bytes.

    Parameters
    ----------
    path : the file
    volume : to be written; read in slabs if it is lazy

    Raises
    ------
    FormatError
        If no format has this suffix, or it cannot hold the values.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    path = Path(path)
    _format(path)
    write_mrc(path, volume.data, volume.pixel_size, origin=volume.origin)


def read_stack(path: Path | str, *, pixel_size: float | None = None) -> tuple[Any, float]:
    """Read a stack of images, its values only when they are used where the format allows.

    Parameters
    ----------
    path : the file
    pixel_size : Å; wins over the header's, with a warning if they disagree

    Returns
    -------
    images : (tilt, y, x)
    pixel_size : Å, in y and x

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is not what its suffix says.
    DataError
        If no pixel size is known.
    """
    path = Path(path)
    _format(path)
    data, header = read_mrc(path)
    return data, choose_pixel_size(path, header.pixel_size[:2], pixel_size)


def write_stack(path: Path | str, images: Any, pixel_size: float) -> None:
    """Write a stack of images in the format of the suffix; same data, same bytes.

    Parameters
    ----------
    path : the file
    images : (tilt, y, x), read in slabs if lazy
    pixel_size : Å

    Raises
    ------
    FormatError
        If no format has this suffix, or it cannot hold the values.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    path = Path(path)
    _format(path)
    write_mrc(path, images, pixel_size, is_stack=True)


def _format(path: Path) -> str:
    """Give the suffix that says the format, in lower case and without ``.gz``."""
    name = path.name.lower().removesuffix(".gz")
    for suffix in VOLUME_SUFFIXES + STACK_SUFFIXES:
        if name.endswith(suffix):
            return suffix
    raise FormatError(
        f"{path}: no format is called {path.suffix or 'nothing'}; expected one of "
        f"{', '.join(VOLUME_SUFFIXES + STACK_SUFFIXES)}"
    )
