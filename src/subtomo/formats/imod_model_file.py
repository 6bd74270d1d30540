"""Model files of IMOD (``.mod``): objects of contours of points, as they stand in the file.

Only what particles need is read: names of objects, points, their values and the surface numbers of
contours. Meshes, views and all other chunks are passed over, and not written back.

Source: https://bio3d.colorado.edu/imod/doc/binspec.html (big-endian chunks; the header and those of
objects and contours have fixed sizes, all other chunks tell theirs).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.atomic import replacing
from subtomo.formats.paths import missing_file

FloatArray = NDArray[np.float64]
T = TypeVar("T")

_MAGIC = b"IMOD"
_VERSION = b"V1.2"
_HEADER = struct.Struct(">128s3i i I 4i 6f 5i f 2i 3f")
_OBJECT = struct.Struct(">64s 16I i I 2i 3f i 8B 2i")
_CONTOUR = struct.Struct(">i I 2i")
_MESH = struct.Struct(">2i I 2h")
_VALUE = struct.Struct(">2h i f")
_END = b"IEOF"
_SCATTERED, _OPEN = 1 << 9, 1 << 3  # flags of an object
_FLIPPED = 1 << 16  # flag of a model
_MODEL_FLAGS = 0xF600  # as 3dmod writes them: z counts from the middle of the first slice
_VALUE_TYPE, _INDEX_AND_FLOAT = 10, 1 << 2  # a value of a point; its index whole, itself a float
_ANGSTROM = -10  # units are powers of ten of a metre
_MOST_UNITS = 12  # powers of ten of a metre that IMOD knows
_METRE = 1
_PIXELS = 0


@dataclass(frozen=True, eq=False)
class ImodContour:
    """Points that belong together.

    Parameters
    ----------
    points : (n, 3) columns x, y, z in pixels
        x and y are measured from a corner, z from the middle of the first slice.
    surface : number of the surface that it is on; 0 for none
    values : (n,) such as scores; NaN where there is none
    """

    points: FloatArray
    surface: int
    values: FloatArray


@dataclass(frozen=True, eq=False)
class ImodObject:
    """Contours of one kind.

    Parameters
    ----------
    name : may be empty
    contours : in the order of the file
    is_scattered : points are apart from each other; else a contour is a line
    radius_px : of the spheres that points are drawn as; 0 for none
    """

    name: str
    contours: tuple[ImodContour, ...]
    is_scattered: bool = True
    radius_px: int = 0


@dataclass(frozen=True, eq=False)
class ImodModel:
    """A model.

    Parameters
    ----------
    objects : in the order of the file
    size_px : (x, y, z) of the image that it was made on; zeros where it is not said
    pixel_size : Å, None where it is not said
    is_flipped : it was last seen on an image with y and z exchanged
    """

    objects: tuple[ImodObject, ...]
    size_px: tuple[int, int, int] = (0, 0, 0)
    pixel_size: float | None = None
    is_flipped: bool = False


def read_imod_model_file(path: Path) -> ImodModel:
    """Read a model file.

    Parameters
    ----------
    path : ``.mod``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not a model file or ends too early.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "a model of IMOD") from None
    if content[:4] != _MAGIC:
        raise FormatError(
            f"{path}: starts with {content[:4]!r}; expected {_MAGIC!r}, a binary model of IMOD"
        )
    reader = _Reader(path, content)
    header = reader.unpack(_HEADER)
    objects: list[_OpenObject] = []
    for name in reader.chunks():
        if name == b"OBJT":
            objects.append(_OpenObject.of(reader.unpack(_OBJECT)))
        elif name == b"CONT":
            reader.last(objects, "a contour").contours.append(reader.contour())
        elif name == b"MESH":
            n_vertices, n_indices, *_ = reader.unpack(_MESH)
            reader.take(12 * n_vertices + 4 * n_indices)
        elif name == b"COST":
            chunk = reader.sized()
            contours = reader.last(objects, "values").contours
            reader.add_values(reader.last(contours, "values"), chunk)
        else:
            reader.sized()
    return ImodModel(
        objects=tuple(each.closed() for each in objects),
        size_px=(header[1], header[2], header[3]),
        pixel_size=_pixel_size(header[21], header[22]),
        is_flipped=bool(header[5] & _FLIPPED),
    )


def write_imod_model_file(path: Path, model: ImodModel) -> None:
    """Write a model file; points in float32.

    Parameters
    ----------
    path : ``.mod``, replaced in one step
    model : objects with names of up to 63 bytes
    """
    pixel_size, units = (
        (1.0, _PIXELS) if model.pixel_size is None else (model.pixel_size, _ANGSTROM)
    )
    header = _HEADER.pack(
        *(b"subtomo", *model.size_px, len(model.objects), _MODEL_FLAGS, 1, 1, 0, 255),
        *(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0, 0, -1, 3, 128),
        *(pixel_size, units, 0, 0.0, 0.0, 0.0),
    )
    parts = [_MAGIC, _VERSION, header]
    for each in model.objects:
        parts.extend(_object_parts(each))
    with replacing(path) as temporary:
        temporary.write_bytes(b"".join([*parts, _END]))


@dataclass
class _OpenContour:
    """A contour whose values may still follow."""

    points: FloatArray
    surface: int
    values: FloatArray


@dataclass
class _OpenObject:
    """An object whose contours still follow."""

    name: str
    is_scattered: bool
    radius_px: int
    contours: list[_OpenContour] = field(default_factory=list)

    @staticmethod
    def of(header: tuple[Any, ...]) -> "_OpenObject":
        name, flags, radius = header[0], header[18], header[24]
        text: str = name.partition(b"\0")[0].decode("utf-8", "replace")
        return _OpenObject(text.strip(), bool(flags & _SCATTERED), radius)

    def closed(self) -> ImodObject:
        contours = tuple(ImodContour(c.points, c.surface, c.values) for c in self.contours)
        return ImodObject(self.name, contours, self.is_scattered, self.radius_px)


class _Reader:
    """Walks over the bytes of a file."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.content = content
        self.at = len(_MAGIC) + len(_VERSION)

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.content):
            raise FormatError(
                f"{self.path}: ends at byte {len(self.content)}, within {size} bytes from "
                f"{self.at}; expected a whole model of IMOD: copy it again"
            )
        taken = self.content[self.at : self.at + size]
        self.at += size
        return taken

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        return form.unpack(self.take(form.size))

    def sized(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "big"))

    def chunks(self) -> Iterator[bytes]:
        name = self.take(4)
        while name != _END:
            yield name
            name = self.take(4)

    def last(self, parts: list[T], what: str) -> T:
        if not parts:
            raise FormatError(f"{self.path}, byte {self.at}: {what} before what it belongs to")
        return parts[-1]

    def contour(self) -> _OpenContour:
        n_points, _, _, surface = self.unpack(_CONTOUR)
        points = np.frombuffer(self.take(12 * n_points), dtype=">f4").astype(np.float64)
        return _OpenContour(points.reshape(-1, 3), surface, np.full(n_points, np.nan))

    def add_values(self, contour: _OpenContour, chunk: bytes) -> None:
        whole = len(chunk) - len(chunk) % _VALUE.size
        for kind, flags, index, value in _VALUE.iter_unpack(chunk[:whole]):
            is_value = kind == _VALUE_TYPE and flags & 0xF == _INDEX_AND_FLOAT
            if is_value and 0 <= index < len(contour.values):
                contour.values[index] = value


def _object_parts(each: ImodObject) -> Iterator[bytes]:
    """Give an object as bytes."""
    name = each.name.encode("utf-8")[:63]
    flags = _SCATTERED if each.is_scattered else _OPEN
    yield b"OBJT" + _OBJECT.pack(
        *(name, *[0] * 16, len(each.contours), flags, 0, 1, 0.0, 1.0, 0.0, each.radius_px),
        *(1, 3, 1, 1, 0, 0, 0, 0, 0, 0),
    )
    for contour in each.contours:
        yield b"CONT" + _CONTOUR.pack(len(contour.points), 0, 0, contour.surface)
        yield contour.points.astype(">f4").tobytes()
        known = np.flatnonzero(np.isfinite(contour.values)).tolist()
        if known:
            yield b"COST" + (_VALUE.size * len(known)).to_bytes(4, "big")
        for index in known:
            yield _VALUE.pack(_VALUE_TYPE, _INDEX_AND_FLOAT, index, contour.values[index])


def _pixel_size(size: float, units: int) -> float | None:
    """Give the pixel size in Å; units are 3 (km), 1 (m), -3 (mm), -9 (nm), -10 (Å) ... or 0."""
    if units == _PIXELS or not 0 < size < np.inf or abs(units) > _MOST_UNITS:
        return None
    power = 0 if units == _METRE else units
    return round(size * 10.0 ** (power - _ANGSTROM), 6)
