"""MRC files as RELION writes them: a particle's images, or a volume.

They differ from the package's own in what the header says: the space group is 0 and the version
unset, the cell of a stack is 1 Å a section along z, and the statistics are those of the values
before they are rounded to float16. Source: RELION 5, commit 73f0a3c0.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import ShapeError
from subtomo.formats.atomic import replacing
from subtomo.formats.mrc_header import HEADER_DTYPE

_LABEL = b"subtomo"
_FLOAT32, _FLOAT16 = 2, 12  # MRC's modes
_MOST_OFFSET = 30.0  # mean over deviation where float32 sums of squares still give 3 digits


def write_image_stack(
    path: Path | str, images: NDArray[np.float32], pixel_size: float, *, float16: bool = False
) -> None:
    """Write images of one particle.

    Parameters
    ----------
    path : file, replaced in one step
    images : (n, y, x)
    pixel_size : Å
    float16 : round the values to 16 bits

    Raises
    ------
    ShapeError
        If the images have not three axes, or there are none.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    _require_three_axes(path, images)
    _write(path, images, (pixel_size, pixel_size, 1.0), float16=float16)


def write_relion_volume(path: Path | str, array: NDArray[np.float32], pixel_size: float) -> None:
    """Write a volume.

    Parameters
    ----------
    path : file, replaced in one step
    array : (z, y, x)
    pixel_size : Å

    Raises
    ------
    ShapeError
        If the array has not three axes, or is empty.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    _require_three_axes(path, array)
    _write(path, array, (pixel_size, pixel_size, pixel_size), float16=False)


def _require_three_axes(path: Path | str, array: NDArray[np.float32]) -> None:
    if array.ndim != 3 or not array.size:
        raise ShapeError(
            f"{path}: an array of shape {array.shape} is to be written; expected three axes, none "
            "of them empty"
        )


def _write(
    path: Path | str,
    array: NDArray[np.float32],
    pixel_sizes: tuple[float, float, float],
    *,
    float16: bool,
) -> None:
    values = np.ascontiguousarray(array, dtype="<f4")
    header = _header(values, pixel_sizes, _FLOAT16 if float16 else _FLOAT32)
    stored = values.astype("<f2") if float16 else values
    with replacing(path) as temporary:
        _write_all(temporary, header, stored)


def _write_all(path: Path, header: bytes, values: NDArray[np.floating]) -> None:
    """Write in as few calls as the system allows."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        pieces = [memoryview(header), values.data.cast("B")]
        while pieces:
            written = os.writev(descriptor, pieces)
            while pieces and written >= len(pieces[0]):
                written -= len(pieces.pop(0))
            if pieces:
                pieces[0] = pieces[0][written:]
    finally:
        os.close(descriptor)


def _header(
    values: NDArray[np.float32], pixel_sizes: tuple[float, float, float], mode: int
) -> bytes:
    """Make the 1024 bytes; no date in them."""
    record = _TEMPLATE.copy()
    record["size"] = record["grid"] = values.shape[::-1]
    record["mode"] = mode
    record["cell"] = np.array(pixel_sizes, np.float32) * np.array(values.shape[::-1], np.float32)
    names = ("minimum", "maximum", "mean", "deviation")
    for name, value in zip(names, _statistics(values), strict=True):
        record[name] = value
    return record.tobytes()


def _statistics(values: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Give minimum, maximum, mean and deviation; MRC2014's "not determined" with NaN or inf."""
    rows = values.reshape(len(values), -1)
    lowest, highest = float(values.min()), float(values.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return 0.0, -1.0, -2.0, -1.0
    with np.errstate(over="ignore", invalid="ignore"):  # told by what follows
        mean = _mean(np.einsum("ij->i", rows), values.size)  # faster than sum
        squares = _mean(np.vecdot(rows, rows), values.size)
        variance = squares - mean * mean
    if not variance * _MOST_OFFSET**2 > squares:  # too much cancels, or float32 overflows
        exact = rows.astype(np.float64)
        mean = float(exact.mean())
        exact -= mean
        variance = float(np.vecdot(exact, exact).sum()) / values.size
    return lowest, highest, mean, float(np.sqrt(variance))


def _mean(sums: NDArray[np.float32], n: int) -> float:
    return float(sums.sum(dtype=np.float64)) / n


def _template() -> NDArray[np.void]:
    record = np.zeros((), HEADER_DTYPE.newbyteorder("<"))
    record["angles"] = 90
    record["axes"] = (1, 2, 3)
    record["map"] = b"MAP "
    record["machine_stamp"] = (0x44, 0x41, 0, 0)
    record["n_labels"] = 1
    record["labels"][0] = _LABEL
    return record


_TEMPLATE = _template()
