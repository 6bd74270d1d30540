"""Motive lists of STOPGAP, written as its sg_motl_write and cryoCAT do."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import StarError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.star import read_star
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles

CONTEXT = TableContext(pixel_size=10.0)
HEADER = "\ndata_stopgap_motivelist\n\nloop_\n" + "".join(
    f"_{name}\n"
    for name in (
        *("motl_idx", "tomo_num", "object", "subtomo_num", "halfset", "orig_x", "orig_y"),
        *("orig_z", "score", "x_shift", "y_shift", "z_shift", "phi", "psi", "the", "class"),
    )
)
# the first two rows of a list in cryoCAT's tests
ROWS = (
    "6.000000\t24.000000\t1.000000\t6.000000\tA\t824.000000\t754.000000\t673.000000\t0.545200\t"
    "0.212100\t0.601200\t5.467600\t33.258400\t65.255699\t8.651600\t3\n"
    "25.000000\t24.000000\t1.000000\t25.000000\tB\t693.000000\t690.000000\t317.000000\t0.478100\t"
    "0.485900\t-0.424200\t-0.003800\t287.675415\t-76.293297\t83.139900\t1\n"
)
# the same by STOPGAP's sg_motl_stopgap_to_dynamo
DYNAMO = (
    "6 1 1 0.2121 0.6012 5.4676 -65.255699 -8.6516 -33.2584 0.5452 0 0 0 0 0 0 0 0 0 24 1 3 0 "
    "824 754 673\n"
    "25 1 1 0.4859 -0.4242 -0.0038 76.293297 -83.1399 -287.675415 0.4781 0 0 0 0 0 0 0 0 0 24 1 1 0"
    " 693 690 317\n"
)


def _read(folder: Path, name: str, text: str) -> Particles:
    (folder / name).write_text(text)
    return read_particles(folder / name, context=CONTEXT)


def test_it_says_what_its_table_of_dynamo_says(tmp_path: Path) -> None:
    found = _read(tmp_path, "m.star", HEADER + "\n" + ROWS)
    expected = _read(tmp_path, "m.tbl", DYNAMO)
    np.testing.assert_allclose(found.position, expected.position, atol=1e-9)
    a, b = (matrices_from_quaternions(p.orientation) for p in (found, expected))
    np.testing.assert_allclose(a, b, atol=1e-12)
    for field in ("tomogram", "class_name", "instance"):
        assert getattr(found, field).tolist() == getattr(expected, field).tolist()
    assert found.half.tolist() == [1, 2]
    assert found.extra["stopgap.subtomo_num"].tolist() == [6, 25]


def test_it_is_written_as_stopgap_does(tmp_path: Path) -> None:
    found = _read(tmp_path, "m.star", HEADER + "\n" + ROWS)
    write_particles(tmp_path / "n.star", found, format_name="stopgap", context=CONTEXT)
    table = read_star(tmp_path / "n.star")["stopgap_motivelist"]
    expected = [line.removeprefix("_") for line in HEADER.split() if line.startswith("_")]
    assert list(table.columns) == expected
    assert table.integers("orig_z").tolist() == [678, 317]
    np.testing.assert_allclose(table.numbers("z_shift"), [0.4676, -0.0038])
    np.testing.assert_allclose(table.numbers("the"), [8.6516, 83.1399], atol=1e-5)
    assert table.text("halfset").tolist() == ["A", "B"]
    assert table.integers("subtomo_num").tolist() == [6, 25]


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(StarError, match=r"line 24: orig_x is 'x'; expected a number"):
        _read(tmp_path, "m.star", HEADER + "\n\n\n" + ROWS.replace("824.000000", "x"))
    with pytest.raises(StarError, match="no column tomo_num"):
        _read(tmp_path, "m.star", HEADER.replace("tomo_num", "other") + "\n" + ROWS)
