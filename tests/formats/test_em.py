import struct
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError, MissingFileError
from subtomo.formats.em import read_em, write_em
from subtomo.formats.em_header import read_em_header
from subtomo.formats.volumes import has_our_origin, read_volume, write_volume
from subtomo.model import Volume
from subtomo.sources.info import describe

SHAPE = (2, 3, 4)
VALUES = np.arange(24).reshape(SHAPE)


def _bytes(order: str, machine: int, code: int, kind: str, pixel_size_nm: int = 0) -> bytes:
    """An EM file as TOM's header has it: 40 numbers after the comment, the pixel size the 7th."""
    numbers = [0] * 40
    numbers[6] = pixel_size_nm
    header = struct.pack(f"{order}4B3i80s40i", machine, 0, 0, code, 4, 3, 2, b"", *numbers)
    return header.ljust(512, b"\0") + VALUES.astype(order + kind).tobytes()


@pytest.mark.parametrize(
    ("order", "machine", "code", "kind"),
    [("<", 6, 5, "f4"), ("<", 6, 1, "i1"), ("<", 6, 2, "i2"), (">", 3, 4, "i4"), (">", 5, 9, "f8")],
)
def test_every_kind_of_value_and_byte_order(
    tmp_path: Path, order: str, machine: int, code: int, kind: str
) -> None:
    (tmp_path / "a.em").write_bytes(_bytes(order, machine, code, kind))
    data, header = read_em(tmp_path / "a.em")
    assert header.shape == SHAPE
    np.testing.assert_array_equal(np.asarray(data), VALUES)
    np.testing.assert_array_equal(data[1, :2, 1:3], VALUES[1, :2, 1:3])


def test_the_pixel_size_of_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "a.em"
    path.write_bytes(_bytes("<", 6, 5, "f4", pixel_size_nm=1368))
    assert read_volume(path).pixel_size == 13.68
    assert not has_our_origin(path)
    path.write_bytes(_bytes("<", 6, 5, "f4"))
    with pytest.raises(DataError, match=r"a.em: header says pixel size 0 Å"):
        read_volume(path)
    assert read_volume(path, pixel_size=5.0).pixel_size == 5.0


def test_volumes_come_back_with_pixel_size_and_origin(tmp_path: Path) -> None:
    path = tmp_path / "v.em"
    volume = Volume(VALUES.astype(np.float32), 1.9713, (2.5, -1.25, 0.1))
    write_volume(path, volume)
    again = read_volume(path)
    np.testing.assert_array_equal(again.load(), volume.data)
    assert again.pixel_size == 1.9713
    assert again.origin == (2.5, -1.25, 0.1)
    assert has_our_origin(path)
    assert path.stat().st_size == 512 + 24 * 4
    assert ("pixel size", "1.9713 Å") in describe(path)
    raw = path.read_bytes()
    assert raw[:4] == bytes([6, 0, 0, 5])
    assert struct.unpack("<3i", raw[4:16]) == (4, 3, 2)
    assert struct.unpack("<i", raw[120:124]) == (197,)


def test_what_is_no_em_file(tmp_path: Path) -> None:
    path = tmp_path / "a.em"
    with pytest.raises(MissingFileError, match=r"a.em: no such file"):
        read_em_header(path)
    path.write_bytes(b"\6\0\0\5" * 4)
    with pytest.raises(FormatError, match="16 bytes; expected an EM file"):
        read_em_header(path)
    path.write_bytes(_bytes("<", 9, 5, "f4"))
    with pytest.raises(FormatError, match="machine 9 and type 5 are no EM file's"):
        read_em_header(path)
    path.write_bytes(_bytes("<", 6, 5, "f4")[:-4])
    with pytest.raises(FormatError, match="604 bytes, but its header says 4 x 3 x 2 values"):
        read_em(path)
    with pytest.raises(FormatError, match="hold no uint16 values"):
        write_em(path, VALUES.astype(np.uint16))
