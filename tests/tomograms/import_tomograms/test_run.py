"""The command ``subtomo import tomograms``, and what reads its folder."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.em import write_em
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.table_context import TableContext
from subtomo.formats.volumes import write_volume
from subtomo.model import Particles, Tomogram, Volume
from subtomo.sources.tomograms import open_tomograms

VALUES = np.random.default_rng(1).normal(0, 1, (16, 24, 20)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Volumes of MRC (as IMOD leaves it), EM and OME-Zarr."""
    with mrcfile.new(tmp_path / "TS_01_rec.mrc", VALUES) as file:
        file.voxel_size = 8.0
        file.header.origin = (40, 48, 32)
    write_em(tmp_path / "TS_02_rec.em", VALUES)
    write_volume(tmp_path / "TS_03_rec.zarr", Volume(VALUES, 8.0, (1.0, 2.0, 3.0)))
    return tmp_path


def imported(folder: Path, *options: object) -> list[Tomogram]:
    """Run the command and open what it wrote."""
    words = ["import", "tomograms", *options, "-o", folder / "out", "--overwrite", "--quiet"]
    words += ["--executor", "inline"]
    assert run([str(word) for word in words]) == 0
    return open_tomograms([folder / "out"])


def refused(capsys: pytest.CaptureFixture, folder: Path, *options: object) -> str:
    """Run the command, which must refuse and write nothing; give what it says."""
    words = ["import", "tomograms", *options, "-o", folder / "out"]
    assert run([str(word) for word in words]) == 2
    assert not (folder / "out").exists()
    said = capsys.readouterr().err.strip()
    assert "\n" not in said.removeprefix("warning").rpartition("warning")[2]
    return said


def test_all_formats_linked(folder: Path, capsys: pytest.CaptureFixture) -> None:
    found = imported(folder, folder, "--pattern", "{TS}_rec.*", "--pixel-size", 10)
    assert [t.name for t in found] == ["TS_01", "TS_02", "TS_03"]
    for tomogram in found:
        np.testing.assert_array_equal(tomogram.volume.load(), VALUES)
        assert tomogram.volume.pixel_size == 10
        assert tomogram.tilt_series is None
    assert [t.volume.origin for t in found] == [(0, 0, 0), (0, 0, 0), (1, 2, 3)]
    said = capsys.readouterr().err
    assert "TS_01_rec.mrc: header says pixel size 8 Å, but 10 Å was given" in said
    assert "TS_02" not in said  # the EM file says none
    for suffix in ("mrc", "em", "zarr"):
        links = list((folder / "out/tomograms").glob(f"*.{suffix}"))
        assert [link.is_symlink() for link in links] == [True]
        assert str(links[0].readlink()).startswith(str(folder))


def test_a_copy_outlives_its_source(folder: Path) -> None:
    found = imported(folder, folder / "TS_01_rec.mrc", folder / "TS_03_rec.zarr", "--copy")
    assert [t.volume.pixel_size for t in found] == [8, 8]
    assert not any(path.is_symlink() for path in (folder / "out/tomograms").iterdir())
    copied = (folder / "out/tomograms/TS_01_rec.mrc").read_bytes()
    assert copied == (folder / "TS_01_rec.mrc").read_bytes()


def test_words_are_left_out(folder: Path) -> None:
    found = imported(folder, folder, "--exclude", "02 03")
    assert [t.name for t in found] == ["TS_01_rec"]


# By hand: 20 x 24 x 16 voxels of 8 Å; full resolution has voxels of 4 Å.
@pytest.mark.parametrize(
    ("options", "origin", "size"),
    [
        ([], (0, 0, 0), (20, 24, 16)),
        (["--origin", "header"], (40, 48, 32), (20, 24, 16)),
        (["--origin-at", 8, 16, -4], (8, 16, -4), (20, 24, 16)),
        (["--origin", "block-mean", "--binning", 2], (2, 2, 2), (40, 48, 32)),
        (["--origin", "first-voxel", "--binning", 2], (0, 0, 0), (40, 48, 32)),
        (
            ["--origin", "centre", "--binning", 2, "--full-size", 41, 50, 40],
            (2, 4, 16),
            (41, 50, 40),
        ),
    ],
)
def test_origins(folder: Path, options: list[object], origin: object, size: object) -> None:
    (tomogram,) = imported(folder, folder / "TS_01_rec.mrc", *options)
    assert tomogram.volume.origin == origin
    assert tomogram.frame.size_px == size
    assert tomogram.frame.pixel_size == (4 if "--binning" in options else 8)
    tilted = imported(folder, folder / "TS_01_rec.mrc", "--tilt-range", -60, 60, *options)
    assert tilted[0].volume.origin == origin
    assert tilted[0].frame == tomogram.frame


def test_auto_takes_the_origin_of_our_own_files(folder: Path) -> None:
    path = folder / "TS_03_rec.zarr"
    assert imported(folder, path)[0].volume.origin == (1, 2, 3)
    assert imported(folder, path, "--origin", "first-voxel")[0].volume.origin == (0, 0, 0)


def test_what_counts_from_the_centre_is_told(folder: Path, capsys: pytest.CaptureFixture) -> None:
    imported(folder, folder / "TS_01_rec.mrc", "--origin-at", -80, -96, -64)
    assert "half its size before 0: this counts from the centre" in capsys.readouterr().err
    imported(folder, folder / "TS_01_rec.mrc", "--origin-at", 40, 48, 32)
    assert "reaches beyond the full-resolution tomogram" in capsys.readouterr().err
    imported(folder, folder / "TS_01_rec.mrc", "--origin-at", 40, 48, 32, "--full-size", 40, 40, 40)
    assert capsys.readouterr().err == ""


def test_typed_tilts(folder: Path) -> None:
    options = ["--tilt-range", -50, 52, "--tilt-step", 2, "--tilt-axis-angle", 85]
    options += ["--second-tilt-range", -40, 40, "--second-tilt-step", 4]
    microscope = ["--voltage", 200, "--spherical-aberration", 2, "--amplitude-contrast", 0.1]
    imported(folder, folder / "TS_01_rec.mrc", *options, *microscope)
    (entry,) = read_tomograms_star(folder / "out/tomograms.star")
    series = entry.tilt_series
    np.testing.assert_allclose(series.tilt_angles[:52], np.arange(-50, 53, 2))
    np.testing.assert_allclose(series.tilt_angles[52:], 0, atol=1e-6)
    np.testing.assert_allclose(series.x_tilts[52:], np.arange(40, -41, -4), atol=1e-6)
    np.testing.assert_allclose(series.tilt_axis_angles, 85)
    assert vars(series.acquisition) == {
        "voltage": 200,
        "spherical_aberration": 2,
        "amplitude_contrast": 0.1,
    }
    imported(
        folder, folder / "TS_01_rec.mrc", *options, "--second-tilt-axis-angle", -5
    )  # the other way around
    (entry,) = read_tomograms_star(folder / "out/tomograms.star")
    np.testing.assert_allclose(entry.tilt_series.x_tilts[52:], np.arange(-40, 41, 4), atol=1e-6)


def test_the_step_that_is_told_is_the_one_of_the_table(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    words = ["import", "tomograms", folder / "TS_01_rec.mrc", "--tilt-range", -60, 60]
    words += ["--tilt-step", 7, "-o", folder / "out"]
    assert run([str(word) for word in words]) == 0
    (entry,) = read_tomograms_star(folder / "out/tomograms.star")
    np.testing.assert_allclose(np.diff(entry.tilt_series.tilt_angles), 120 / 17, atol=1e-6)
    assert "-60° to 60° by 7.059° (7° does not divide" in capsys.readouterr().err


def test_tilts_of_a_file(folder: Path) -> None:
    (folder / "tilts.txt").write_text("TS_01_rec.mrc -60 60 3 85\nTS_03 -40 40 4 0 -30 30 3 90\n")
    found = imported(
        folder, folder, "--exclude", "02", "--pattern", "{TS}_rec.*",
        "--acquisition", folder / "tilts.txt",
    )  # fmt: skip
    assert [len(t.tilt_series) for t in found if t.tilt_series] == [41, 21 + 21]


def test_every_command_takes_the_folder(folder: Path, capsys: pytest.CaptureFixture) -> None:
    """Picks at known density come out of extraction and conversion where they were."""
    values = np.zeros((24, 24, 24), dtype=np.float32)
    values[10, 12, 9] = 1
    with mrcfile.new(folder / "point.mrc", values) as file:
        file.voxel_size = 5.0
    (tomogram,) = imported(
        folder, folder / "point.mrc", "--tilt-range", -60, 60, "--origin", "block-mean",
        "--binning", 2, "--pixel-size", 10,
    )  # fmt: skip
    capsys.readouterr()
    place = np.array([[9, 12, 10]]) * 10.0 + 2.5
    picks = Particles(np.array(["point"]), place)
    write_particles(folder / "picks.star", picks, context=TableContext.of([tomogram]))
    words = [
        *("extract", "volumes", folder / "picks.star", "--tomograms", folder / "out"),
        *("--box-size", 8, "--no-normalise", "-o", folder / "boxes", "--quiet"),
    ]
    code = run([str(word) for word in words])
    said = capsys.readouterr().err
    assert (code, said) == (0, "")  # no word of the pixel size, which the table states
    boxes = sorted((folder / "boxes").rglob("*.mrc*"))
    data = mrcfile.read(next(b for b in boxes if "weight" not in b.name and "ctf" not in b.name))
    assert np.unravel_index(np.argmax(data), data.shape)[-3:] == (4, 4, 4)
    words = [
        *("convert", "particles", folder / "picks.star", folder / "picks.tbl"),
        *("--tomograms", folder / "out"),
    ]
    assert run([str(word) for word in words]) == 0
    row = (folder / "picks.tbl").read_text().split()
    np.testing.assert_allclose([float(v) for v in row[23:26]], [9, 12, 10], atol=1e-6)


def test_pick_match_takes_the_folder(folder: Path) -> None:
    values = np.zeros((28, 28, 28), dtype=np.float32)
    distance = np.linalg.norm(np.mgrid[:12, :12, :12] - 6, axis=0)
    template = (distance < 3.5).astype(np.float32)
    values[6:18, 8:20, 10:22] = template
    with mrcfile.new(folder / "t.mrc", values + 0.01 * np.resize(VALUES, values.shape)) as file:
        file.voxel_size = 10.0
    write_volume(folder / "template.mrc", Volume(template, 10.0))
    imported(folder, folder / "t.mrc")
    words = [
        *("pick", "match", folder / "out", "--template", folder / "template.mrc"),
        *("--angular-step", 90, "--symmetry", "O", "--diameter", 70, "--max-particles", 1),
        *("-o", folder / "picks", "--quiet"),
    ]
    assert run([str(word) for word in words]) == 0
    picks = read_particles(
        folder / "picks/particles.star",
        context=TableContext.of(open_tomograms([folder / "out"])),
    )
    np.testing.assert_allclose(picks.position[0], [160, 140, 120], atol=6)


def test_an_import_goes_on(folder: Path) -> None:
    words = ["import", "tomograms", folder, "--pixel-size", 8, "--copy", "-o", folder / "out"]
    arguments = [str(word) for word in (*words, "--quiet", "--executor", "inline")]
    assert run(arguments) == 0
    (folder / "out/tomograms/TS_02_rec.em").unlink()
    assert run([*arguments, "--resume"]) == 0
    assert (folder / "out/tomograms/TS_02_rec.em").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pattern", "*.nothing"], "no volume fits the pattern"),
        ([], r"TS_02_rec.em: header says pixel size 0 Å"),
        (["--pixel-size", 8, "--origin", "header"], "files of this format say no origin"),
        (["--origin", "block-mean"], "--origin block-mean needs --binning"),
        (["--origin", "header", "--origin-at", 0, 0, 0], "exclude each other"),
        (["--tilt-range", 60, -60], "expected two increasing angles"),
        (["--tilt-step", 2], "--tilt-step needs --tilt-range"),
        (["--second-tilt-range", -60, 60], "--second-tilt-range needs --tilt-range"),
        (["--exclude", " "], "--exclude holds no word"),
        (["--pixel-size", 1e-12], "expected at least 0.01"),
        (["--pixel-size", 1e12], "expected at most 10000"),
        (["--origin-at", 0, 1e30, 0], "--origin-at is 0 1e+30 0; expected Å within 1e+06"),
        (
            [
                *("--tilt-range", -60, 60, "--tilt-axis-angle", 5),
                *("--second-tilt-range", -60, 60, "--second-tilt-axis-angle", -175),
            ],
            "--second-tilt-axis-angle is -175, which is the first axis (5) again",
        ),
        (["--voltage", 200], "--voltage needs --tilt-range or --acquisition"),
        (["--full-size", 0, 1, 1], "expected three positive numbers"),
    ],
)
def test_bad_options(
    folder: Path, capsys: pytest.CaptureFixture, options: list[object], message: str
) -> None:
    assert message in refused(capsys, folder, folder, *options)


def test_bad_files(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert "no such file" in refused(capsys, folder, folder / "absent.mrc")
    (folder / "broken.mrc").write_bytes(b"x" * 500)
    assert "broken.mrc: " in refused(capsys, folder, folder / "broken.mrc")
    with mrcfile.new(folder / "flat.mrc", VALUES[:1]) as file:
        file.voxel_size = 8.0
    assert "flat.mrc: is one image" in refused(capsys, folder, folder / "flat.mrc")
    (folder / "tilts.txt").write_text("other.mrc -60 60 3 85\n")
    said = refused(capsys, folder, folder / "TS_01_rec.mrc", "--acquisition", folder / "tilts.txt")
    assert "no row for tomogram TS_01_rec; found rows for other.mrc" in said
    (folder / "tilts.txt").write_text("TS_01_rec -50 50 2 85\nTS_01_rec.mrc -60 60 3 85\n")
    said = refused(capsys, folder, folder / "TS_01_rec.mrc", "--acquisition", folder / "tilts.txt")
    assert "rows TS_01_rec.mrc and TS_01_rec are both of tomogram TS_01_rec" in said


@pytest.mark.parametrize("has_job", [False, True])
def test_an_import_never_replaces_what_it_reads(
    folder: Path, capsys: pytest.CaptureFixture, has_job: bool
) -> None:
    inside = folder / "out/tomograms/A.mrc"
    inside.parent.mkdir(parents=True)
    (folder / "TS_01_rec.mrc").rename(inside)
    before = inside.read_bytes()
    if has_job:
        imported(folder, folder / "TS_03_rec.zarr")
    words = ["import", "tomograms", str(inside.parent), "-o", str(folder / "out"), "--overwrite"]
    assert run(words) == 2
    assert "A.mrc is there, and " in capsys.readouterr().err
    assert inside.read_bytes() == before
    assert not inside.is_symlink()


def test_only_a_volume_that_an_import_copied_is_replaced(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    source = folder / "TS_01_rec.mrc"
    there = folder / "out/tomograms/TS_01_rec.mrc"
    for copy in ("--copy", "--copy", "--link", "--link"):
        imported(folder, source, copy)
        assert there.is_symlink() == (copy == "--link")
    there.unlink()
    there.write_text("mine")
    assert run(["import", "tomograms", str(source), "-o", str(folder / "out"), "--overwrite"]) == 2
    assert "TS_01_rec.mrc is there, and no import wrote it" in capsys.readouterr().err
    assert there.read_text() == "mine"


def test_tilts_too_many_to_be_meant_are_refused(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    words = [folder / "TS_01_rec.mrc", "--tilt-range", "-60", "60", "--tilt-step", "1e-9"]
    assert "0.01" in refused(capsys, folder, *words)
    (folder / "tilts.txt").write_text("TS_01_rec.mrc -60 60 1e-9 0\n")
    words = [folder / "TS_01_rec.mrc", "--acquisition", folder / "tilts.txt"]
    assert "a step from 0.01 to 90" in refused(capsys, folder, *words)
