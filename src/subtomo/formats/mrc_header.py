"""The 1024 bytes at the start of an MRC file.

Source: MRC2014, Cheng et al., J. Struct. Biol. 192 (2015) 146; the IMOD stamp at byte 152 and its
bits for signed bytes and for the sign of the origin,
https://bio3d.colorado.edu/imod/doc/mrc_format.txt.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from subtomo.errors import MrcError

HEADER_BYTES = 1024

HEADER_DTYPE = np.dtype(
    [
        ("size", "i4", 3),  # columns, rows, sections
        ("mode", "i4"),
        ("start", "i4", 3),
        ("grid", "i4", 3),  # intervals along x, y, z
        ("cell", "f4", 3),  # Å, along x, y, z
        ("angles", "f4", 3),
        ("axes", "i4", 3),  # which of x, y, z (1, 2, 3) columns, rows, sections are
        ("minimum", "f4"),
        ("maximum", "f4"),
        ("mean", "f4"),
        ("space_group", "i4"),
        ("extended_bytes", "i4"),
        ("extra1", "V8"),
        ("extended_type", "S4"),
        ("version", "i4"),
        ("extra2", "V40"),
        ("imod_stamp", "i4"),
        ("imod_flags", "i4"),
        ("extra3", "V36"),
        ("origin", "f4", 3),
        ("map", "S4"),
        ("machine_stamp", "u1", 4),
        ("deviation", "f4"),
        ("n_labels", "i4"),
        ("labels", "S80", 10),
    ]
)
assert HEADER_DTYPE.itemsize == HEADER_BYTES

MODES = {0: np.int8, 1: np.int16, 2: np.float32, 6: np.uint16, 12: np.float16}
"""Modes that are read and written."""

_OTHER_MODES = {
    3: "complex 16-bit integers",
    4: "complex 32-bit numbers",
    16: "RGB bytes",
    101: "4-bit integers",
}
_IMOD_STAMP = 1146047817
_SIGNED_BYTES = 1
_INVERTED_ORIGIN = 4
_Order = Literal["<", ">"]
_BYTE_ORDERS: dict[int, _Order] = {0x44: "<", 0x11: ">"}
VOLUME_STACK = 401
"""The space group of stacks of volumes: 400 and that of each."""

OUR_LABEL = b"subtomo: origin is the centre of the first voxel, in angstrom"
"""The last label of files whose origin can be trusted."""

_SIGNATURES = {
    b"II*\0": "a TIFF file: name it .tif",
    b"MM\0*": "a TIFF file: name it .tif",
    b"II+\0": "a TIFF file: name it .tif",
    b"\x89HDF": "an HDF5 file",
    b"PK\x03\x04": "a ZIP archive: unpack it",
    b"BZh": "a bzip2 file: unpack it",
    b"\x93NUMPY": "a numpy file",
}


@dataclass(frozen=True)
class MrcHeader:
    """What the header of an MRC file says.

    Parameters
    ----------
    shape : (section, row, column), as the values lie in the file
    order : where z, y and x are among (section, row, column)
    dtype : of the values, with the file's byte order
    mode : MRC's number for it
    pixel_size : Å along x, y, z; zero where the header says nothing
    origin : (x, y, z) Å, as in the header
    has_our_origin : whether this package wrote it, so that its origin means what DESIGN says
    is_stack : whether the space group says images rather than a volume
    data_offset : bytes before the first value
    minimum, maximum, mean, deviation : as the header says
    labels : text
    notes : what is unusual, in words
    has_imod_origin : whether the origin is IMOD's: that of the coordinates from the first voxel
        MRC2014 has the first voxel in the coordinates, which is its opposite.
    """

    shape: tuple[int, int, int]
    order: tuple[int, int, int]
    dtype: np.dtype[Any]
    mode: int
    pixel_size: tuple[float, float, float]
    origin: tuple[float, float, float]
    has_our_origin: bool
    is_stack: bool
    data_offset: int
    minimum: float
    maximum: float
    mean: float
    deviation: float
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    has_imod_origin: bool = False

    @property
    def first_voxel(self) -> tuple[float, float, float]:
        """(x, y, z) Å of the first voxel in the header's coordinates."""
        sign = -1 if self.has_imod_origin else 1
        x, y, z = (sign * value + 0.0 for value in self.origin)
        return x, y, z

    @property
    def data_bytes(self) -> int:
        """Bytes of all values."""
        z, y, x = self.shape
        return z * y * x * self.dtype.itemsize


def parse_header(raw: bytes, path: Path) -> MrcHeader:
    """Read the header of an MRC file.

    Parameters
    ----------
    raw : the first 1024 bytes; fewer are an error
    path : for messages

    Raises
    ------
    MrcError
        If these bytes are not an MRC header, or one of a kind that is not read.
    """
    if len(raw) == 0:
        raise MrcError(f"{path}: the file is empty; expected an MRC file: copy it again")
    refuse_other_formats(raw, path)
    if len(raw) < HEADER_BYTES:
        raise MrcError(
            f"{path}: {len(raw)} bytes; an MRC header alone has {HEADER_BYTES}: "
            "the file is truncated or is not MRC"
        )
    order, notes = _byte_order(raw)
    record = _record(raw, order)
    has_map = bytes(record["map"])[:3] == b"MAP"
    if not has_map:
        notes.append("the MAP word is missing: read as an MRC file older than 2000")
    _check_numbers(record, path, has_map)
    columns, rows, sections = (int(n) for n in record["size"])
    labels = _labels(record)
    is_ours = bool(labels) and labels[-1].encode() == OUR_LABEL
    is_imod = int(record["imod_stamp"]) == _IMOD_STAMP and not is_ours
    return MrcHeader(
        shape=(sections, rows, columns),
        order=_axis_order(record, path),
        dtype=_data_type(record, has_map, notes).newbyteorder(order),
        mode=int(record["mode"]),
        pixel_size=_pixel_size(record),
        origin=_three_floats(record["origin"]),
        has_our_origin=is_ours,
        is_stack=int(record["space_group"]) == 0,
        data_offset=HEADER_BYTES + int(record["extended_bytes"]),
        minimum=float(record["minimum"]),
        maximum=float(record["maximum"]),
        mean=float(record["mean"]),
        deviation=float(record["deviation"]),
        labels=labels,
        notes=tuple(notes),
        has_imod_origin=is_imod and not int(record["imod_flags"]) & _INVERTED_ORIGIN,
    )


def build_header(
    shape: tuple[int, int, int],
    mode: int,
    pixel_size: float,
    *,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    is_stack: bool = False,
    depth: int | None = None,
    statistics: tuple[float, float, float, float] = (0.0, -1.0, -2.0, -1.0),
) -> bytes:
    """Make the header of an MRC file: little-endian, without any date.

    Parameters
    ----------
    shape : (z, y, x) or (tilt, y, x)
    mode : a key of ``MODES``
    pixel_size : Å, along all axes
    origin : (x, y, z) Å, centre of the first voxel
    is_stack : images rather than a volume
    depth : planes of one volume, where the file is a stack of several
    statistics : minimum, maximum, mean, deviation; the default is MRC2014's "not determined"

    Returns
    -------
    1024 bytes
    """
    record = np.zeros((), HEADER_DTYPE.newbyteorder("<"))
    record["size"] = shape[::-1]
    record["grid"] = (shape[2], shape[1], depth or shape[0])
    record["mode"] = mode
    record["cell"] = [n * pixel_size for n in record["grid"].tolist()]
    record["angles"] = 90
    record["axes"] = (1, 2, 3)
    for name, value in zip(("minimum", "maximum", "mean", "deviation"), statistics, strict=True):
        record[name] = value
    record["space_group"] = VOLUME_STACK if depth else 0 if is_stack else 1
    record["version"] = 20141
    record["origin"] = origin
    record["map"] = b"MAP "
    record["machine_stamp"] = (0x44, 0x44, 0, 0)
    record["n_labels"] = 1
    record["labels"][0] = OUR_LABEL
    if mode == 0:  # IMOD takes bytes for unsigned unless told
        record["imod_stamp"], record["imod_flags"] = _IMOD_STAMP, _SIGNED_BYTES
    return record.tobytes()


def refuse_other_formats(raw: bytes, path: Path) -> None:
    """Raise when the first bytes are those of another well-known format."""
    for start, name in _SIGNATURES.items():
        if raw.startswith(start):
            raise MrcError(f"{path}: not an MRC file; its contents are {name}")
    if raw[:64].strip() and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in raw[:256]):
        raise MrcError(f"{path}: not an MRC file; it starts with the text {raw[:24].decode()!r}")


def _byte_order(raw: bytes) -> tuple[_Order, list[str]]:
    """Give the byte order in which the header makes sense, and notes on it."""
    stamped = _BYTE_ORDERS.get(raw[212])
    orders: list[_Order] = ["<", ">"] if stamped != ">" else [">", "<"]
    for order in orders:
        if _is_plausible(_record(raw, order)):
            is_told = stamped in (None, order)
            return order, [] if is_told else ["the machine stamp names the wrong byte order"]
    return orders[0], []


def _record(raw: bytes, order: _Order) -> Any:
    """Give the header's fields."""
    return np.frombuffer(raw[:HEADER_BYTES], HEADER_DTYPE.newbyteorder(order))[0]


def _is_plausible(record: Any) -> bool:
    """Whether mode and sizes are numbers that occur."""
    mode = int(record["mode"])
    return (mode in MODES or mode in _OTHER_MODES) and all(0 < n < 2**24 for n in record["size"])


def _check_numbers(record: Any, path: Path, has_map: bool) -> None:
    """Raise on modes, sizes and lengths that no readable file has."""
    mode, size = int(record["mode"]), tuple(int(n) for n in record["size"])
    if not has_map and not _is_plausible(record):
        raise MrcError(
            f"{path}: not an MRC file; it has no MAP word, and its header would say "
            f"mode {mode} and size {size}"
        )
    if mode not in MODES:
        kind = _OTHER_MODES.get(mode, "unknown")
        raise MrcError(
            f"{path}: MRC mode {mode} ({kind}) is not read; expected one of {sorted(MODES)}: "
            "convert it, for example with IMOD's newstack -mode 2"
        )
    if not all(0 < n < 2**24 for n in size):
        raise MrcError(
            f"{path}: header says {size[0]} x {size[1]} x {size[2]} voxels; expected positive "
            "sizes: the header is damaged"
        )
    if int(record["extended_bytes"]) < 0:
        raise MrcError(
            f"{path}: header says an extended header of {int(record['extended_bytes'])} bytes; "
            "expected 0 or more: the header is damaged"
        )
    depth = int(record["grid"][2])
    if int(record["space_group"]) >= VOLUME_STACK and 0 < depth < size[2]:
        raise MrcError(
            f"{path}: a stack of {size[2] // depth} volumes; expected one volume: split it"
        )


def _axis_order(record: Any, path: Path) -> tuple[int, int, int]:
    """Give where z, y and x are among (section, row, column)."""
    columns, rows, sections = (int(n) for n in record["axes"])
    if columns == rows == sections == 0:  # older than the field
        return 0, 1, 2
    axes = (sections, rows, columns)
    if sorted(axes) != [1, 2, 3]:
        raise MrcError(
            f"{path}: header says that columns, rows and sections are axes "
            f"{columns}, {rows}, {sections}; expected 1, 2, 3 in some order: the header is damaged"
        )
    return axes.index(3), axes.index(2), axes.index(1)


def _data_type(record: Any, has_map: bool, notes: list[str]) -> np.dtype[Any]:
    """Give the type of the values; the sign of bytes is IMOD's flag, else the format's."""
    mode = int(record["mode"])
    if mode != 0:
        return np.dtype(MODES[mode])
    if int(record["imod_stamp"]) == _IMOD_STAMP:
        is_signed = bool(int(record["imod_flags"]) & _SIGNED_BYTES)
    else:
        is_signed = has_map or float(record["minimum"]) < 0
        if is_signed and float(record["maximum"]) > 127:
            notes.append("bytes are read as unsigned: the header's maximum is above 127")
            is_signed = False
    return np.dtype(np.int8 if is_signed else np.uint8)


def _pixel_size(record: Any) -> tuple[float, float, float]:
    """Give cell / grid in Å, zero where the header has none."""
    pairs = zip(record["cell"], record["grid"], strict=True)
    x, y, z = (_ratio(float(cell), int(grid)) for cell, grid in pairs)
    return x, y, z


def _ratio(cell: float, grid: int) -> float:
    """Give the shortest decimal that makes this cell in float32: 10.52, not 10.5199997."""
    if grid <= 0 or not np.isfinite(cell):
        return 0.0
    for digits in range(1, 10):
        size = float(f"{cell / grid:.{digits}g}")
        if float(np.float32(size * grid)) == cell:
            return size
    return cell / grid


def _three_floats(values: Any) -> tuple[float, float, float]:
    """Give float32 numbers as the shortest decimals that mean them."""
    x, y, z = (float(str(np.float32(value))) for value in values)
    return x, y, z


def _labels(record: Any) -> tuple[str, ...]:
    """Give the labels in use as text."""
    n = min(max(int(record["n_labels"]), 0), 10)
    text = (bytes(label).decode("latin-1").rstrip("\0 ") for label in record["labels"][:n])
    return tuple(label for label in text if label)
