"""The command ``subtomo import dynamo-catalogue``."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from dynamo_objects import a_catalogue, a_model

from subtomo.cli.main import run
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.picking.models.model_file import read_models
from subtomo.sources.tomograms import open_tomograms

VALUES = np.zeros((12, 20, 16), dtype=np.float32)
POINTS = np.array([[3.0, 4, 5], [6, 7, 8]])
ROW = "{tag} 1 1 0 0 0 10 20 30 0.5 0 0 1 -60 60 0 0 0 0 {tomo} 0 1 0 {x} {y} {z} 0 0 0 0 1 0 0 0 0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mrc", "b.mrc", "raw/a_raw.mrc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with mrcfile.new(tmp_path / name, VALUES) as file:
            file.voxel_size = 8.0
    return tmp_path


def import_words(folder: Path, *options: object) -> list[str]:
    words = ["import", "dynamo-catalogue", *options, "-o", folder / "out"]
    return [str(word) for word in (*words, "--executor", "inline")]


def refused(capsys: pytest.CaptureFixture, folder: Path, *options: object) -> str:
    """Run the command, which must refuse and write nothing."""
    assert run(import_words(folder, *options)) == 2
    assert not (folder / "out").exists()
    return capsys.readouterr().err


def table(path: Path, *places: tuple[float, float, float], tomogram: int = 1) -> None:
    rows = [
        ROW.format(tag=tag, tomo=tomogram, x=x, y=y, z=z) for tag, (x, y, z) in enumerate(places, 1)
    ]
    path.write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("version", ["v7", "v7.3"])
def test_a_catalogue(folder: Path, version: str, capsys: pytest.CaptureFixture) -> None:
    a_catalogue(
        folder / "cat.ctlg",
        ["a.mrc", "/of/another/machine/b.mrc"],
        version,
        apix=10.0,
        ftype=1.0,
        ytilt=np.array([[-57.0, 60.0]]),
    )
    models = folder / "cat/tomograms/volume_1/models"
    a_model(models / "mgeneral.omd", POINTS, version)
    a_model(models / "mgeneral_2.omd", POINTS + 1, version)
    a_model(folder / "cat/tomograms/volume_2/models/mgeneral.omd", POINTS, version)
    words = ["--look-in", folder, "--tilt-step", 9, "--box-size", 24]
    assert run(import_words(folder, folder / "cat.ctlg", *words)) == 0
    assert "header says pixel size 8 Å, but 10 Å was given" in capsys.readouterr().err
    first, second = open_tomograms([folder / "out"])
    assert (first.name, second.name) == ("a", "b")
    assert first.volume.pixel_size == 10
    assert first.tilt_series is not None
    np.testing.assert_allclose(first.tilt_series.tilt_angles, np.arange(-57, 61, 9))
    found = read_models(folder / "out/models.json")
    names = [(model.tomogram, model.name) for model in found]
    assert names == [("a", "mgeneral"), ("a", "mgeneral_2"), ("b", "mgeneral")]
    assert found[0].points == ((30, 40, 50), (60, 70, 80))
    assert {model.box_size for model in found} == {24}


def test_a_list_of_volumes(folder: Path, capsys: pytest.CaptureFixture) -> None:
    table(folder / "a.tbl", (3, 4, 5), (6, 7, 8))
    table(folder / "b.tbl", (1, 2, 3), tomogram=2)
    a_model(folder / "mine/mgeneral.omd", POINTS)
    (folder / "list.vll").write_text(
        "# two tomograms\na.mrc\n* xtilt = -50 50\n* ytilt = -60 60\n> a.tbl\n! mine\n\n"
        "b.mrc\n* ytilt = -60 60\n* ftype = 1\n> b.tbl\n"
    )
    assert run(import_words(folder, folder / "list.vll", "--box-size", 32, "--one-based")) == 0
    tomograms = open_tomograms([folder / "out"])
    assert [len(t.tilt_series) for t in tomograms if t.tilt_series] == [41 + 34, 41]
    particles = read_particles(folder / "out/particles.star", context=TableContext.of(tomograms))
    assert particles.tomogram.tolist() == ["a", "a", "b"]
    np.testing.assert_allclose(particles.position[0], [16, 24, 32], atol=1e-3)  # 8 Å from voxel 1
    assert particles.box_size.tolist() == [32] * 3
    assert read_models(folder / "out/models.json")[0].points[0] == (16, 24, 32)
    assert "3 particles" in capsys.readouterr().err


def test_a_map_of_tomograms(folder: Path) -> None:
    (folder / "map.doc").write_text("1 a.mrc\n5 b.mrc\n")
    assert run(import_words(folder, folder / "map.doc", "--copy", "--pixel-size", 9)) == 0
    found = open_tomograms([folder / "out"])
    assert [(t.tilt_series, t.volume.pixel_size) for t in found] == [(None, 9), (None, 9)]
    assert not (folder / "out/tomograms/a.mrc").is_symlink()
    assert not (folder / "out/models.json").exists()
    assert not (folder / "out/particles.star").exists()


def test_volumes_to_crop_from(folder: Path, capsys: pytest.CaptureFixture) -> None:
    text = "a.mrc\n* cropFromElsewhere = 1\n* cropFromFile = raw/a_raw.mrc\n"
    (folder / "list.vll").write_text(text)
    words = import_words(folder, folder / "list.vll", "--overwrite", "--quiet")
    for options, source in ([], "a.mrc"), (["--cropping-volumes"], "a_raw.mrc"):
        assert run([*words, *options]) == 0
        assert (folder / "out/tomograms/a.mrc").readlink().name == source
        assert open_tomograms([folder / "out"])[0].name == "a"
    with mrcfile.new(folder / "raw/a_raw.mrc", VALUES[:6], overwrite=True) as file:
        file.voxel_size = 8.0
    assert run([*words, "--cropping-volumes"]) == 2
    assert "expected the same, since models count in them" in capsys.readouterr().err


def test_models_that_cannot_be_read_are_told(folder: Path, capsys: pytest.CaptureFixture) -> None:
    (folder / "broken.omd").write_bytes(b"no MAT file" * 100)
    a_model(folder / "mfilamentSubunitsInHelix.omd", POINTS)  # tells no radius
    a_model(folder / "mdipoleSet.omd", POINTS)
    a_model(folder / "mvesicleOfOurs.omd", POINTS)
    text = "a.mrc\n* ftype = 7\n! broken.omd\n! mfilamentSubunitsInHelix.omd\n! mdipoleSet.omd\n"
    (folder / "list.vll").write_text(text + "! mvesicleOfOurs.omd\n")
    assert run(import_words(folder, folder / "list.vll")) == 0
    said = capsys.readouterr().err
    assert "left out: " in said
    assert "broken.omd: cannot be read as a MAT file" in said
    assert "m = dread('broken.omd'); dlmwrite('broken.txt', m.points" in said
    assert "InHelix.omd: radius is missing; its points become a general model" in said
    assert "tells no norths of its dipoles" in said
    assert "mvesicleOfOurs.omd: is of no known type of model" in said
    assert "a.mrc: its ftype is not read" in said
    models = read_models(folder / "out/models.json")
    assert [model.type for model in models] == ["general"] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("absent.mrc\n", "lists absent.mrc, not found; give the folder of the tomograms with"),
        ("a.mrc\n* apix = large\n", "apix of a.mrc is 'large'; expected a positive number"),
        ("a.mrc\n* ytilt = 60 -60\n", "ytilt of a.mrc is 60 -60; expected two increasing"),
        ("a.mrc\n* ytilt = 60\n", "ytilt of a.mrc is '60'; expected 2 numbers"),
        ("a.mrc\n> a.txt\n", "a.txt of a.mrc is neither a table"),
        ("a.mrc\n> absent.tbl\n", "absent.tbl of a.mrc is not found"),
        ("a.mrc\na.mrc\n", "are both called a; expected different names"),
        ("* apix = 2\n", "stands before any tomogram"),
        ("a.mrc\n* cropFromFile = gone.mrc\n", "cropFromFile gone.mrc is not found"),
    ],
)
def test_bad_lists(folder: Path, capsys: pytest.CaptureFixture, text: str, message: str) -> None:
    (folder / "a.txt").write_text("1 2 3\n")
    (folder / "list.vll").write_text(text)
    assert message in refused(capsys, folder, folder / "list.vll", "--cropping-volumes")


def test_bad_files(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert "no such file" in refused(capsys, folder, folder / "no.vll")
    assert "expected .ctlg, .vll or .doc" in refused(capsys, folder, folder / "a.mrc")
    (folder / "cat.ctlg").write_bytes(b"no MAT file" * 100)
    assert "in MATLAB, beside the catalogue: s = load(" in refused(
        capsys, folder, folder / "cat.ctlg"
    )
    (folder / "list.vll").write_text("a.mrc\n")
    assert "--look-in nowhere: no such folder" in refused(
        capsys, folder, folder / "list.vll", "--look-in", "nowhere"
    )


def test_an_empty_list(folder: Path) -> None:
    (folder / "list.vll").write_text("# nothing yet\n")
    assert run(import_words(folder, folder / "list.vll")) == 0
    assert (folder / "out/tomograms.star").is_file()


def test_particles_outside_are_told(folder: Path, capsys: pytest.CaptureFixture) -> None:
    table(folder / "t.tbl", (3, 4, 5), (3, 4, 500))
    (folder / "list.vll").write_text("a.mrc\n> t.tbl\n")
    assert run(import_words(folder, folder / "list.vll")) == 0
    assert "1 of 2 particles are outside tomogram a" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--one-based"], ["--box-size", 32], ["--tilt-step", 2], ["--cropping-volumes"]]
)
def test_options_that_concern_nothing(
    folder: Path, capsys: pytest.CaptureFixture, option: list[object]
) -> None:
    (folder / "map.doc").write_text("1 a.mrc\n")
    err = refused(capsys, folder, folder / "map.doc", *option)
    assert f"so that {option[0]} has no effect" in err
