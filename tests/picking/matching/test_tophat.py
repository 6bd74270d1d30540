import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, grey_opening

from subtomo.picking.matching.tophat import tophat, tophat_deviation


def test_a_peak_stands_out_and_a_plateau_does_not_by_hand():
    score = np.full((9, 9, 9), 0.1, np.float32)
    score[2, 2, 2] = 0.5
    score[5:8, 5:8, 5:8] = 0.9
    found = tophat(score, np.ones(score.shape, bool), 3)
    assert found[2, 2, 2] == pytest.approx(0.4)
    assert found[6, 6, 6] == 0
    assert found.min() == 0
    # a bar along x is opened away by the cube, not by the cross of six in its middle voxel
    score[:] = 0.1
    score[4, 3:6, 3:6] = score[3:6, 4, 3:6] = score[3:6, 3:6, 4] = 0.7
    assert [tophat(score, np.ones(score.shape, bool), c)[4, 4, 4] > 0.5 for c in (1, 3)] == [
        False,
        True,
    ]


def test_slabs_agree_with_the_opening_of_the_whole(monkeypatch):
    score = np.random.default_rng(0).normal(size=(13, 8, 9)).astype(np.float32)
    everywhere = np.ones(score.shape, bool)
    expected = score - grey_opening(score, size=3, mode="nearest")
    np.testing.assert_allclose(tophat(score, everywhere, 3), expected, atol=1e-6)
    monkeypatch.setattr("subtomo.picking.matching.tophat._SLAB_VOXELS", 200)
    np.testing.assert_allclose(tophat(score, everywhere, 3), expected, atol=1e-6)


def test_what_is_not_searched_neither_counts_nor_erodes():
    score = np.full((7, 7, 7), 0.5, np.float32)
    searched = np.ones(score.shape, bool)
    searched[:, :, 4:] = False
    score[:, :, 4:] = 0
    assert tophat(score, searched, 3).max() == 0


def test_the_deviation_is_that_of_most_voxels():
    values = np.abs(np.random.default_rng(1).normal(scale=0.03, size=100_000))
    values[:200] = np.linspace(0.2, 0.6, 200)
    assert tophat_deviation(values) == pytest.approx(0.03, rel=0.1)
    assert tophat_deviation(np.zeros(50)) == 0.0


def test_noise_gives_about_as_many_sharp_voxels_as_its_fit_says():
    noise = gaussian_filter(np.random.default_rng(2).normal(size=(60, 60, 60)), 1.0)
    found = tophat(noise.astype(np.float32), np.ones(noise.shape, bool), 3)
    found = found[found > 0]
    share = (found > 2.5 * tophat_deviation(found)).mean()
    assert 0.3 < share / 0.0124 < 3  # of a Gaussian's values, those beyond 2.5 deviations
