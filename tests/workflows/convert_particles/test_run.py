"""``subtomo convert particles`` from the command line: each option changes what it says."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.particles import read_particles
from subtomo.formats.star import read_star
from subtomo.formats.table_context import TableContext
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume

ROW = "{tag} 1 1 0 0 0 10 20 30 0.3 0 0 0 0 0 0 0 0 0 {tomogram} 2 5 0 {x} 20 30"


def _table(folder: Path, *tomograms: int, name: str = "in.tbl") -> Path:
    rows = [ROW.format(tag=n, tomogram=t, x=10 * n) for n, t in enumerate(tomograms, 1)]
    (folder / name).write_text("".join(f"{row}\n" for row in rows))
    return folder / name


def _tomogram(folder: Path, name: str = "TS_1.mrc", pixel_size: float = 8.0) -> Path:
    volume = Volume(np.zeros((40, 60, 80), np.float32), pixel_size, (12.0, 12.0, 12.0))
    write_volume(folder / name, volume)
    return folder / name


def _run(capsys: pytest.CaptureFixture[str], *words: object, status: int = 0) -> str:
    assert run(["convert", "particles", *map(str, words)]) == status
    shown = capsys.readouterr()
    return shown.out if status == 0 else shown.err


Shown = pytest.CaptureFixture[str]


def test_what_is_read_lost_and_written_is_told(tmp_path: Path, capsys: Shown) -> None:
    table = _table(tmp_path, 1, 1, 2)
    out = tmp_path / "out.csv"
    told = _run(capsys, table, out, "--pixel-size", 10)
    assert "in.tbl: 3 particles in 2 tomograms (table of Dynamo)" in told
    assert "lost: " not in told
    assert "out.csv: written (CSV of this program)" in told
    np.testing.assert_allclose(read_particles(out).position[1], [200, 200, 300])
    told = _run(capsys, out, tmp_path / "m.em", "--output-pixel-size", 5)
    assert "lost: motive list in an EM file has no columns dynamo.tag, dynamo.aligned" in told


def test_tomograms_give_names_pixel_sizes_origins_and_sizes(tmp_path: Path, capsys: Shown) -> None:
    table, tomogram = _table(tmp_path, 1), _tomogram(tmp_path)
    (tmp_path / "in.doc").write_text("1 /elsewhere/TS_1.rec\n")
    out = tmp_path / "out.star"
    _run(capsys, table, out, "--tomograms", tomogram)
    block = read_star(out)["particles"]
    assert block.text("rlnTomoName").tolist() == ["TS_1"]
    # voxel 10 of 8 Å from 12 Å is at 92 Å; the centre of 80 voxels at 320 Å
    assert block.numbers("rlnCenteredCoordinateXAngst").tolist() == [92 - 320]


def test_sizes_and_pixel_sizes_given(tmp_path: Path, capsys: Shown) -> None:
    table, out = _table(tmp_path, 1), tmp_path / "out.star"
    size = ("--tomogram-size", 80, 60, 40)
    _run(capsys, table, out, "--pixel-size", 8, *size)
    assert read_star(out)["particles"].numbers("rlnCenteredCoordinateXAngst")[0] == 80 - 320
    four = ("--output-format", "relion4", "--overwrite")
    _run(capsys, table, out, "--pixel-size", 8, "--output-pixel-size", 2, *four)
    assert read_star(out)["particles"].numbers("rlnCoordinateX")[0] == 40
    assert "rlnCenteredCoordinateXAngst" not in read_star(out)["particles"]


def test_another_pixel_size_counts_from_the_first_full_resolution_voxel(
    tmp_path: Path, capsys: Shown
) -> None:
    table, tomogram = _table(tmp_path, 1), _tomogram(tmp_path)
    out = tmp_path / "out.tbl"
    options = ("--tomograms", tomogram, "--tomogram", "TS_1")
    _run(capsys, table, out, *options)
    assert out.read_text().split()[23] == "10.0"
    _run(capsys, table, out, *options, "--output-pixel-size", 4, "--overwrite")
    assert float(out.read_text().split()[23]) == (10 * 8 + 12) / 4


def test_counting_from_one(tmp_path: Path, capsys: Shown) -> None:
    table, out = _table(tmp_path, 1), tmp_path / "out.tbl"
    for options, expected in (
        (("--one-based",), 9),
        (("--output-one-based",), 11),
        (("--one-based", "--output-one-based"), 10),
    ):
        _run(capsys, table, out, "--pixel-size", 8, *options, "--overwrite")
        assert float(out.read_text().split()[23]) == expected


@pytest.mark.parametrize(("name", "text"), [("m.doc", "1 A\n2 B\n"), ("m.vll", "A.mrc\nB.mrc\n")])
def test_maps_name_tomograms(tmp_path: Path, capsys: Shown, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    out = tmp_path / "out.csv"
    table = _table(tmp_path, 1, 2)
    _run(capsys, table, out, "--pixel-size", 8, "--tomogram-map", tmp_path / name)
    assert read_particles(out).tomogram.tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("group_id", "expected"), [("class", "class_name"), ("instance", "instance")]
)
def test_the_group_number(tmp_path: Path, capsys: Shown, group_id: str, expected: str) -> None:
    out = tmp_path / "out.csv"
    _run(capsys, _table(tmp_path, 1), out, "--pixel-size", 8, "--group-id", group_id)
    assert getattr(read_particles(out), expected).tolist() == ["5"]


def test_formats_by_name(tmp_path: Path, capsys: Shown) -> None:
    table = _table(tmp_path, 1, name="odd.txt")
    out = tmp_path / "plain"
    formats = ("--input-format", "dynamo", "--output-format", "stopgap")
    _run(capsys, table, out, *formats, "--pixel-size", 8)
    assert "stopgap_motivelist" in read_star(out)
    told = _run(capsys, table, out, "--input-format", "x", "--pixel-size", 8, status=2)
    assert "no particle format is called x; expected one of relion5, relion4" in told


def test_warp_is_told_which_names_m_reads(tmp_path: Path, capsys: Shown) -> None:
    options = ("--output-format", "warp", "--pixel-size", 8)
    table = _table(tmp_path, 1)
    assert "M reads only files" in _run(capsys, table, tmp_path / "a.star", *options)
    assert "M reads only files" not in _run(capsys, table, tmp_path / "a_data.star", *options)


def test_an_empty_table_becomes_an_empty_table(tmp_path: Path, capsys: Shown) -> None:
    (tmp_path / "in.tbl").write_text("")
    told = _run(capsys, tmp_path / "in.tbl", tmp_path / "out.star")
    assert "0 particles in 0 tomograms" in told
    assert len(read_particles(tmp_path / "out.star")) == 0


def test_points_outside_are_told(tmp_path: Path, capsys: Shown) -> None:
    table, tomogram = _table(tmp_path, 1, 1, 1, 1, 1, 1, 1, 1, 1), _tomogram(tmp_path)
    options = ("--tomograms", tomogram, "--tomogram", "TS_1")
    assert (
        run(["convert", "particles", str(table), str(tmp_path / "o.csv"), *map(str, options)]) == 0
    )
    warned = " ".join(capsys.readouterr().err.split())
    assert "2 of 9 particles are outside tomogram TS_1 of 80 x 60 x 40 voxels" in warned
    assert "the first at voxel 80.0, 20.0, 30.0" in warned


def test_a_file_that_is_there_is_kept(tmp_path: Path, capsys: Shown) -> None:
    table, out = _table(tmp_path, 1), tmp_path / "out.tbl"
    out.with_suffix(".doc").write_text("mine")
    told = _run(capsys, table, out, "--pixel-size", 8, status=2)
    assert "out.doc: is there already; choose another name, or give --overwrite" in told
    assert not out.exists()
    _run(capsys, table, out, "--pixel-size", 8, "--overwrite")
    (tmp_path / "l_1.tbl").write_text("mine")
    told = _run(capsys, table, tmp_path / "l.vll", "--pixel-size", 8, status=2)
    assert "l_1.tbl: is there already" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "in.tbl: counts in voxels of tomogram 1, of unknown pixel size: give the tomogram"),
        (("--pixel-size", 8, "--tomogram-size", 9, 9, 9), "--tomogram-size has no effect from"),
        (("--pixel-size", 8, "--output-pixel-size", 8), "--output-pixel-size has no effect"),
        (("--pixel-size", 8, "--output-one-based"), "--output-one-based has no effect"),
        (
            ("--tomograms", "TS_1.mrc"),
            "(known: TS_1): give the tomogram (--tomograms), its name in",
        ),
        (("--tomograms", "none.mrc"), "none.mrc: no such file or folder"),
        (("--pixel-size", 8, "--tomogram-map", "no.doc"), "no.doc: no such file"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    tmp_path: Path,
    capsys: Shown,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[object, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _tomogram(tmp_path)
    told = _run(capsys, _table(tmp_path, 1), "out.csv", *options, status=2)
    assert said in " ".join(told.split())
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--one-based",), "--one-based has no effect from CSV"),
        (("--pixel-size", 8), "--pixel-size has no effect from CSV"),
        (("--tomogram", "A"), "--tomogram has no effect from CSV"),
        (("--group-id", "class"), "--group-id has no effect from CSV"),
    ],
)
def test_options_that_act_on_neither_format(
    tmp_path: Path, capsys: Shown, options: tuple[object, ...], said: str
) -> None:
    (tmp_path / "a.csv").write_text("tomogram,x,y,z\nA,1,2,3\n")
    told = _run(capsys, tmp_path / "a.csv", tmp_path / "b.csv", *options, status=2)
    assert said in " ".join(told.split())


def test_a_table_of_another_tomogram(tmp_path: Path, capsys: Shown) -> None:
    (tmp_path / "a.csv").write_text("tomogram,x,y,z\nA,1,2,3\n")
    options = ("--tomograms", _tomogram(tmp_path))
    told = _run(capsys, tmp_path / "a.csv", tmp_path / "b.csv", *options, status=2)
    assert "a.csv: is of tomogram A, which is not among those given (TS_1)" in told


def test_a_table_of_tomograms_gives_frames_without_their_volumes(
    shared_data: Path, tmp_path: Path, capsys: Shown
) -> None:
    table = next((shared_data / "relion5_oracle").rglob("tomograms.star"), None)
    if table is None:
        pytest.skip("no table of tomograms there")
    from subtomo.formats.relion_tomograms import read_tomograms_star

    entry = read_tomograms_star(table, require_images=False)[0]
    out = tmp_path / "out.star"
    _run(
        capsys,
        *(_table(tmp_path, 1), out, "--tomograms", table, "--tomogram", entry.name),
        *("--pixel-size", 8),
    )
    block = read_star(out)["particles"]
    centre = entry.frame.centre[0]
    np.testing.assert_allclose(block.numbers("rlnCenteredCoordinateXAngst"), [80 - centre])
    assert read_particles(out, context=TableContext(frames={entry.name: entry.frame})).position[
        0, 0
    ] == pytest.approx(80)


CENTRED = "data_\nloop_\n_rlnTomoName\n" + "".join(
    f"_rlnCenteredCoordinate{axis}Angst\n" for axis in "XYZ"
)


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("in.csv tomogram,x,y,z\nA,1,2,3\n", ("out.xml", "--tomogram-size", 9, 9, 9), "no effect"),
        ("in.json", ("o.csv", "--pixel-size", 8), "--pixel-size has no effect from file of picks"),
        (
            "in.star",
            ("o.tbl", "--pixel-size", 8, "--tomogram-size", 9, 9, 9),
            "--tomogram-size has",
        ),
        ("in.xml", ("o.csv", "--pixel-size", 8, "--tomogram", "ZZ"), "ZZ has no effect: all"),
        (
            "in.csv tomogram,x_px,y_px,z_px\nTS_1,1,2,3\n",
            ("o.star", "--tomograms", "TS_1.mrc", "--tomogram-size", 9, 9, 9),
            "--tomogram-size is 9 x 9 x 9, but tomogram TS_1 (--tomograms) has 80 x 60 x 40",
        ),
    ],
)
def test_options_that_a_file_leaves_nothing_for_are_refused(
    tmp_path: Path,
    capsys: Shown,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    options: tuple[object, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _tomogram(tmp_path)
    name, _, content = source.partition(" ")
    if content:
        Path(name).write_text(content)
    else:
        Path("a.csv").write_text("tomogram,x,y,z\nA,1,2,3\n")
        kind = {"in.star": "relion4", "in.json": "copick", "in.xml": "pytom"}[name]
        _run(capsys, "a.csv", name, "--output-format", kind, "--output-pixel-size", 8)
    told = " ".join(_run(capsys, name, *options, status=2).split())
    assert said in told
    assert not Path(str(options[0])).exists()


def test_a_size_by_hand_reads_centred_coordinates(tmp_path: Path, capsys: Shown) -> None:
    (tmp_path / "in.star").write_text(f"{CENTRED}TS_1 0 10 20\n")
    size = ("--pixel-size", 2, "--tomogram-size", 80, 60, 40)
    _run(capsys, tmp_path / "in.star", tmp_path / "out.csv", *size)
    assert read_particles(tmp_path / "out.csv").position.tolist() == [[80, 70, 60]]


def test_a_map_that_names_no_tomogram_is_refused(tmp_path: Path, capsys: Shown) -> None:
    table = _table(tmp_path, 1, 1, 2)
    (tmp_path / "map.doc").write_text("# none\n")
    words = [table, tmp_path / "out.csv", "--pixel-size", 10, "--tomogram-map"]
    assert "map.doc names no tomogram" in _run(capsys, *words, tmp_path / "map.doc", status=2)
    assert not (tmp_path / "out.csv").exists()


def test_one_file_a_tomogram_in_any_format(tmp_path: Path, capsys: Shown) -> None:
    path = tmp_path / "in.csv"
    path.write_text("tomogram,x,y,z,instance,dynamo.foo\nA,1,2,3,0,5\nB,4,5,6,1,5\n")
    told = _run(capsys, path, tmp_path / "{tomogram}.tbl", "--pixel-size", 8)
    assert {path.name for path in tmp_path.glob("*.tbl")} == {"A.tbl", "B.tbl"}
    assert f"{tmp_path / 'A.tbl'}, {tmp_path / 'B.tbl'}: written (table of Dynamo)" in told
    assert "0 is none among numbers of instances: 1 particle will have none (A.tbl)" in told
    assert "has no columns dynamo.foo" in told
    assert "is lost" not in _run(capsys, path, tmp_path / "{tomogram}.mod", "--pixel-size", 8)
    path.write_text("tomogram,x,y,z\n")
    told = _run(capsys, path, tmp_path / "x{tomogram}.mod", "--pixel-size", 8)
    assert "x{tomogram}.mod: nothing is written, there are no particles" in told
    assert not list(tmp_path.glob("x*"))


def test_the_pixel_size_of_the_tilt_series_may_stand_among_the_particles(
    tmp_path: Path, capsys: Shown
) -> None:
    tags = "".join(f"_rlnCoordinate{axis}\n" for axis in "XYZ") + "_rlnTomoTiltSeriesPixelSize\n"
    (tmp_path / "in.star").write_text(f"data_\nloop_\n_rlnTomoName\n{tags}A 1 2 3 2.5\n")
    _run(capsys, tmp_path / "in.star", tmp_path / "out.star", "--output-format", "relion4")
    optics = read_star(tmp_path / "out.star")["optics"]
    assert optics.numbers("rlnTomoTiltSeriesPixelSize").tolist() == [2.5]


@pytest.mark.parametrize(
    ("source", "target", "options", "named"),
    [
        ("in.tbl", "in.tbl", (), "in.tbl"),
        ("in.tbl", "link/in.tbl", (), "in.tbl"),
        ("in.tbl", "m.tbl", ("--tomogram-map", "m.doc"), "m.doc"),
        ("in.tbl", "in.em", (), "in.doc"),  # read with in.tbl
        ("in.tbl", "folder.csv", (), "folder.csv"),
    ],
)
def test_nothing_that_is_read_and_no_folder_is_replaced(
    tmp_path: Path,
    capsys: Shown,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    target: str,
    options: tuple[str, ...],
    named: str,
) -> None:
    _table(tmp_path, 1)
    (tmp_path / "link").symlink_to(".")
    (tmp_path / "folder.csv").mkdir()
    for path in ("folder.csv/thesis.tex", "m.doc", "in.doc"):
        (tmp_path / path).write_text("1 TS_1\n")
    held = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    monkeypatch.chdir(tmp_path)
    words = (source, target, "--pixel-size", 8, *options, "--overwrite")
    told = _run(capsys, *words, status=2)
    assert named in told
    assert "is an input" in told or "is a folder" in told
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == held
