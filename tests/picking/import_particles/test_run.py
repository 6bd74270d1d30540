"""The command ``subtomo import particles``."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from planted_picks import PIXEL_SIZE, SIZE, off_centre, planted
from scipy.spatial.transform import Rotation

from subtomo.cli.main import run
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.volumes import write_volume
from subtomo.model import Particles, Volume, VoxelGrid
from subtomo.sources.tomograms import open_tomograms

PLACES = planted()[1]
TURNS = Rotation.random(len(PLACES), rng=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_volume(tmp_path / "a.mrc", Volume(planted()[0], PIXEL_SIZE))
    return tmp_path


def table(folder: Path, name: str, coordinates: NDArray[np.float64], **columns: object) -> Path:
    """Write a table of Dynamo that counts like this; its map names tomogram a."""
    particles = Particles(
        np.full(len(coordinates), "a"), coordinates, orientation=TURNS.as_quat(), **columns
    )
    context = TableContext(grids={"a": VoxelGrid(1.0)})
    write_particles(folder / name, particles, context=context)
    return folder / name


def imported(folder: Path, path: Path, *options: object) -> Particles:
    """Run the command and read what it wrote."""
    words = ["import", "particles", path, "--tomograms", folder / "a.mrc", *options]
    words += ["-o", folder / "out", "--overwrite"]
    assert run([str(word) for word in words]) == 0
    return read_particles(
        folder / "out/particles.star", context=TableContext.of(open_tomograms([folder / "a.mrc"]))
    )


def refused(capsys: pytest.CaptureFixture, folder: Path, *options: object) -> str:
    """Run the command, which must refuse and write nothing."""
    words = ["import", "particles", *options, "-o", folder / "out"]
    assert run([str(word) for word in words]) == 2
    assert not (folder / "out").exists()
    return capsys.readouterr().err


def test_picks_that_fit(folder: Path, capsys: pytest.CaptureFixture) -> None:
    found = imported(folder, table(folder, "a.tbl", PLACES))
    np.testing.assert_allclose(found.position, PLACES * PIXEL_SIZE, atol=1e-3)
    turns = Rotation.from_quat(found.orientation)
    assert np.degrees((turns.inv() * TURNS).magnitude()).max() < 1e-2
    said = capsys.readouterr().err
    assert "a: 40 of 40 picks in its volume" in said
    assert "no other choice of scale, origin, flips and y-z exchange fits clearly better" in said


@pytest.mark.parametrize(
    ("coordinates", "advice", "n_inside"),
    [
        (PLACES / 2, "--scale 2", 40),
        (off_centre(), "--origin centre", None),
        (np.array(SIZE) - 1 - PLACES, "--flip xyz", 40),
        (PLACES[:, [0, 2, 1]], "--swap-yz", None),
    ],
)
def test_the_advice_is_right(
    folder: Path,
    capsys: pytest.CaptureFixture,
    coordinates: NDArray[np.float64],
    advice: str,
    n_inside: int | None,
) -> None:
    """What the program proposes puts the picks where they truly are."""
    path = table(folder, "a.tbl", coordinates)
    imported(folder, path)
    said = capsys.readouterr().err
    assert (
        f"warning: {advice} would fit better than the numbers as they are: 40 of 40 picks inside"
        in said
    )
    if n_inside is None:
        within = (coordinates >= -0.5) & (coordinates <= np.array(SIZE) - 0.5)
        n_inside = int(within.all(axis=1).sum())
        assert n_inside < 40
    assert f"a: {n_inside} of 40 picks in its volume" in said
    with (folder / "out/placements.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["options"] for row in rows[:2]] == ["the numbers as they are", advice]
    assert [int(row["picks_inside"]) for row in rows[:2]] == [n_inside, 40]
    found = imported(folder, path, *advice.split())
    np.testing.assert_allclose(found.position, PLACES * PIXEL_SIZE, atol=1e-3)
    assert "fits clearly better" in capsys.readouterr().err


def test_mirrored_picks_look_where_they_should(folder: Path, capsys: pytest.CaptureFixture) -> None:
    """Particles of a tomogram whose z was flipped: their axes point along the mirrored ones."""
    seen = TURNS.as_matrix() * np.array([1, 1, -1])[:, None]  # mirrored axes, as columns
    coordinates = PLACES * [1, 1, -1] + [0, 0, SIZE[2] - 1]
    found = imported(folder, table(folder, "a.tbl", coordinates), "--flip", "z")
    turned = Rotation.from_quat(found.orientation).as_matrix()
    np.testing.assert_allclose(turned[:, :, 2], seen[:, :, 2], atol=1e-4)
    np.testing.assert_allclose(turned[:, :, 0], seen[:, :, 0], atol=1e-4)
    assert "the hand changes" in capsys.readouterr().err
    imported(folder, table(folder, "a.tbl", coordinates), "--flip", "xz")
    assert "the hand changes" not in capsys.readouterr().err


# By hand from voxel (10, 20, 30).
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--one-based"], (90, 190, 290)),
        (["--scale", 2], (200, 400, 600)),
        (["--pixel-size", 20], (200, 400, 600)),
        (["--pixel-size", 20, "--scale-keeps", "corner"], (205, 405, 605)),
        (["--shift", 5, -5, 2.5], (105, 195, 302.5)),
        (["--swap-yz"], (100, 300, 200)),
        (["--flip", "y"], (100, 510, 300)),
    ],
)
def test_options(folder: Path, options: list[object], expected: tuple[float, ...]) -> None:
    path = table(folder, "a.tbl", np.tile([10.0, 20, 30], (len(PLACES), 1)))
    found = imported(folder, path, *options, "--no-density")
    np.testing.assert_allclose(found.position[0], expected, atol=1e-3)


def test_density_is_looked_at_unless_told(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = table(folder, "a.tbl", PLACES / 2)
    imported(folder, path, "--no-density")
    assert "would fit better" not in capsys.readouterr().err


def test_advice_against_an_option_can_be_followed(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    path = table(folder, "a.tbl", PLACES)
    imported(folder, path, "--scale", 8, "--scale-keeps", "corner", "--no-density")
    said = capsys.readouterr().err
    advice = "the numbers as they are would fit better than --scale 8 --scale-keeps corner: 40 of"
    assert f"warning: {advice}" in said
    assert "density" not in said


def test_picks_outside_are_kept_or_dropped(folder: Path, capsys: pytest.CaptureFixture) -> None:
    places = PLACES.copy()
    places[3] = (-20, 5, 5)
    path = table(folder, "a.tbl", places, box_size=np.full(len(places), 24))
    assert len(imported(folder, path)) == 40
    assert "warning: a: 39 of 40 picks in its volume" in capsys.readouterr().err
    kept = imported(folder, path, "--drop-outside", "--box-size", 32)
    assert len(kept) == 39
    assert (kept.position.min(axis=0) > 0).all()


def test_a_box_size_is_noted(folder: Path) -> None:
    path = table(folder, "a.tbl", PLACES)
    assert imported(folder, path, "--box-size", 32).box_size.tolist() == [32] * 40


def test_names_of_tomograms(folder: Path) -> None:
    path = table(folder, "a.tbl", PLACES)
    (folder / "a.doc").unlink()
    (folder / "map.txt").write_text("1 /elsewhere/a.rec\n")
    (folder / "list.vll").write_text("/elsewhere/a.rec\n* index = 1\n")
    for options in (
        ["--tomogram", "a"],
        ["--tomogram-map", folder / "map.txt"],
        ["--tomogram-map", folder / "list.vll"],
    ):
        found = imported(folder, path, *options, "--no-density")
        assert set(found.tomogram.tolist()) == {"a"}


def test_an_empty_table(folder: Path, capsys: pytest.CaptureFixture) -> None:
    (folder / "empty.tbl").write_text("")
    assert len(imported(folder, folder / "empty.tbl")) == 0
    assert "the tables hold no picks" in capsys.readouterr().err


def test_bad_input(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = table(folder, "a.tbl", PLACES)
    here = [path, "--tomograms", folder / "a.mrc"]
    for axes in ("q", "", "xx"):
        assert "expected axes such as z or xy" in refused(capsys, folder, *here, "--flip", axes)
    for far in (["--scale", 1e300], ["--shift", 0, -1e7, 0], ["--box-size", 10**20]):
        assert f"{far[0]}" in refused(capsys, folder, *here, *far)
    assert "a.tbl is given twice; expected each file once" in refused(capsys, folder, path, *here)
    both = ["--scale", 2, "--pixel-size", 20]
    assert "exclude each other" in refused(capsys, folder, *here, *both)
    assert "--scale-keeps corner needs" in refused(capsys, folder, *here, "--scale-keeps", "corner")
    assert "--one-based has no effect with --origin centre" in refused(
        capsys, folder, *here, "--one-based", "--origin", "centre"
    )
    assert "no such file" in refused(capsys, folder, folder / "no.tbl", *here[1:])
    (folder / "a.doc").write_text("1 other.mrc\n")
    assert "is of tomogram other, which is not among those given (a)" in refused(
        capsys, folder, *here
    )
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0].replace(lines[0].split()[23], "here"), *lines[1:]]))
    said = refused(capsys, folder, *here)
    assert "a.tbl, line 1" in said
    assert "here" in said
    write_particles(folder / "p.csv", Particles(np.array(["a"]), np.ones((1, 3))))
    for options in (["--one-based"], ["--pixel-size", 5]):
        words = [folder / "p.csv", "--tomograms", folder / "a.mrc", *options]
        said = refused(capsys, folder, *words)
        assert f"p.csv: {options[0]} has no effect: its positions are not counted in" in said
    assert "--tomogram has no effect with a CSV" in refused(
        capsys, folder, folder / "p.csv", "--tomograms", folder / "a.mrc", "--tomogram", "a"
    )


def test_pixel_sizes_that_differ(folder: Path, capsys: pytest.CaptureFixture) -> None:
    write_volume(folder / "b.mrc", Volume(planted()[0], 20.0))
    path = table(folder, "a.tbl", PLACES)
    particles = Particles(np.array(["a", "b"]), np.full((2, 3), 10.0))
    context = TableContext(grids={"a": VoxelGrid(1.0), "b": VoxelGrid(1.0)})
    write_particles(path, particles, context=context)
    words = [path, "--tomograms", folder / "a.mrc", "--tomograms", folder / "b.mrc"]
    assert "--pixel-size needs tomograms of one pixel size; found 10 to 20 Å" in refused(
        capsys, folder, *words, "--pixel-size", 5
    )
    assert "--shift needs tomograms of one" in refused(capsys, folder, *words, "--shift", 1, 1, 1)
