"""Motive lists, made here byte by byte, against a table that cryoCAT made of a real one."""

import struct
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError
from subtomo.formats.motive_list import is_motive_list
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions

CONTEXT = TableContext(pixel_size=10.0)
# row 1 of b4_motl_CR_tm_topbott_clean600_1_dynamo.tbl, which cryoCAT made of its motive list:
# psi = -tdrot, theta = -tilt, phi = -narot
DYNAMO = (
    "1 1 1 1.0651 1.1602 0.6847 144.13 -79.159 -180 0.1593 0 0 0 -50.01 43.99 0 0 0 0 2 2 1 0 "
    "507 548 167\n"
)
MOTIVE = [
    *(0.1593, 0, 0, 1, 2, 2, 0, 507, 548, 167, 1.0651, 1.1602, 0.6847),
    *(0, 0, 0, 180, -144.13, 79.159, 1),
]


def _em(path: Path, rows: list[list[float]], shape: tuple[int, int, int] | None = None) -> Path:
    x, y, z = shape or (20, len(rows), 1)
    header = struct.pack("<4B3i", 6, 0, 0, 5, x, y, z).ljust(512, b"\0")
    values = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
    path.write_bytes(header + values)
    return path


def test_it_says_what_the_table_made_of_it_says(tmp_path: Path) -> None:
    found = read_particles(_em(tmp_path / "m.em", [MOTIVE]), context=CONTEXT)
    (tmp_path / "m.tbl").write_text(DYNAMO)
    expected = read_particles(tmp_path / "m.tbl", context=CONTEXT)
    np.testing.assert_allclose(found.position, expected.position, atol=1e-4)
    a, b = (matrices_from_quaternions(p.orientation) for p in (found, expected))
    np.testing.assert_allclose(a, b, atol=1e-6)
    assert found.tomogram.tolist() == expected.tomogram.tolist() == ["2"]
    assert found.class_name.tolist() == expected.class_name.tolist() == ["1"]
    assert found.instance.tolist() == expected.instance.tolist() == ["2"]
    np.testing.assert_allclose(found.score, expected.score, atol=1e-6)


def test_axes_worked_by_hand(tmp_path: Path) -> None:
    # R = Rz(psi) · Rx(theta) · Rz(phi): psi = 90, theta = 90 takes z to Rz(90) (0, -1, 0) = (1,0,0)
    row = [*MOTIVE[:16], 0, 90, 90, 1]
    found = read_particles(_em(tmp_path / "m.em", [row]), context=CONTEXT)
    z = matrices_from_quaternions(found.orientation)[0, :, 2]
    np.testing.assert_allclose(z, [1, 0, 0], atol=1e-7)


def test_written_as_programs_that_crop_want_it(tmp_path: Path) -> None:
    found = read_particles(_em(tmp_path / "m.em", [MOTIVE]), context=CONTEXT)
    write_particles(tmp_path / "n.em", found, context=CONTEXT)
    raw = (tmp_path / "n.em").read_bytes()
    assert struct.unpack("<4B3i", raw[:16]) == (6, 0, 0, 5, 20, 1, 1)
    row = np.frombuffer(raw, "<f4", offset=512)
    np.testing.assert_allclose(row[7:13], [508, 549, 168, 0.0651, 0.1602, -0.3153], atol=1e-4)
    np.testing.assert_allclose(row[16:19], [180, -144.13, 79.159], atol=1e-4)
    np.testing.assert_allclose(row[:7], [0.1593, 0, 0, 1, 2, 2, 0], atol=1e-6)


def test_volumes_are_told_apart(tmp_path: Path) -> None:
    volume = _em(tmp_path / "v.em", [[0.0] * 8], (2, 2, 2))
    assert not is_motive_list(volume)
    assert is_motive_list(_em(tmp_path / "m.em", [MOTIVE]))
    with pytest.raises(FormatError, match=r"v.em: 2 x 2 x 2 numbers; .*is it a volume"):
        read_particles(volume, context=CONTEXT)


@pytest.mark.parametrize(
    ("index", "value", "message"),
    [
        (7, np.nan, "particle 2: 1 of its numbers are not finite"),
        (4, 1.5, r"particle 2: its tomogram \(number 5\) is 1.5; expected a whole number"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, index: int, value: float, message: str) -> None:
    bad = [*MOTIVE[:index], value, *MOTIVE[index + 1 :]]
    with pytest.raises(FormatError, match=message):
        read_particles(_em(tmp_path / "m.em", [MOTIVE, bad]), context=CONTEXT)


def test_numbers_that_are_none_or_too_large(tmp_path: Path) -> None:
    huge = [*MOTIVE[:4], 1e30, *MOTIVE[5:]]
    with pytest.raises(FormatError, match=r"its tomogram .* expected a whole number"):
        read_particles(_em(tmp_path / "m.em", [huge]), context=CONTEXT)
    raw = bytearray(_em(tmp_path / "m.em", [MOTIVE]).read_bytes())
    raw[512 + 28 : 512 + 32] = b"\xff\xff\xbf\x7f"  # a signalling NaN
    (tmp_path / "m.em").write_bytes(raw)
    with pytest.raises(FormatError, match="particle 1: 1 of its numbers are not finite"):
        read_particles(tmp_path / "m.em", context=CONTEXT)
