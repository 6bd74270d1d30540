"""Writing MRC files, slab by slab, with a right header and no date in it."""

import gzip
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from subtomo.errors import MrcError, ShapeError
from subtomo.formats.atomic import replacing
from subtomo.formats.mrc_header import HEADER_BYTES, MODES, build_header

_SLAB_BYTES = 64 * 1024 * 1024
_EXACT_FLOAT32 = 2**24


class MrcWriter:
    """Write a volume or stack from its first plane to its last, with bounded memory.

    The file appears under its name when the ``with`` block ends well and every plane was written.
    Values are the same bytes whatever the slabs were.

    Parameters
    ----------
    path : the file, not gzipped
    shape : (z, y, x) or (tilt, y, x)
    pixel_size : Å
    origin : (x, y, z) Å, centre of the first voxel
    dtype : of the values in the file: int8, int16, uint16, float16 or float32
    is_stack : images rather than a volume
    depth : planes of one volume, where the file is a stack of several

    Raises
    ------
    MrcError
        If MRC has no mode for the dtype, or the block ends with planes missing.
    ShapeError
        If a slab does not fit.
    DiskFullError, OutputError
        If the file cannot be written.

    Examples
    --------
    >>> with MrcWriter("zeros.mrc", (2, 8, 8), 10.0) as writer:  # doctest: +SKIP
    ...     for _ in range(2):
    ...         writer.write(np.zeros((1, 8, 8), np.float32))
    """

    def __init__(
        self,
        path: Path | str,
        shape: tuple[int, int, int],
        pixel_size: float,
        origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
        *,
        dtype: DTypeLike = np.float32,
        is_stack: bool = False,
        depth: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.shape = shape
        self.planes_written = 0
        self._mode = mode_of(np.dtype(dtype), self.path)
        self._dtype = np.dtype(MODES[self._mode]).newbyteorder("<")
        self._header = {
            "pixel_size": pixel_size,
            "origin": origin,
            "is_stack": is_stack,
            "depth": depth,
        }
        self._statistics = _Statistics()
        self._replacing = replacing(self.path)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        temporary = self._replacing.__enter__()
        try:
            self._file = temporary.open("wb")
            self._file.write(b"\0" * HEADER_BYTES)
        except BaseException as error:
            self._leave(error)
            raise
        return self

    def write(self, slab: NDArray[Any]) -> None:
        """Append planes.

        Parameters
        ----------
        slab : (planes, y, x)
        """
        assert self._file is not None, "write belongs inside the with block"
        slab = np.asarray(slab)
        if slab.ndim != 3 or slab.shape[1:] != tuple(self.shape[1:]):
            raise ShapeError(
                f"{self.path}: a slab has shape {slab.shape}; "
                f"expected (planes, {self.shape[1]}, {self.shape[2]})"
            )
        if self.planes_written + len(slab) > self.shape[0]:
            raise ShapeError(
                f"{self.path}: {self.planes_written + len(slab)} planes were given; "
                f"expected {self.shape[0]}"
            )
        for plane in slab:
            values = np.ascontiguousarray(plane, dtype=self._dtype)
            self._statistics.add(values)
            self._file.write(values.data)
        self.planes_written += len(slab)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._leave(error)
            return
        try:
            self._finish()
        except BaseException as failure:
            self._leave(failure)
            raise
        self._replacing.__exit__(None, None, None)

    def _finish(self) -> None:
        """Write the header over its placeholder."""
        assert self._file is not None
        if self.planes_written != self.shape[0]:
            raise MrcError(
                f"{self.path}: {self.planes_written} planes were written; expected {self.shape[0]}"
            )
        self._file.seek(0)
        self._file.write(
            build_header(
                self.shape,
                self._mode,
                statistics=self._statistics.values(),
                **self._header,  # type: ignore[arg-type]  # keywords of several types
            )
        )
        self._file.close()

    def _leave(self, error: BaseException) -> None:
        """Close and remove the temporary file; raise the error that a full disk means."""
        if self._file is not None:
            with suppress(OSError):  # its buffer may not be flushed for the reason being raised
                self._file.close()
        self._replacing.__exit__(type(error), error, error.__traceback__)


def write_mrc(
    path: Path | str,
    data: Any,
    pixel_size: float,
    *,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    is_stack: bool = False,
    dtype: DTypeLike | None = None,
) -> None:
    """Write an array as MRC, gzipped if the name ends in ``.gz``; same data, same bytes.

    Parameters
    ----------
    path : the file
    data : (z, y, x) or (tilt, y, x), in memory or lazy; read in slabs
    pixel_size : Å
    origin : (x, y, z) Å, centre of the first voxel
    is_stack : images rather than a volume
    dtype : of the values in the file; the default is the smallest MRC mode that loses nothing
        of integers, and float32 for float64

    Raises
    ------
    MrcError
        If MRC has no mode for the values.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    path = Path(path)
    target = np.dtype(dtype) if dtype is not None else lossless_dtype(data, path)
    shape = (int(data.shape[0]), int(data.shape[1]), int(data.shape[2]))
    if path.suffix == ".gz":
        _write_gzipped(path, data, shape, pixel_size, origin, is_stack, target)
        return
    with MrcWriter(path, shape, pixel_size, origin, dtype=target, is_stack=is_stack) as writer:
        for slab in slabs(data):
            writer.write(slab)


def _write_gzipped(
    path: Path,
    data: Any,
    shape: tuple[int, int, int],
    pixel_size: float,
    origin: tuple[float, float, float],
    is_stack: bool,
    dtype: np.dtype[Any],
) -> None:
    """Write in two passes: the header needs the statistics, and gzip cannot go back."""
    mode = mode_of(dtype, path)
    stored = np.dtype(MODES[mode]).newbyteorder("<")
    statistics = _Statistics()
    for slab in slabs(data):
        for plane in slab:
            statistics.add(np.ascontiguousarray(plane, dtype=stored))
    header = build_header(
        shape, mode, pixel_size, origin=origin, is_stack=is_stack, statistics=statistics.values()
    )
    with (
        replacing(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as file,
    ):
        file.write(header)
        for slab in slabs(data):
            file.write(np.ascontiguousarray(slab, dtype=stored).data)


def slabs(data: Any) -> Any:
    """Cut an array along its first axis into pieces of at most 64 MB, at least one plane."""
    plane_bytes = max(int(np.prod(data.shape[1:])) * np.dtype(data.dtype).itemsize, 1)
    step = max(_SLAB_BYTES // plane_bytes, 1)
    for start in range(0, data.shape[0], step):
        yield np.asarray(data[start : start + step])


def mode_of(dtype: np.dtype[Any], path: Path) -> int:
    """Give MRC's mode of a dtype."""
    for mode, candidate in MODES.items():
        if dtype == np.dtype(candidate):
            return mode
    raise MrcError(
        f"{path}: MRC has no mode for {dtype}; expected one of "
        f"{', '.join(np.dtype(d).name for d in MODES.values())}"
    )


def lossless_dtype(data: Any, path: Path) -> np.dtype[Any]:
    """Give the MRC type that holds the values: by the dtype, for wide integers by their range."""
    dtype: np.dtype[Any] = np.dtype(data.dtype)
    narrow: str = {"bool": "int8", "uint8": "uint16", "float64": "float32"}.get(
        dtype.name, dtype.name
    )
    if np.dtype(narrow) in {np.dtype(candidate) for candidate in MODES.values()}:
        return np.dtype(narrow)
    if dtype.kind not in "iu":
        raise MrcError(f"{path}: MRC has no mode for {dtype}; convert the values to float32")
    low = min(int(slab.min()) for slab in slabs(data))
    high = max(int(slab.max()) for slab in slabs(data))
    for name in ("uint16", "int16"):
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return np.dtype(name)
    if max(abs(low), abs(high)) <= _EXACT_FLOAT32:
        return np.dtype(np.float32)
    raise MrcError(
        f"{path}: {dtype} values from {low} to {high} fit no MRC mode without loss; "
        "write .zarr instead"
    )


class _Statistics:
    """Minimum, maximum, mean and deviation, gathered plane by plane in float64.

    Planes are joined with Chan, Golub and LeVeque, The American Statistician 37 (1983) 242: the
    result does not depend on how planes were grouped into slabs.
    """

    def __init__(self) -> None:
        self._n = 0
        self._mean = 0.0
        self._squares = 0.0
        self._minimum = np.inf
        self._maximum = -np.inf

    def add(self, plane: NDArray[Any]) -> None:
        """Take in one plane."""
        with np.errstate(invalid="ignore", over="ignore"):  # NaN and inf are told by values()
            mean = float(plane.mean(dtype=np.float64))
            difference = np.subtract(plane, mean, dtype=np.float64)
            squares = float(np.square(difference, out=difference).sum())
        n, delta = self._n + plane.size, mean - self._mean
        self._squares += squares + delta * delta * self._n * plane.size / n
        self._mean += delta * plane.size / n
        self._n = n
        self._minimum = min(self._minimum, float(plane.min()))
        self._maximum = max(self._maximum, float(plane.max()))

    def values(self) -> tuple[float, float, float, float]:
        """Give minimum, maximum, mean, deviation; MRC2014's "not determined" with NaN or inf."""
        values = self._minimum, self._maximum, self._mean, float(np.sqrt(self._squares / self._n))
        return values if np.all(np.isfinite(values)) else (0.0, -1.0, -2.0, -1.0)
