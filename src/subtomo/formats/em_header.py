"""The header of EM files (TOM toolbox, Dynamo, PyTom): 512 bytes, then the values, x fastest.

Source: tom_emread of the TOM toolbox, https://github.com/dtegunov/tom: byte 0 the machine, byte 3
the type of the values, three sizes, 80 bytes of comment, 40 whole numbers, of which the seventh is
the pixel size in nm times 1000.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from subtomo.errors import FormatError, MissingFileError

HEADER_BYTES = 512
_TYPES = {1: "i1", 2: "i2", 4: "i4", 5: "f4", 8: "c8", 9: "f8"}
_BYTE_ORDERS = {0: ">", 3: ">", 5: ">", 6: "<"}  # OS-9, SGI and Sun, Mac, PC
_PC = 6
_COMMENT = slice(16, 96)
_PARAMETERS = slice(96, 256)
_OBJECT_PIXEL_SIZE = 6
_OURS = "subtomo "
_UNITS_PER_ANGSTROM = 100  # nm times 1000


@dataclass(frozen=True)
class EmHeader:
    """What an EM file says beside its values.

    Parameters
    ----------
    shape : (z, y, x)
    dtype : of the values, with their byte order
    pixel_size : Å; 0 where it is not said
    origin : (x, y, z) Å, None unless this package wrote it
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    pixel_size: float = 0.0
    origin: tuple[float, float, float] | None = None


def read_em_header(path: Path | str) -> EmHeader:
    """Read the header of an EM file.

    Parameters
    ----------
    path : the file

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is not an EM file, or shorter than its header says.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; expected an EM file")
    with path.open("rb") as file:
        raw = file.read(HEADER_BYTES)
    if len(raw) < HEADER_BYTES:
        raise FormatError(f"{path}: {len(raw)} bytes; expected an EM file, whose header has 512")
    machine, code = raw[0], raw[3]
    if machine not in _BYTE_ORDERS or code not in _TYPES:
        raise FormatError(
            f"{path}: machine {machine} and type {code} are no EM file's; expected machine "
            f"{', '.join(map(str, _BYTE_ORDERS))} and type {', '.join(map(str, _TYPES))}"
        )
    order = _BYTE_ORDERS[machine]
    x, y, z = np.frombuffer(raw, f"{order}i4", 3, 4).tolist()
    dtype = np.dtype(order + _TYPES[code])
    needed = HEADER_BYTES + x * y * z * dtype.itemsize
    if min(x, y, z) < 0 or path.stat().st_size < needed:
        raise FormatError(
            f"{path}: {path.stat().st_size} bytes, but its header says {x} x {y} x {z} values of "
            f"{dtype.itemsize} bytes: expected {needed}; copy it again"
        )
    pixel_size, origin = _from_comment(raw[_COMMENT])
    if not pixel_size:
        parameters = np.frombuffer(raw[_PARAMETERS], f"{order}i4")
        pixel_size = max(0.0, float(parameters[_OBJECT_PIXEL_SIZE]) / _UNITS_PER_ANGSTROM)
    return EmHeader((z, y, x), dtype, pixel_size, origin)


def type_of(dtype: DTypeLike, path: Path) -> int:
    """Give the code of a type of values.

    Raises
    ------
    FormatError
        If EM files have no such type.
    """
    wanted = np.dtype(dtype).newbyteorder("=")
    for code, name in _TYPES.items():
        if np.dtype(name) == wanted:
            return code
    raise FormatError(
        f"{path}: EM files hold no {wanted} values; expected int8, int16, int32, float32, float64 "
        "or complex64: convert them first"
    )


def build_em_header(path: Path, header: EmHeader) -> bytes:
    """Make the 512 bytes of a header, little-endian.

    Parameters
    ----------
    path : for messages
    header : the pixel size and the origin go to the comment in full, and the pixel size to 0.01 Å
        where other programs look for it

    Raises
    ------
    FormatError
        If EM files have no such type of values.
    """
    raw = bytearray(HEADER_BYTES)
    raw[0], raw[3] = _PC, type_of(header.dtype, path)
    raw[4:16] = np.array(header.shape[::-1], "<i4").tobytes()
    parameters = np.zeros(40, "<i4")
    if header.pixel_size:
        parameters[_OBJECT_PIXEL_SIZE] = round(header.pixel_size * _UNITS_PER_ANGSTROM)
        numbers = (header.pixel_size, *(header.origin or (0.0, 0.0, 0.0)))
        comment = _OURS + " ".join(f"{float(number):.12g}" for number in numbers)
        raw[_COMMENT] = comment.encode()[:80].ljust(80, b"\0")
    raw[_PARAMETERS] = parameters.tobytes()
    return bytes(raw)


def _from_comment(raw: bytes) -> tuple[float, tuple[float, float, float] | None]:
    """Read the pixel size and the origin from a comment of this package."""
    text = raw.rstrip(b"\0 ").decode("latin-1")
    if not text.startswith(_OURS):
        return 0.0, None
    try:
        pixel_size, x, y, z = map(float, text.removeprefix(_OURS).split())
    except ValueError:
        return 0.0, None
    return pixel_size, (x, y, z)
