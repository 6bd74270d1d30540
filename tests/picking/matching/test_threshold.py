import numpy as np
import pytest
from scipy.stats import norm, t

from subtomo.picking.matching.threshold import (
    NoiseTail,
    fit_noise_tail,
    gaussian_height,
    gaussian_threshold,
    score_at,
)


def test_the_rule_of_independent_scores():
    # one of a billion exceeds 5.998 σ (normal table)
    assert gaussian_threshold(1, 1e9) == pytest.approx(norm.isf(1e-9), abs=1e-6)
    assert gaussian_threshold(10, 1e9) == pytest.approx(norm.isf(1e-8), abs=1e-6)
    assert gaussian_threshold(100, 10) == 0


def test_threshold_and_expected_number_are_each_others_inverse():
    tail = NoiseTail(density=1e-4, n_peaks=100)
    for wanted in (0.1, 1, 30):
        height = tail.threshold(wanted, 3e7)
        assert tail.false_positives(height, 3e7) == pytest.approx(wanted)


def test_the_number_of_peaks_worked_by_hand():
    # 4⁵ = 1024; exp(-8) = 3.3546e-4
    assert NoiseTail(0.01, 9, 5.0).false_positives(4.0, 1000) == pytest.approx(
        10 * 1024 * 3.3546e-4, rel=1e-4
    )


def test_where_noise_hardly_reaches_the_threshold_is_the_lowest_that_can_be_told():
    assert NoiseTail(density=1e-9, n_peaks=10).threshold(1, 1000) == 3.3


def test_correlation_coefficients_are_turned_into_gaussian_heights():
    # r √(n - 1) / √(1 - r²) of a random direction in n dimensions has Student's distribution
    n = 150
    for r in (0.1, 0.3, 0.45, 0.6):
        student = r * np.sqrt((n - 1) / (1 - r**2))
        exact = norm.isf(t.sf(student, n - 1))
        assert float(gaussian_height(r, n**-0.5)) == pytest.approx(exact, rel=0.01)
        assert score_at(float(gaussian_height(r, n**-0.5)), n**-0.5) == pytest.approx(r)
    assert float(gaussian_height(-0.3, 0.1)) == -float(gaussian_height(0.3, 0.1))


# highest peaks of white noise, 160³ voxels of 20 Å, searched for a 70S ribosome (278 Å) at 20°:
# (rank, height in σ) of the 2,803,221 positions
RANKED = [(10, 5.552), (30, 5.332), (100, 5.048), (300, 4.736), (1000, 4.350)]


@pytest.mark.parametrize(("rank", "height"), RANKED)
def test_the_formula_tells_the_heights_that_a_search_of_noise_had(rank, height):
    n = 2_803_221
    tail = NoiseTail(100 / NoiseTail(1.0, 1).false_positives(5.048, n), 100)
    assert tail.false_positives(height, n) == pytest.approx(rank, rel=2 / np.sqrt(rank) + 0.05)


@pytest.mark.parametrize("exponent", [3.0, 6.0, 9.0])
def test_a_sample_of_the_peaks_tells_the_rest(exponent):
    # 300 heights drawn from the formula itself
    tail, n = NoiseTail(1.0, 1, exponent), 10**6
    levels = np.linspace(3.4, 9, 20000)
    number = np.array([tail.false_positives(u, n) for u in levels])
    number *= 300 / number[0]
    drawn = np.random.default_rng(0).uniform(0, 300, 300)
    fitted = fit_noise_tail(np.interp(-drawn, -number, levels), n)
    assert fitted.n_peaks == 200
    assert fitted.exponent == pytest.approx(exponent, abs=2.5)
    # ten times as many positions, from which ten are to be expected: as many as one here
    height = float(np.interp(-1, -number, levels))
    assert fitted.false_positives(height, 10 * n) == pytest.approx(10, rel=0.5)


def test_the_peaks_of_coloured_noise_follow_a_lower_exponent():
    # peaks above each height in three blocks of noise that falls with the frequency, searched
    # exhaustively at 26 degrees: (height, number)
    counted = [(3.3, 96), (3.6, 54), (3.9, 27), (4.2, 11), (4.5, 4), (4.8, 1)]
    levels, numbers = np.array(counted).T
    heights = np.interp(-(np.arange(96) + 0.5), -numbers, levels)
    fitted = fit_noise_tail(heights, 300_000)
    for level, number in counted[:5]:
        expected = fitted.false_positives(level, 300_000)
        assert expected == pytest.approx(number, rel=0.35)


def test_too_few_peaks_give_no_tail():
    assert fit_noise_tail(np.array([3.0] * 50 + [4.0] * 9), 1000) is None
