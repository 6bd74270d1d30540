"""How many of the peaks the whole command keeps."""

import numpy as np
import pytest
import torch
from matched import PX, density, match, noise, places, thresholds, voxels
from scipy.ndimage import label

from subtomo.formats.volumes import read_volume, write_volume
from subtomo.model import Volume
from subtomo.signal.filters import apply_filter, bandpass


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
