import numpy as np
import pytest
from scipy.stats import norm

from subtomo.picking.matching.threshold import NoiseTail, fit_noise_tail, gaussian_threshold


def test_the_rule_of_independent_scores():
    # one of a billion exceeds 5.998 σ (normal table)
    assert gaussian_threshold(1, 1e9) == pytest.approx(norm.isf(1e-9), abs=1e-6)
    assert gaussian_threshold(10, 1e9) == pytest.approx(norm.isf(1e-8), abs=1e-6)
    assert gaussian_threshold(100, 10) == 0


def test_threshold_and_expected_number_are_each_others_inverse():
    tail = NoiseTail(n_positions=10**6, n_peaks=100, height=5.0, slope=0.9)
    for wanted in (0.1, 1, 30):
        height = tail.threshold(wanted, 3e7)
        assert tail.false_positives(height, 3e7) == pytest.approx(wanted)


def test_at_the_fitted_height_the_fit_counts_the_peaks():
    tail = NoiseTail(n_positions=1000, n_peaks=50, height=4.0, slope=1.0)
    assert tail.false_positives(4.0, 1000) == pytest.approx(50)


def test_the_fit_predicts_how_many_independent_gaussians_are_higher():
    # learnt on 10⁶ values, asked about 10⁸: the normal distribution is the truth
    heights = np.random.default_rng(1).normal(size=10**6)
    tail = fit_noise_tail(heights, 10**6)
    height = norm.isf(3 / 1e8)
    assert 1 < tail.false_positives(height, 1e8) < 9


def test_too_few_peaks_give_no_tail():
    assert fit_noise_tail(np.array([3.0, 2.0, -1.0]), 1000) is None
