import numpy as np
import pytest

from subtomo.picking.matching.figures import bin_edges, draw_threshold, expected_counts
from subtomo.picking.matching.selection import Threshold
from subtomo.picking.matching.threshold import Calibration, NoiseTail


def test_the_fit_adds_up_to_what_is_expected_above_its_lowest_height():
    tail = NoiseTail(1e-3, 50)
    edges = np.linspace(3.4, 8, 61)
    middle, counts = expected_counts(edges, tail, 0.01, 1e6)
    # heights hardly differ from σ where the deviation is small
    assert counts.sum() == pytest.approx(tail.false_positives(3.4, 1e6), rel=0.05)
    assert middle.min() > 3.4
    below, _ = expected_counts(np.linspace(0, 3.3, 5), tail, 0.01, 1e6)
    assert not len(below)


def test_the_histogram_holds_everything_it_shows():
    sigma = np.linspace(2, 6, 200)
    noise = Calibration(NoiseTail(1e-3, 50), 50_000, [5.5, 4.0, 3.5])
    threshold = Threshold(7.0, 0.3, 2.0, 6.5)
    edges = bin_edges(sigma, threshold.sigma, noise)
    assert (edges[0], edges[-1] > 7.0) == (2.0, True)
    figure = draw_threshold(sigma, threshold, deviation=0.02, n_positions=1e5, noise=noise)
    axes = figure.axes[0]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {
        "peaks of the tomogram",
        "highest peaks of noise, scaled",
        "their fit",
        "threshold, 7.00 σ",
        "of independent Gaussian scores, 6.50 σ",
    }
    counts = sum(patch.get_height() for patch in axes.containers[0])
    assert counts == 200
    alone = draw_threshold(sigma, threshold, deviation=0.02, n_positions=1e5)
    assert len(alone.axes[0].get_legend().get_texts()) == 3
