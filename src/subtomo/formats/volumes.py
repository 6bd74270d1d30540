"""Volumes and stacks of images, whatever their format: told by the suffix."""

from pathlib import Path
from typing import Any

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.box_stacks import read_stacked_box, split_stack_name
from subtomo.formats.em import read_em, write_em
from subtomo.formats.em_header import read_em_header
from subtomo.formats.mrc import read_mrc, read_mrc_header
from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.ome_zarr import find_level, open_ome_zarr_level
from subtomo.formats.ome_zarr_writer import write_ome_zarr
from subtomo.formats.pixel_size import choose_pixel_size
from subtomo.formats.tiff import read_tiff, write_tiff
from subtomo.model import Volume

_FORMATS = {
    ".mrc": "mrc",
    ".rec": "mrc",
    ".map": "mrc",
    ".mrcs": "mrc",
    ".st": "mrc",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".zarr": "zarr",
    ".em": "em",
}

VOLUME_SUFFIXES = (".mrc", ".rec", ".map", ".tif", ".tiff", ".zarr", ".em")
"""What a volume may be called; those of MRC may have ``.gz`` after them."""

STACK_SUFFIXES = (".mrcs", ".st", ".mrc", ".tif", ".tiff", ".zarr")
"""What a stack of images may be called; those of MRC may have ``.gz`` after them."""


def read_volume(
    path: Path | str,
    *,
    pixel_size: float | None = None,
    origin: tuple[float, float, float] | None = None,
) -> Volume:
    """Read a volume, its values only when they are used where the format allows.

    Parameters
    ----------
    path : the file, the folder of an OME-Zarr image or of one of its levels, or ``000003@FILE``
        for one of a stack of boxes
    pixel_size : Å; wins over the header's, with a warning if they disagree
        Of an OME-Zarr image it chooses the level that has it.
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
    if split_stack_name(str(path))[0] is not None:
        box = read_stacked_box(path)
        size = choose_pixel_size(path, (box.pixel_size,) * 3, pixel_size)
        return Volume(box.data, size, origin or box.origin)
    data, sizes, found = _read(path, pixel_size)
    if origin is None:
        origin = found or (0.0, 0.0, 0.0)
    return Volume(data, choose_pixel_size(path, sizes, pixel_size), origin)


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
    data, size, origin = volume.data, volume.pixel_size, volume.origin
    match format_of(path):
        case "mrc":
            write_mrc(path, data, size, origin=origin, is_stack=False)
        case "tiff":
            write_tiff(path, data, size, origin=origin)
        case "em":
            write_em(path, data, size, origin=origin)
        case _:
            write_ome_zarr(path, data, size, origin=origin)


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
    data, sizes, _ = _read(path, pixel_size)
    return data, choose_pixel_size(path, sizes[:2], pixel_size)


def open_stack(path: Path | str) -> Any:
    """Open a stack of images whose pixel size is known from elsewhere, such as a table.

    Parameters
    ----------
    path : the file

    Returns
    -------
    (tilt, y, x), read only when used where the format allows

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If the file is not what its suffix says.
    """
    return _read(Path(path), None)[0]


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
    match format_of(path):
        case "mrc":
            write_mrc(path, images, pixel_size, is_stack=True)
        case "tiff":
            write_tiff(path, images, pixel_size)
        case "em":
            write_em(path, images, pixel_size)
        case _:
            write_ome_zarr(path, images, pixel_size, is_stack=True)


def has_our_origin(path: Path | str) -> bool:
    """Whether a volume's origin was written by this package.

    Only then is it known to be in the frame of the full-resolution tomogram: other programs write
    zero, or mean something else.

    Parameters
    ----------
    path : as for ``read_volume``
    """
    path = Path(path)
    match format_of(path):
        case "mrc":
            return read_mrc_header(path).has_our_origin
        case "tiff":
            return read_tiff(path)[1].origin is not None
        case "em":
            return read_em_header(path).origin is not None
        case _:
            return find_level(path)[0].is_ours


def origin_in_file(path: Path | str) -> tuple[float, float, float] | None:
    """Give where a volume's own file puts its first voxel, whoever wrote it.

    Parameters
    ----------
    path : as for ``read_volume``

    Returns
    -------
    (x, y, z) Å, or None where the file cannot say it
        IMOD writes the opposite of MRC2014's origin unless a flag says otherwise; that is undone.
    """
    path = Path(path)
    match format_of(path):
        case "mrc":
            return read_mrc_header(path).first_voxel
        case "tiff":
            return read_tiff(path)[1].origin
        case "em":
            return read_em_header(path).origin
        case _:
            image, index = find_level(path)
            return image.levels[index].origin(image.levels[0])


def format_of(path: Path | str) -> str:
    """Tell the format of a volume or stack from its name.

    Parameters
    ----------
    path : need not exist

    Returns
    -------
    ``mrc``, ``tiff``, ``em`` or ``zarr``

    Raises
    ------
    FormatError
        If no format has this suffix.
    """
    path = Path(path)
    suffix = volume_suffix(path) or volume_suffix(path.parent)
    if suffix == "" or (volume_suffix(path) == "" and suffix != ".zarr"):
        raise FormatError(
            f"{path}: no format of volumes has the suffix {path.suffix!r}; expected one of "
            f"{', '.join(_FORMATS)}, or .gz after those of MRC"
        )
    return _FORMATS[suffix.removesuffix(".gz")]


def volume_suffix(path: Path | str) -> str:
    """Give the part of a name that says the format of a volume or stack, '' if there is none.

    Parameters
    ----------
    path : need not exist

    Returns
    -------
    such as ``.mrc`` or ``.mrc.gz``, in lower case; ``TS_1_10.00Apx.mrc`` gives ``.mrc``
    """
    name = Path(path).name.lower()
    packed = ".gz" if name.endswith(".gz") else ""
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in _FORMATS or (packed and _FORMATS[suffix] != "mrc"):
        return ""
    return suffix + packed


_Triple = tuple[float, float, float]


def _read(path: Path, pixel_size: float | None) -> tuple[Any, _Triple, _Triple | None]:
    """Give the values, the pixel size along x, y, z and the origin where it can be trusted."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; expected a volume or a stack of images")
    match format_of(path):
        case "mrc":
            data, header = read_mrc(path)
            return data, header.pixel_size, header.origin if header.has_our_origin else None
        case "tiff":
            data, tiff = read_tiff(path)
            return data, tiff.pixel_size, tiff.origin
        case "em":
            data, em = read_em(path)
            return data, (em.pixel_size,) * 3, em.origin
        case _:
            image, index = find_level(path, pixel_size)
            level = image.levels[index]
            z, y, x = level.pixel_size
            return open_ome_zarr_level(level), (x, y, z), level.origin(image.levels[0])
