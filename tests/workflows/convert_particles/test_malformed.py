"""Malformed tables of every kind, from the command line: named by file and row, none written."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles

Shown = pytest.CaptureFixture[str]
Write = Callable[[Path], Any]

PEET = (
    "CCC,reserved,reserved,pIndex,wedgeWT,NA,NA,NA,NA,NA,xOffset,yOffset,zOffset,NA,NA,reserved,"
    "EulerZ(1),EulerZ(3),EulerX(2),reserved\n"
)
CBOX = "data_cryolo\n\nloop_\n_CoordinateX\n_CoordinateY\n_CoordinateZ\n_Width\n_Height\n"
LST = "#LSX\n# a comment\n# 99\n"


def _text(content: str) -> Write:
    return lambda path: path.write_text(content)


def _pytom(attributes: str, element: str = "PickPosition") -> Write:
    other = '<PickPosition X="1" Y="2" Z="3"/>' if element != "PickPosition" else ""
    good = '<Particle Filename=""><PickPosition X="1" Y="2" Z="3"/></Particle>'
    return _text(
        f"<ParticleList>{good}<Particle>{other}<{element} {attributes}/></Particle></ParticleList>"
    )


def _peet(row: str) -> Write:
    def write(path: Path) -> None:
        points = Particles(np.array(["a"]), np.zeros((1, 3)))
        write_particles(path.with_suffix(".mod"), points, context=TableContext(pixel_size=10.0))
        path.write_text(PEET + "0,0,0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n" + row + "\n")

    return write


def _eman(box: str) -> Write:
    return _text(f'{{"boxes_3d": [[1, 2, 3, "manual", 0, 0], {box}], "class_list": {{}}}}')


def _copick(point: str) -> Write:
    good = '{"location": {"x": 1, "y": 2, "z": 3}}'
    return _text(f'{{"pickable_object_name": "a", "points": [{good}, {point}]}}')


def _mod(change: Callable[[bytes], bytes]) -> Write:
    def write(path: Path) -> None:
        points = Particles(np.full(2, "a"), np.zeros((2, 3)))
        write_particles(path, points, context=TableContext(pixel_size=10.0))
        path.write_bytes(change(path.read_bytes()))

    return write


def _nan_in_model(content: bytes) -> bytes:
    at = content.index(b"CONT") + 4 + 16 + 12
    return content[:at] + b"\x7f\xc0\0\0" + content[at + 4 :]


def _hdf(*coordinates: Any) -> Write:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for n, value in enumerate(coordinates):
                image = file.create_group(f"MDF/images/{n}")
                if value is not None:
                    image.attrs["EMAN.ptcl_source_coord"] = value

    return write


GOOD = np.zeros(3, dtype="<f4")
BAD: dict[str, tuple[str, Write, str]] = {
    "text, column": ("a.txt", _text("x y score\n1 2 3\n"), r"no column z; found x, y, score"),
    "text, row": ("a.txt", _text("1 2 3\n4 5\n"), r"line 2: 2 values; expected 3"),
    "text, text": ("a.txt", _text("1 2 3\n4 five 6\n"), r"line 2: y is 'five'; expected a number"),
    "text, nan": ("a.txt", _text("1 2 3\n4 5 nan\n"), r"line 2: z is nan; expected a finite"),
    "cbox, column": ("a.cbox", _text(CBOX.replace("_Width\n", "") + "1 2 3 4\n"), r"no column Wid"),
    "cbox, text": ("a.cbox", _text(CBOX + "1 2 3 4 4\n1 2 up 4 4\n"), r"line 10: Coord.* is 'up'"),
    "cbox, nan": ("a.cbox", _text(CBOX + "1 nan 3 4 4\n"), r"line 9: CoordinateY is nan"),
    "cbox, empty": ("a.cbox", _text(""), r"no data_ block; expected a STAR file"),
    "cbox, other": (
        "a.cbox",
        _text("data_particles\n_a 1\n"),
        r"no block data_cryolo; found data_p",
    ),
    "cbox, size": ("a.cbox", _text(CBOX + "1 2 3 -1e30 4\n"), r"line 9: a box of -1e\+30 x 4; exp"),
    "star, bytes": (
        "a.star",
        lambda path: path.write_bytes(b"data_\nloop_\n_rlnMicrographName\nM\xfcller\n"),
        r"line 4: byte 0xFC is not UTF-8; expected a table in UTF-8",
    ),
    "text, bytes": (
        "a.txt",
        lambda path: path.write_bytes(b"1 2 3\n4 5 6 # M\xfcller\n"),
        r"line 2: byte 0xFC is not UTF-8; expected x, y and z in voxels in UTF-8: convert it",
    ),
    "pytom, column": ("a.xml", _pytom('X="1" Y="2"'), r"particle 2: no PickPosition.Z"),
    "pytom, text": ("a.xml", _pytom('X="1" Y="b" Z="2"'), r"row 2: PickPosition.Y is 'b'"),
    "pytom, nan": ("a.xml", _pytom('X="1" Y="nan" Z="2"'), r"row 2: PickPosition.Y is nan"),
    "pytom, angle": ("a.xml", _pytom('Z1="up"', "Rotation"), r"row 2: Rotation.Z1 is 'up'"),
    "pytom, empty": ("a.xml", _text(""), r"not XML .*expected a particle list of PyTom"),
    "pytom, other": ("a.xml", _text("<List/>"), r"has <List>, no <ParticleList>"),
    "peet, row": ("a.csv", _peet("1,2,3"), r"line 3: 3 values; expected 20"),
    "peet, text": ("a.csv", _peet("x,0,0,1" + ",0" * 16), r"line 3: CCC is 'x'; expected a number"),
    "peet, nan": (
        "a.csv",
        _peet("0,0,0,1" + ",0" * 6 + ",nan" + ",0" * 9),
        r"line 3: xOffset is n",
    ),
    "peet, point": ("a.csv", _peet("0,0,0,2" + ",0" * 16), r"line 3: pIndex is 2; expected 1 to 1"),
    "imod, empty": ("a.mod", _text(""), r"starts with b''; expected b'IMOD'"),
    "imod, cut": ("a.mod", _mod(lambda content: content[:-20]), r"ends at byte"),
    "imod, nan": ("a.mod", _mod(_nan_in_model), r"object 1, contour 1, point 2: \[nan"),
    "eman, row": ("a_info.json", _eman("[1, 2]"), r"box 2: \[1, 2\]; expected \[x, y, z, meth"),
    "eman, text": ("a_info.json", _eman('[1, "b", 3]'), r"box 2: \[1, 'b', 3\]; expected x, y, z"),
    "eman, nan": ("a_info.json", _eman('[1, NaN, 3, "manual", 0, 0]'), r"box 2: \[1, nan, 3\]"),
    "eman, class": (
        "a_info.json",
        _eman('[1, 2, 3, "manual", 0, "c"]'),
        r"box 2: .*whole one as cl",
    ),
    "eman, infinite": (
        "a_info.json",
        _eman('[1, 2, 3, "m", 0, 1e400]'),
        r"box 2: .*whole one as cl",
    ),
    "eman, empty": ("a_info.json", _text(""), r"not JSON"),
    "eman, other": ("a_info.json", _text('{"tlt_params": []}'), r"expected .*"),
    "lst, empty": ("a.lst", _text(""), r"does not start with #LSX"),
    "lst, row": ("a.lst", _text(LST + "one\tb.hdf\t{}\n"), r"line 4: .*expected NUMBER, a tab"),
    "lst, column": (
        "a.lst",
        _text(LST + "0\tb.hdf\t{}\n"),
        r"line 4: says no coord, and the stack",
    ),
    "lst, nan": (
        "a.lst",
        _text(LST + '0\tb.hdf\t{"coord": [1, 2, NaN]}\n'),
        r"line 4, coordinates",
    ),
    "hdf, column": ("a.hdf", _hdf(GOOD, None), r"image 1: no ptcl_source_coord"),
    "hdf, nan": ("a.hdf", _hdf(GOOD, GOOD * np.nan), r"image 1, coordinates"),
    "hdf, empty": ("a.hdf", _text(""), r"not an HDF5 file that can be read"),
    "copick, column": ("a.json", _copick('{"score": 1}'), r"points.2.location: Field required"),
    "copick, text": (
        "a.json",
        _copick('{"location": {"x": "b", "y": 2, "z": 3}}'),
        r"points.2.loc",
    ),
    "copick, nan": (
        "a.json",
        _copick('{"location": {"x": NaN, "y": 2, "z": 3}}'),
        r"points.2.locati",
    ),
    "copick, empty": ("a.json", _text(""), r"not a file of picks"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_malformed_table_is_named_and_nothing_written(
    what: str, tmp_path: Path, capsys: Shown
) -> None:
    name, write, message = BAD[what]
    write(tmp_path / name)
    given = sorted(tmp_path.iterdir())
    options = [] if name == "a.json" else ["--pixel-size", "10"]  # copick's picks are in Å
    if name.endswith((".hdf", ".lst")):
        options += ["--tomogram-size", "9", "9", "9"]
    status = run(["convert", "particles", str(tmp_path / name), str(tmp_path / "o.csv"), *options])
    shown = capsys.readouterr().err
    assert status == 2, shown
    assert len(shown.strip().splitlines()) == 1
    assert name in shown
    assert re.search(message, shown), shown
    assert sorted(tmp_path.iterdir()) == given


EMPTY: dict[str, tuple[str, Write]] = {
    "text": ("a.txt", _text("")),
    "cbox": ("a.cbox", _text(CBOX)),
    "pytom": ("a.xml", _text("<ParticleList/>")),
    "eman": ("a_info.json", _text('{"boxes_3d": [], "class_list": {}}')),
    "lst": ("a.lst", _text(LST)),
    "copick": ("a.json", _text('{"pickable_object_name": "a", "points": []}')),
}


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_table_becomes_an_empty_table(what: str, tmp_path: Path, capsys: Shown) -> None:
    name, write = EMPTY[what]
    write(tmp_path / name)
    out = tmp_path / "o.csv"
    assert run(["convert", "particles", str(tmp_path / name), str(out)]) == 0
    assert "0 particles in 0 tomograms" in capsys.readouterr().out
    assert len(read_particles(out)) == 0


def test_files_beside_and_of_each_tomogram_are_not_written_over(
    tmp_path: Path, capsys: Shown
) -> None:
    table = tmp_path / "in.csv"
    write_particles(table, Particles(np.array(["T1", "T2"]), np.zeros((2, 3))))
    words = ["convert", "particles", str(table), "--pixel-size", "10"]
    (tmp_path / "T2.txt").write_text("mine")
    assert run([*words, str(tmp_path / "{tomogram}.txt")]) == 2
    assert "T2.txt: is there already" in capsys.readouterr().err
    assert not (tmp_path / "T1.txt").exists()
    assert run([*words, str(tmp_path / "{tomogram}.txt"), "--overwrite"]) == 0
    assert (tmp_path / "T2.txt").read_text() == "0.0 0.0 0.0\n"
    one = tmp_path / "one.csv"
    write_particles(one, Particles(np.array(["T1"]), np.zeros((1, 3))))
    words = ["convert", "particles", str(one), "--pixel-size", "10"]
    for beside, *out in (
        ("list.mod", "list.csv", "--output-format", "peet"),
        ("list_T1.tbl", "list.vll"),
        ("list_T1.doc", "list.vll"),
    ):
        (tmp_path / beside).write_text("mine")
        assert run([*words, str(tmp_path / out[0]), *out[1:]]) == 2
        assert f"{beside}: is there already" in capsys.readouterr().err
        (tmp_path / beside).unlink()


def test_a_table_that_the_input_names_is_not_written_over(tmp_path: Path, capsys: Shown) -> None:
    write_particles(tmp_path / "in.csv", Particles(np.array(["T1"]), np.zeros((1, 3))))
    words = ["convert", "particles"]
    given = [str(tmp_path / name) for name in ("in.csv", "a.vll", "a_T1.tbl")]
    assert run([*words, *given[:2], "--pixel-size", "10"]) == 0
    assert run([*words, *given[1:], "--overwrite"]) == 2
    assert "a_T1.tbl: is an input, and would be replaced" in capsys.readouterr().err


def test_several_tomograms_need_a_name_for_each(tmp_path: Path, capsys: Shown) -> None:
    table = tmp_path / "in.csv"
    write_particles(table, Particles(np.array(["T1", "T2"]), np.zeros((2, 3))))
    out = tmp_path / "a.cbox"
    words = ["convert", "particles", str(table), str(out), "--pixel-size", "10"]
    assert run(words) == 2
    assert "put {tomogram} into the name" in capsys.readouterr().err
    assert not out.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["in.csv"]
