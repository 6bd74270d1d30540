"""The whole command on small tomograms with planted particles."""

import csv

import numpy as np
import pytest
import torch
from matched import (
    PLACES,
    PX,
    SHAPE,
    STEP,
    TURNS,
    density,
    match,
    noise,
    places,
    planted,
    thresholds,
    voxels,
)

from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import angular_distance
from subtomo.model import Volume
from subtomo.signal.rotation import rotate_volumes


def test_planted_particles_are_found_with_their_orientations(world):
    folder, orientations = world
    picks = match(folder)
    assert voxels(picks) == places()
    order = [
        next(i for i, p in enumerate(PLACES) if np.allclose(p, np.rint(q / PX)))
        for q in picks.position
    ]
    assert angular_distance(picks.orientation, orientations[order]).max() < 0.01
    # sub-voxel: they sit on voxels
    assert np.abs(picks.position / PX - np.rint(picks.position / PX)).max() < 0.35
    assert set(picks.class_name) == {"lump"}
    assert set(picks.source) == {"match"}
    assert set(picks.tomogram) == {"tomo"}
    assert (picks.box_size == 14).all()
    assert (np.diff(picks.score) <= 0).all()


def test_the_score_and_orientation_volumes_hold_the_picks(world):
    folder, _ = world
    picks = match(folder)
    score = read_volume(folder / "out/scores/tomo_lump_score.mrc")
    index = read_volume(folder / "out/scores/tomo_lump_orientation.mrc")
    assert score.shape == SHAPE
    assert score.pixel_size == PX
    with (folder / "out/scores/tomo_lump_orientations.csv").open() as file:
        rows = [[float(row[q]) for q in ("qx", "qy", "qz", "qw")] for row in csv.DictReader(file)]
    for i in range(4):
        x, y, z = np.rint(picks.position[i] / PX).astype(int)
        assert score.data[z, y, x] == pytest.approx(picks.score[i], abs=1e-5)
        found = np.array(rows[int(index.data[z, y, x])])
        assert angular_distance(found, picks.orientation[i])[0] < 1e-3
    assert index.data.max() < len(rows)
    # mask wholly inside: a border of half a box is not searched
    assert (index.data[0] == -1).all()
    assert (score.data[0] == 0).all()
    assert not (folder / "out/tiles").exists()


@pytest.mark.slow
def test_small_tiles_give_the_same_picks(world):
    folder, _ = world
    whole, tiled = match(folder), match(folder, "tiled", tile_size=26)
    np.testing.assert_allclose(whole.position, tiled.position, atol=0.05)
    np.testing.assert_allclose(whole.score, tiled.score, atol=1e-5)
    scores = [read_volume(folder / o / "scores/tomo_lump_score.mrc").data for o in ("out", "tiled")]
    np.testing.assert_allclose(*scores, atol=2e-5)


@pytest.mark.slow
def test_processes_give_the_same_bytes(world):
    folder, _ = world
    match(folder, tile_size=26)
    match(folder, "two", tile_size=26, executor="processes", workers=2)
    files = sorted(
        p.relative_to(folder / "out")
        for p in (folder / "out").rglob("*")
        if p.is_file() and p.suffix in (".mrc", ".csv", ".star")
    )
    assert len(files) == 6
    for file in files:
        assert (folder / "out" / file).read_bytes() == (folder / "two" / file).read_bytes(), file


@pytest.mark.slow
def test_an_interrupted_job_goes_on_to_the_same_bytes(world, monkeypatch):
    folder, _ = world
    match(folder, tile_size=26)
    with monkeypatch.context() as patched:
        patched.setattr("subtomo.picking.matching.run.merge_tiles", interrupt)
        with pytest.raises(KeyboardInterrupt):
            match(folder, "cut", tile_size=26)
    assert (folder / "cut/tiles").exists()
    match(folder, "cut", tile_size=26, resume=True)
    match(folder, "cut", tile_size=26, resume=True)  # nothing left to do
    for file in ("particles.star", "thresholds.csv", "scores/tomo_lump_score.mrc"):
        assert (folder / "out" / file).read_bytes() == (folder / "cut" / file).read_bytes()


def test_starting_afresh_leaves_what_is_not_its_own(world):
    mine = [world[0] / "out" / name for name in ("tiles/mine.txt", "mine.mrc")]
    mine[0].parent.mkdir(parents=True)
    for path in mine:
        path.touch()
    for _ in range(2):
        match(world[0], overwrite=True)
    assert all(path.exists() for path in mine)
    assert [path.name for path in mine[0].parent.iterdir()] == ["mine.txt"]


def interrupt(payload):
    raise KeyboardInterrupt


def test_dark_protein_is_turned(world):
    folder, _ = world
    tomogram = read_volume(folder / "tomo.mrc")
    write_volume(folder / "dark.mrc", tomogram.with_data(50 - tomogram.data))
    template = read_volume(folder / "lump.mrc")
    write_volume(folder / "hole.mrc", template.with_data(3 - template.data))
    dark = {"tomograms": [folder / "dark.mrc"], "template": [folder / "hole.mrc"]}
    assert len(match(folder, **dark, threshold=7.0, invert_template=True)) == 0
    picks = match(folder, "both", **dark, invert_template=True, invert_tomograms=True)
    assert voxels(picks) == places()


def test_box_size_and_group_are_stored_with_the_picks(world):
    folder, _ = world
    picks = match(folder, box_size=40, pick_group="second try", threshold=7.0)
    assert set(picks.box_size) == {40}
    assert set(picks.source) == {"second try"}


def test_maps_are_written_as_zarr_where_asked(world):
    folder, _ = world
    picks, same = (
        match(folder, threshold=7.0),
        match(folder, "z", threshold=7.0, score_format="zarr"),
    )
    np.testing.assert_array_equal(picks.position, same.position)
    for what in ("score", "orientation"):
        mrc, zarr = (
            read_volume(folder / f"{out}/scores/tomo_lump_{what}.{suffix}")
            for out, suffix in (("out", "mrc"), ("z", "zarr"))
        )
        np.testing.assert_array_equal(np.asarray(mrc.data), np.asarray(zarr.data[...]))
        assert zarr.pixel_size == PX
        assert not (folder / f"z/scores/tomo_lump_{what}.mrc").exists()


def test_the_report_shows_thresholds_with_their_fit_scores_and_picks(world):
    folder, _ = world
    match(folder)
    page = (folder / "out/report.html").read_text()
    assert page.count("data:image/png") == 4  # histogram, scores, tomogram, directions
    row = thresholds(folder, "out")[0]
    assert f"{float(row['threshold_sigma']):.4g}" in page
    assert "tomo, lump" in page
    match(folder, "none", threshold=30.0)
    assert (folder / "none/report.html").read_text().count("data:image/png") == 3


def test_templates_compete(tmp_path):
    volume = noise(0.2)
    planted(volume, density(1), PLACES[:2], TURNS[:2])
    planted(volume, density(7), PLACES[2:], TURNS[2:])
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    for name, seed in (("one", 1), ("other", 7)):
        write_volume(tmp_path / f"{name}.mrc", Volume(density(seed), PX))
    both = {"template": [tmp_path / "one.mrc", tmp_path / "other.mrc"]}
    picks = match(tmp_path, **both)
    assert voxels(picks.select(picks.class_name == "one")) == places([0, 1])
    assert voxels(picks.select(picks.class_name == "other")) == places([2, 3])


def test_symmetry_saves_orientations_and_finds_the_same_particles(tmp_path):
    turn = torch.tensor([[[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]]])
    half = torch.from_numpy(density())
    particle = (half + rotate_volumes(half, turn)[0]).numpy()
    volume = noise()
    planted(volume, particle, turns=[3, 17, 40, 55], symmetry="C2")
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(particle, PX))
    assert voxels(match(tmp_path, symmetry=["C2"])) == places()
    rows = (tmp_path / "out/scores/tomo_lump_orientations.csv").read_text().splitlines()
    assert len(rows) - 1 == len(orientation_grid(STEP, "C2"))
