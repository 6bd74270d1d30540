"""What volumes and stacks of images are, in words."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from subtomo.formats.em_header import read_em_header
from subtomo.formats.mrc import read_mrc
from subtomo.formats.mrc_header import MrcHeader
from subtomo.formats.ome_zarr import find_level, open_ome_zarr_level
from subtomo.formats.tiff import read_tiff
from subtomo.formats.volumes import VOLUME_SUFFIXES, format_of, volume_suffix

Rows = list[tuple[str, str]]


def describe_volume(path: Path) -> Rows:
    """Describe a volume or a stack of images by its header; the values are not read.

    Parameters
    ----------
    path : MRC, TIFF, EM or OME-Zarr

    Returns
    -------
    list of (label, value)

    Raises
    ------
    MissingFileError, FormatError
        If it cannot be read.
    """
    match format_of(path):
        case "mrc":
            return _mrc(path)
        case "tiff":
            return _tiff(path)
        case "em":
            return _em(path)
        case _:
            return _zarr(path)


def _mrc(path: Path) -> Rows:
    """Describe an MRC file."""
    data, header = read_mrc(path)
    if volume_suffix(path).removesuffix(".gz") not in VOLUME_SUFFIXES:
        kind, grid = "stack of images", _images(data.shape, header.pixel_size)
    else:
        kind = ("stack of images" if header.is_stack else "volume") + " by its header"
        grid = [*_grid(data.shape, header.pixel_size), ("origin", _origin(header))]
    rows = [
        ("format", f"MRC mode {header.mode} ({data.dtype}), {kind}"),
        *grid,
        ("values", _values(header)),
    ]
    return [*rows, *(("label", label) for label in header.labels)]


def _origin(header: MrcHeader) -> str:
    """Say where an MRC header puts the first voxel, and whether that counts."""
    if header.has_our_origin:
        return _point(header.origin)
    x, y, z = (f"{value:g}" for value in header.origin)
    return f"0, 0, 0 Å assumed: the header's {x}, {y}, {z} was not written by subtomo"


def _values(header: MrcHeader) -> str:
    """Say what an MRC header says of its values."""
    if header.maximum < header.minimum:
        return "not in the header"
    return (
        f"{header.minimum:g} to {header.maximum:g}, mean {header.mean:g}, "
        f"deviation {header.deviation:g} (header)"
    )


def _tiff(path: Path) -> Rows:
    """Describe a TIFF file."""
    data, header = read_tiff(path)
    unit = "no unit" if header.unit is None else f"unit {header.unit}"
    return [
        ("format", f"TIFF ({data.dtype}), {unit}"),
        *_grid(data.shape, header.pixel_size),
        ("origin", "0, 0, 0 Å assumed" if header.origin is None else _point(header.origin)),
    ]


def _em(path: Path) -> Rows:
    """Describe an EM file."""
    header = read_em_header(path)
    return [
        ("format", f"EM ({header.dtype.newbyteorder('=')})"),
        *_grid(header.shape, (header.pixel_size,) * 3),
        ("origin", "0, 0, 0 Å assumed" if header.origin is None else _point(header.origin)),
    ]


def _zarr(path: Path) -> Rows:
    """Describe an OME-Zarr image, or the level of it that the path names."""
    image, chosen = find_level(path)
    level = image.levels[chosen]
    array = open_ome_zarr_level(level)
    origin = _point(level.origin(image.levels[0]))
    if level.translation is None:
        origin += " assumed: the metadata have no translation"
    elif not image.is_ours:
        origin += " (translation in the metadata)"
    rows = [
        ("format", f"OME-Zarr {image.version} ({array.dtype})"),
        *_grid(array.shape, level.pixel_size[::-1]),
        ("origin", origin),
    ]
    for index, other in enumerate(image.levels):
        size = _size(open_ome_zarr_level(other).shape)
        rows.append((f"level {index}", f"{size} of {_pixel_size(other.pixel_size[::-1])}"))
    return rows


def _grid(shape: Sequence[int], pixel_size: Sequence[float]) -> Rows:
    """Describe size, pixel size and extent; (z, y, x) and (x, y, z)."""
    return [("size", f"{_size(shape)} (x, y, z)"), *_scale(shape, pixel_size)]


def _images(shape: Sequence[int], pixel_size: Sequence[float]) -> Rows:
    """Describe a stack (image, y, x), whose header has a third pixel size that means nothing."""
    n, height, width = shape
    images = ("images", f"{n} of {width} x {height} pixels (x, y)")
    return [images, *_scale((height, width), pixel_size[:2])]


def _scale(shape: Sequence[int], pixel_size: Sequence[float]) -> Rows:
    """Describe pixel size and extent; the shape ends, the pixel size starts with x."""
    rows = [("pixel size", _pixel_size(pixel_size))]
    if min(pixel_size) > 0:
        extent = (f"{n * size:.0f}" for n, size in zip(shape[::-1], pixel_size, strict=True))
        rows.append(("extent", f"{' x '.join(extent)} Å"))
    return rows


def _size(shape: Sequence[int]) -> str:
    """Write a (z, y, x) shape as x, y, z."""
    return " x ".join(str(n) for n in shape[::-1])


def _pixel_size(sizes: Sequence[float]) -> str:
    """Write a pixel size, once if it is the same along all axes."""
    if not all(np.isfinite(size) and size > 0 for size in sizes):
        return "unknown: give it with --pixel-size (Å)"
    return f"{' x '.join(f'{size:g}' for size in dict.fromkeys(sizes))} Å"


def _point(point: Sequence[float]) -> str:
    """Write (x, y, z)."""
    return f"{', '.join(f'{value:g}' for value in point)} Å"
