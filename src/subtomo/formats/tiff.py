"""TIFF volumes and stacks, with ImageJ's voxel size."""

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingFileError, SubtomoWarning
from subtomo.formats.atomic import replacing
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.mrc_writer import slabs

_ANGSTROM = {
    "nm": 10.0,
    "nanometer": 10.0,
    "um": 1e4,
    "µm": 1e4,  # micro sign
    "μm": 1e4,  # Greek mu
    "\\u00b5m": 1e4,  # ImageJ's own escape
    "micron": 1e4,
    "microns": 1e4,
    "micrometer": 1e4,
    "mm": 1e7,
    "a": 1.0,
    "å": 1.0,
    "\\u00c5": 1.0,
    "angstrom": 1.0,
    "angstroms": 1.0,
    "ångström": 1.0,
}
_ORIGIN_KEY = "subtomo_origin"
_MAGIC = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}
_MOST_BYTES = 2**32 - 2**20
"""ImageJ's files have 32-bit offsets."""


@dataclass(frozen=True)
class TiffHeader:
    """What a TIFF file says beside its values.

    Parameters
    ----------
    pixel_size : Å along x, y, z; zero where the file says nothing
    origin : (x, y, z) Å, None unless this package wrote it
    unit : as in the file
    """

    pixel_size: tuple[float, float, float]
    origin: tuple[float, float, float] | None
    unit: str | None


def read_tiff(path: Path | str) -> tuple[NDArray[Any] | LazyArray, TiffHeader]:
    """Read a TIFF volume or stack: memory-mapped when its values lie uncompressed in one piece.

    Parameters
    ----------
    path : the file

    Returns
    -------
    data : (z, y, x)
    header : TiffHeader

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is not TIFF, is truncated, or holds colours or several images of different size.
    """
    import tifffile

    path = Path(path)
    _refuse_others(path)
    try:
        with _complaints() as complaints, tifffile.TiffFile(path) as file:
            if len(file.series) != 1:
                raise FormatError(
                    f"{path}: {len(file.series)} image series; expected one volume or stack"
                )
            series = file.series[0]
            _refuse_colours(path, series)
            header = _header(file)
            values = _values(path, series)
        _tell(path, complaints)
    except (
        tifffile.TiffFileError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        RuntimeError,
        struct.error,
        ZeroDivisionError,
        MemoryError,
        AssertionError,
    ) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            f"{path}: a TIFF file that cannot be read ({error}): it is damaged or truncated; "
            "copy it again"
        ) from error
    values = values.reshape((1,) * (3 - values.ndim) + values.shape[-3:])
    if values.dtype.isnative:
        return values, header
    return LazyArray(values.shape, values.dtype, lambda index: values[index]), header


def write_tiff(
    path: Path | str,
    data: Any,
    pixel_size: float,
    *,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> None:
    """Write a volume or stack as ImageJ reads it: uint8, uint16 or float32.

    Parameters
    ----------
    path : the file
    data : (z, y, x) or (tilt, y, x), in memory or lazy; read in slabs
    pixel_size : Å
    origin : (x, y, z) Å, centre of the first voxel

    Raises
    ------
    FormatError
        If ImageJ's TIFF cannot hold the values: larger than 4 GB, or not exact in float32.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    import tifffile

    path = Path(path)
    dtype = _stored_dtype(path, data)
    shape = tuple(int(n) for n in data.shape)
    if shape[0] * shape[1] * shape[2] * dtype.itemsize > _MOST_BYTES:
        raise FormatError(
            f"{path}: {shape} voxels of {dtype} are more than a TIFF of ImageJ can hold (4 GB): "
            "write .mrc or .zarr"
        )
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            (np.ascontiguousarray(plane, dtype=dtype) for slab in slabs(data) for plane in slab),
            shape=shape,
            dtype=dtype,
            imagej=True,
            software="subtomo",
            resolution=(1 / pixel_size, 1 / pixel_size),
            metadata={
                "axes": "ZYX",
                "spacing": pixel_size,
                "unit": "angstrom",
                _ORIGIN_KEY: " ".join(repr(float(value)) for value in origin),
            },
        )


def _refuse_others(path: Path) -> None:
    """Raise when there is no file, or another kind of file."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; expected a TIFF file")
    if path.is_dir():
        raise FormatError(f"{path}: a folder; expected a TIFF file")
    with path.open("rb") as file:
        start = file.read(4)
    if start not in _MAGIC:
        found = "the file is empty" if not start else f"it starts with {start!r}"
        raise FormatError(f"{path}: not a TIFF file; {found}")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs as errors and goes on after."""
    complaints: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage())

    collector = Collector(logging.ERROR)
    logger = logging.getLogger("tifffile")
    logger.addHandler(collector)
    try:
        yield complaints
    finally:
        logger.removeHandler(collector)


def _tell(path: Path, complaints: list[str]) -> None:
    """Raise when pages are missing; warn of anything else that is odd."""
    for complaint in complaints:
        if "invalid page offset" in complaint:
            raise FormatError(
                f"{path}: pages are missing ({complaint}): it is truncated; copy it again"
            )
    if complaints:
        warnings.warn(
            f"{path}: {len(complaints)} oddities, the first: {complaints[0]}",
            SubtomoWarning,
            stacklevel=3,
        )


def _refuse_colours(path: Path, series: Any) -> None:
    """Raise on samples per pixel and on more than three axes longer than one."""
    if (
        "S" in series.axes
        or sum(n > 1 for n in series.shape) > 3
        or series.dtype.kind not in "biuf"
    ):
        raise FormatError(
            f"{path}: axes {series.axes} of shape {series.shape} and type {series.dtype}; "
            "expected grey values along z, y, x"
        )


def _values(path: Path, series: Any) -> NDArray[Any]:
    """Map or read the values, axes of length one dropped except y and x."""
    if series.dataoffset is None:
        values = np.asarray(series.asarray())
    else:
        n_bytes = path.stat().st_size
        if n_bytes < series.dataoffset + series.nbytes:
            raise FormatError(
                f"{path}: {series.dataoffset + series.nbytes} bytes are expected, {n_bytes} are "
                "there: the file is truncated; copy it again"
            )
        values = np.memmap(
            path,
            series.dtype.newbyteorder(series.parent.byteorder),
            "r",
            series.dataoffset,
            series.shape,
        )
    dropped = tuple(i for i, n in enumerate(values.shape[:-2]) if n == 1)
    return np.squeeze(values, axis=dropped)


def _header(file: Any) -> TiffHeader:
    """Read ImageJ's unit, resolution and spacing, and our origin."""
    metadata = file.imagej_metadata or {}
    unit = metadata.get("unit")
    factor = _ANGSTROM.get(str(unit).strip().lower(), 0.0)
    tags = file.pages[0].tags
    x, y = (
        _spacing(tags[name].value) if name in tags else 0.0
        for name in ("XResolution", "YResolution")
    )
    z = float(metadata.get("spacing", x))
    numbers = str(metadata.get(_ORIGIN_KEY, "")).split()
    origin = (
        (float(numbers[0]), float(numbers[1]), float(numbers[2])) if len(numbers) == 3 else None
    )
    sizes = [float(f"{value * factor:.7g}") for value in (x, y, z)]
    return TiffHeader((sizes[0], sizes[1], sizes[2]), origin, None if unit is None else str(unit))


def _spacing(resolution: tuple[int, int]) -> float:
    """Turn pixels per unit into units per pixel, zero where there is none."""
    numerator, denominator = resolution
    return denominator / numerator if numerator else 0.0


def _stored_dtype(path: Path, data: Any) -> np.dtype[Any]:
    """Give the type of ImageJ that holds the values without loss, float64 excepted."""
    dtype = np.dtype(data.dtype)
    for exact in (np.uint8, np.uint16, np.float32):
        if dtype.newbyteorder("=") == np.dtype(exact):
            return np.dtype(exact)
    if dtype.name == "bool":
        return np.dtype(np.uint8)
    if dtype.kind == "f" or dtype.name in ("int8", "int16"):
        return np.dtype(np.float32)
    if dtype.kind in "iu" and max(int(abs(slab).max()) for slab in slabs(data)) <= 2**24:
        return np.dtype(np.float32)
    raise FormatError(f"{path}: ImageJ's TIFF cannot hold these {dtype} values; write .zarr")
