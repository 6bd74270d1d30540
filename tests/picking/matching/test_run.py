"""The whole command on small tomograms with planted particles."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import label

from subtomo.errors import DataError, SettingsError, SubtomoError
from subtomo.formats.particles import read_particles
from subtomo.formats.relion_tomograms import TomogramEntry, write_tomograms_star
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import angular_distance, matrices_from_quaternions
from subtomo.jobs.job import Job
from subtomo.jobs.words import check_settings
from subtomo.model import TiltCtf, TiltSeries, Volume
from subtomo.picking.matching.inputs import Search
from subtomo.picking.matching.run import run
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.surfaces.surface import Surface
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge, tilt_transfer

PX, STEP, SHAPE = 10.0, 50.0, (36, 40, 44)
PLACES = np.array([[10, 9, 8], [30, 12, 20], [14, 29, 25], [33, 30, 11]])  # x, y, z
TURNS = [3, 17, 40, 77]


def density(seed=1, n=16, radius=5.0):
    rng = np.random.default_rng(seed)
    band = bandpass((n,) * 3, PX, low_pass=45.0)
    rough = apply_filter(torch.from_numpy(rng.normal(size=(n,) * 3)).float(), band)
    lumps = (rough.abs() / rough.std() + 0.5) * soft_sphere((n,) * 3, radius - 1.5, 1.5)
    return lumps.numpy()


def planted(volume, particle, places=PLACES, turns=TURNS, symmetry="C1"):
    orientations = orientation_grid(STEP, symmetry)
    matrices = torch.from_numpy(matrices_from_quaternions(orientations[turns])).float()
    turned = rotate_volumes(torch.from_numpy(particle), matrices, oversampling=2).numpy()
    half = len(particle) // 2
    for (x, y, z), one in zip(places, turned, strict=True):
        start = np.array([z, y, x]) - half
        low, high = np.maximum(start, 0), np.minimum(start + len(particle), volume.shape)
        inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        own = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
        volume[inside] += one[own]
    return orientations[turns]


def noise(sd=0.3, seed=0, shape=SHAPE):
    return np.random.default_rng(seed).normal(scale=sd, size=shape).astype(np.float32)


@pytest.fixture
def world(tmp_path):
    volume = noise()
    orientations = planted(volume, density())
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    return tmp_path, orientations


def match(folder: Path, name="out", **options):
    defaults = {
        "tomograms": [folder / "tomo.mrc"],
        "template": [folder / "lump.mrc"],
        "angular_step": STEP,
        "diameter": [90.0],
        "executor": "inline",
    }
    settings = check_settings(MatchSettings, {"output_dir": folder / name, **defaults, **options})
    job = Job("pick match", settings, quiet=True)
    return read_particles(run(settings, job))


def voxels(picks):
    return {tuple(int(v) for v in np.rint(p / PX)) for p in picks.position}


def places(indices=range(4)):
    return {tuple(int(v) for v in PLACES[i]) for i in indices}


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


@pytest.mark.slow
def test_the_region_of_interest_bounds_the_search(world):
    folder, _ = world
    region = np.zeros(SHAPE, np.float32)
    region[:, :20] = 1
    write_volume(folder / "region.mrc", Volume(region, PX))
    assert voxels(match(folder, roi=folder / "region.mrc")) == places([0, 1])
    holed = region.copy()
    holed[3:14, 4:15, 5:16] = 0  # round the first place; z, y, x
    write_volume(folder / "holed.mrc", Volume(holed, PX))
    assert voxels(match(folder, "holed", roi=folder / "holed.mrc")) == places([1])
    (folder / "regions").mkdir()
    write_volume(folder / "regions/tomo.mrc", Volume(1 - region, PX))
    assert voxels(match(folder, "folder", roi=folder / "regions")) == places([2, 3])


def test_particles_at_the_faces_are_found_with_padding_only(tmp_path):
    volume = noise()
    at_faces = np.array([[1, 20, 20], [30, 38, 20]])
    planted(volume, density(), at_faces, TURNS[:2])
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    assert len(match(tmp_path, threshold=7.0)) == 0
    picks = match(tmp_path, "padded", pad_edges=True, threshold=7.0)
    assert len(picks) == 2
    for place in at_faces * PX:
        assert np.linalg.norm(picks.position - place, axis=1).min() < 1.5 * PX


def test_thresholds_numbers_and_distances(world):
    folder, _ = world
    everything = match(folder, threshold=-5.0, min_distance=40.0)
    apart = np.linalg.norm(everything.position[:, None] - everything.position[None], axis=-1)
    assert len(everything) > 20
    # peaks between voxels may be a little closer than their voxels
    assert apart[np.triu_indices(len(everything), 1)].min() > 40 - np.sqrt(3) * PX
    assert len(match(folder, "few", threshold=-5.0, max_particles=3)) == 3
    best = everything.score[0]
    assert (match(folder, "raw", threshold_score=best - 0.01).score >= best - 0.01).all()
    strict = [row["threshold_sigma"] for row in thresholds(folder, "few")]
    assert strict == ["-5"]


@pytest.mark.slow
def test_fewer_expected_false_positives_and_gaussian_scores_raise_the_threshold(world):
    folder, _ = world
    heights = []
    for i, options in enumerate(
        ({"false_positives": 10.0}, {}, {"false_positives": 0.1}, {"calibration": "gaussian"})
    ):
        match(folder, f"out{i}", **options)
        heights.append(float(thresholds(folder, f"out{i}")[0]["threshold_sigma"]))
    assert heights[0] < heights[1] < heights[2]
    assert heights[3] > heights[1]


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


def test_the_background_correction_moves_the_scores_about_their_mean(world):
    folder, _ = world
    picks, maps = [], []
    for i, seed in enumerate((None, 0, 4)):
        options = {} if seed is None else {"background_correction": True, "seed": seed}
        picks.append(match(folder, f"out{i}", **options))
        score = read_volume(folder / f"out{i}/scores/tomo_lump_score.mrc").data
        maps.append(score[score != 0])
    assert all(voxels(found) == places() for found in picks)
    np.testing.assert_allclose([m.mean() for m in maps], maps[0].mean(), atol=1e-4)
    assert all(np.abs(a - b).max() > 0.1 for a, b in ((maps[0], maps[1]), (maps[1], maps[2])))


def test_sharp_peaks_only_and_volumes_of_peaks(world):
    folder, _ = world
    options = {"threshold": 1.0, "min_distance": 20.0}
    plain = match(folder, **options)
    sharp = match(folder, "sharp", **options, tophat=1)
    limit = float(thresholds(folder, "sharp")[0]["threshold_tophat"])
    assert thresholds(folder, "out")[0]["threshold_tophat"] == "nan"
    assert places() <= voxels(sharp) < voxels(plain)
    assert sharp.extra["subtomoTophat"].min() >= limit
    cube = match(folder, "cube", **options, tophat=3)
    assert not np.allclose(cube.extra["subtomoTophat"][:4], sharp.extra["subtomoTophat"][:4])
    # Å³ of connected voxels above the threshold, by the score volume
    score = read_volume(folder / "out/scores/tomo_lump_score.mrc").data
    above = label(score >= float(thresholds(folder, "out")[0]["threshold_score"]))[0]
    x, y, z = np.rint(plain.position / PX).astype(int).T
    volume = np.array([(above == part).sum() for part in above[z, y, x]]) * PX**3
    middle = float(np.median(volume))
    large = match(folder, "large", **options, min_peak_volume=middle)
    small = match(folder, "small", **options, max_peak_volume=middle - 1)
    assert voxels(large) == voxels(plain.select(volume >= middle))
    assert voxels(small) == voxels(plain.select(volume < middle))
    assert len(small)


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


def test_a_template_of_wrong_contrast_or_hand_is_warned_of(world):
    folder, _ = world
    tomogram, template = read_volume(folder / "tomo.mrc"), read_volume(folder / "lump.mrc")
    write_volume(folder / "dark.mrc", tomogram.with_data(50 - tomogram.data))
    # through voxel n // 2 of an even box
    mirror = np.roll(np.asarray(template.data)[::-1], 1, axis=0)
    write_volume(folder / "mirror.mrc", template.with_data(np.ascontiguousarray(mirror)))
    choices = {
        "out": {},
        "dark": {"tomograms": [folder / "dark.mrc"]},
        "hand": {"template": [folder / "mirror.mrc"]},
        "silent": {"template": [folder / "mirror.mrc"], "check_template": False},
    }
    said = {}
    for name, options in choices.items():
        match(folder, name, **options, threshold=3.0)
        said[name] = (folder / name / "log.txt").read_text()
    assert {name for name, log in said.items() if "negative scores higher" in log} == {"dark"}
    mirrored = {name for name, log in said.items() if "mirror image scores higher" in log}
    assert mirrored - {"dark"} == {"hand"}


def test_near_a_surface_only_its_cone_is_searched(tmp_path):
    """Particles on a flat membrane at z = 180 Å: two upright, one upside down, one far off."""
    volume = noise()
    grid = orientation_grid(STEP, "C1")
    heights = matrices_from_quaternions(grid)[:, 2, 2]
    turns = [*np.flatnonzero(heights > 0.8)[:2], *np.flatnonzero(heights < -0.8)[:1]]
    turns.append(turns[0])
    where = np.array([[10, 9, 18], [30, 12, 18], [14, 29, 18], [33, 30, 8]])
    planted(volume, density(), where, turns)
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    corners = [[-50.0, -50, 180], [500, -50, 180], [500, 500, 180], [-50, 500, 180]]
    flat = Surface(np.array(corners), np.array([[0, 1, 2], [0, 2, 3]]))
    options = {"surface": [tmp_path / "models.json"], "surface_distance": 40.0, "threshold": 7.0}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Search, "surfaces", {"membrane": flat})
        (tmp_path / "models.json").write_text("{}")
        upright = match(tmp_path, cone=60.0, **options)
        every = match(tmp_path, "every", cone=180.0, **options)
    at = {tuple(place) for place in where.tolist()}
    assert {tuple(v) for v in voxels(upright)} == {(10, 9, 18), (30, 12, 18)}
    assert {tuple(v) for v in voxels(every)} == at - {(33, 30, 8)}
    assert (matrices_from_quaternions(upright.orientation)[:, 2, 2] > 0.8).all()
    searched = read_volume(tmp_path / "every/scores/tomo_lump_orientation.mrc").data >= 0
    assert set(np.flatnonzero(searched.any(axis=(1, 2)))) == set(range(14, 23))


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


def test_a_given_mask_turns_with_the_template(world):
    folder, _ = world
    mask = (density() > 0.2).astype(np.float32)
    write_volume(folder / "mask.mrc", Volume(mask, PX))
    picks = match(folder, mask=[folder / "mask.mrc"], angular_step=STEP, threshold=6.5)
    assert places() <= voxels(picks)


def test_the_missing_wedge_raises_the_score_where_data_lack_it(tmp_path):
    volume = noise(0.0)
    planted(volume, density())
    measured = missing_wedge(SHAPE, (-45, 45))
    seen = apply_filter(torch.from_numpy(volume), measured).numpy() + noise(0.1)
    write_volume(tmp_path / "tomo.mrc", Volume(seen.astype(np.float32), PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    weighted = match(tmp_path, tilt_range=(-45, 45))
    plain = match(tmp_path, "plain", weighting="none")
    assert voxels(weighted) >= places()
    assert weighted.score[:4].mean() > plain.score[:4].mean() + 0.03


def tilted(name, volume_shape):
    angles = np.arange(-60, 61, 6.0)
    n = len(angles)
    ctf = TiltCtf(*[np.full(n, value) for value in (60000.0, 60000.0, 0.0, 0.0, 0.0, 1.0)])
    return TiltSeries(
        name,
        PX,
        angles,
        np.full(n, 84.0),
        np.zeros((n, 2)),
        20.0 * np.argsort(np.argsort(np.abs(angles))),
        ctf=ctf,
        tomogram_size_px=volume_shape[::-1],
        image_size_px=volume_shape[:0:-1],
    )


@pytest.mark.slow
@pytest.mark.parametrize("seen", [("signed", True), ("signed", False), ("flipped", True)])
def test_the_weighting_that_made_the_tomogram_scores_highest(tmp_path, seen):
    volume, series = noise(0.0), tilted("tomo", SHAPE)
    planted(volume, density())
    transfer = tilt_transfer(SHAPE, PX, series, ctf=seen[0], dose=seen[1])
    data = apply_filter(torch.from_numpy(volume), transfer).numpy()
    data = data + noise(0.05 * data.std())
    write_volume(tmp_path / "tomo.mrc", Volume(data.astype(np.float32), PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    entry = TomogramEntry("tomo", series, tmp_path / "tomo.mrc", 1.0)
    write_tomograms_star(tmp_path / "tomograms.star", [entry])
    tried = [("signed", True), ("signed", False), ("flipped", True), ("none", True), None]
    scores = {}
    for i, choice in enumerate(tried):
        options = {"weighting": "none"} if choice is None else {"ctf": choice[0], "dose": choice[1]}
        found = match(
            tmp_path, f"out{i}", tomograms=[tmp_path / "tomograms.star"], max_particles=4, **options
        )
        scores[choice] = found.score.mean()
    assert max(scores, key=scores.get) == seen


@pytest.mark.slow
def test_low_pass_high_pass_and_whitening_change_the_scores_of_both(world):
    folder, _ = world
    plain = match(folder)
    for name, option in (
        ("low", {"low_pass": 40.0}),
        ("high", {"high_pass": 150.0}),
        ("white", {"whiten": True}),
    ):
        filtered = match(folder, name, **option)
        assert places() <= voxels(filtered)
        assert abs(filtered.score[0] - plain.score[0]) > 0.005


@pytest.mark.slow
def test_tiles_are_filtered_alike(world):
    folder, _ = world
    options = {"low_pass": 30.0, "whiten": True}
    whole, tiled = match(folder, **options), match(folder, "tiled", tile_size=26, **options)
    assert voxels(whole) == voxels(tiled) == places()
    # the filter sees what lies beyond the blocks only as far as it reaches
    np.testing.assert_allclose(whole.score, tiled.score, atol=0.03)


@pytest.mark.slow
def test_noise_alone_gives_about_as_many_picks_as_asked_for(tmp_path):
    # more than white: neighbouring voxels agree, as in a tomogram
    band = bandpass((44, 60, 60), PX, low_pass=30.0)
    volume = apply_filter(torch.from_numpy(noise(1.0, 5, (44, 60, 60))), band).numpy()
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    # three standard deviations of a Poisson variable, and the calibration's own ten per cent
    assert 6 <= len(match(tmp_path, false_positives=20.0, angular_step=30.0)) <= 38


def test_noise_alone_gives_few_picks(tmp_path):
    write_volume(tmp_path / "tomo.mrc", Volume(noise(1.0), PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    assert len(match(tmp_path, false_positives=0.01)) == 0


def thresholds(folder, name):
    with (folder / name / "thresholds.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"diameter": [400.0]}, "template lump: 46 voxels of 10 Å with its mask are more than"),
        ({"diameter": [1e12]}, "voxels of 10 Å with its mask are more than"),
        ({"mask_edge": 1e12}, "voxels of 10 Å with its mask are more than"),
        ({"diameter": [19.0]}, "diameter is 19 Å, less than two voxels of 10 Å"),
        ({"high_pass": 1e9}, "--high-pass is 1e.09 Å, more than the longest edge of tomogram"),
        ({"weighting": "tilts"}, "comes without a tilt series"),
        ({"weighting": "wedge"}, "give --tilt-range"),
        ({"ctf": "signed"}, "needs the tilt series"),
        ({"device": "abacus"}, "--device abacus: expected auto"),
        ({"low_pass": 90.0, "high_pass": 60.0}, "nothing passes"),
        ({"symmetry": ["C1", "C2"]}, "given 2 times"),
        ({"symmetry": ["X9"]}, "symmetry is 'X9'"),
        ({"threshold": 5.0, "threshold_score": 0.3}, "exclude each other"),
        ({"min_peak_volume": 9e4, "max_peak_volume": 8e4}, "no peak has such a volume"),
        ({"cone": 30.0}, "--surface and --cone need each other"),
        ({"surface_distance": 30.0}, "--surface-distance 30 needs --surface"),
        ({"threshold": 5.0, "seed": 3}, "--seed 3 has no effect"),
        ({"tilt_range": (60, -60)}, "two increasing angles"),
        ({"diameter": [-3.0]}, "above 0"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(world, options, words):
    folder, _ = world
    with pytest.raises(SettingsError, match=words):
        match(folder, **options)
    assert not (folder / "out").exists()


def test_nan_in_a_tomogram_is_found_before_anything_is_written(world):
    folder, _ = world
    broken = noise()
    broken[5, 6, 7] = np.nan
    write_volume(folder / "broken.mrc", Volume(broken, PX))
    with pytest.raises(SubtomoError, match=r"broken.*x, y, z = 7, 6, 5"):
        match(folder, tomograms=[folder / "broken.mrc"])
    assert not (folder / "out").exists()


def test_a_tomogram_that_shows_nothing_is_refused(world):
    folder, _ = world
    write_volume(folder / "flat.mrc", Volume(np.full(SHAPE, 7, np.float32), PX))
    with pytest.raises(DataError, match=r"tomogram flat: every voxel is 7; expected"):
        match(folder, tomograms=[folder / "flat.mrc"])
    assert not (folder / "out").exists()


def test_an_empty_region_is_refused(world):
    folder, _ = world
    write_volume(folder / "region.mrc", Volume(np.zeros(SHAPE, np.float32), PX))
    with pytest.raises(SettingsError, match="no voxel of the region"):
        match(folder, roi=folder / "region.mrc")
