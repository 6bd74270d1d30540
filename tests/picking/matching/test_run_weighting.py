"""What the whole command does to tomogram and template before it compares them."""

import numpy as np
import pytest
import torch
from matched import PX, SHAPE, STEP, density, match, noise, places, planted, voxels

from subtomo.formats.relion_tomograms import TomogramEntry, write_tomograms_star
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.model import TiltCtf, TiltSeries, Volume
from subtomo.signal.filters import apply_filter
from subtomo.signal.wedge import missing_wedge, tilt_transfer


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
