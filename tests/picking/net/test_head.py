"""The head against what two Gaussian classes demand, and thresholds against simulated scores."""

import numpy as np
import pytest

from subtomo.picking.net.head import Head, fit_head
from subtomo.picking.net.threshold import choose_threshold


def _two_classes(rng, n=400):
    label = np.repeat([0, 1], n)
    numbers = rng.normal(size=(2 * n, 3))
    numbers[label == 1, 0] += 2.0
    return numbers, label


def test_the_direction_between_two_classes_is_found():
    numbers, label = _two_classes(np.random.default_rng(0))
    head, _ = fit_head(numbers, label, np.ones(len(label)), n_classes=1, stiffness=1e-4)
    direction = head.weights[1] - head.weights[0]
    # of two Gaussians of deviation 1, 2 apart along the first number, the log odds are 2 x - 2
    assert direction == pytest.approx([2, 0, 0], abs=0.4)
    assert head.scores(np.array([[1.0, 0, 0]]))[0] == pytest.approx([0], abs=0.3)


def test_each_of_several_classes_scores_highest_at_its_own_place():
    rng = np.random.default_rng(1)
    label = np.repeat([0, 1, 2], 100)
    numbers = rng.normal(size=(300, 2)) + np.array([[0, 0], [4, 0], [0, 4]])[label]
    head, _ = fit_head(numbers, label, np.ones(300), n_classes=2, stiffness=1e-3)
    scores = head.scores(np.array([[0.0, 0], [4, 0], [0, 4]]))
    assert scores.argmax(axis=1).tolist() == [1, 2]
    assert (scores[:, 0] < 0).all()


def test_stiffness_and_a_prior_hold_the_weights():
    numbers, label = _two_classes(np.random.default_rng(2), 20)
    weight = np.ones(len(label))
    loose, _ = fit_head(numbers, label, weight, n_classes=1, stiffness=1e-4)
    stiff, _ = fit_head(numbers, label, weight, n_classes=1, stiffness=10.0)
    assert np.linalg.norm(stiff.weights) < 0.1 * np.linalg.norm(loose.weights)
    prior = Head(np.array([[0.0, 0, 0], [0, 3, 0]]), np.zeros(2))
    held, _ = fit_head(numbers, label, weight, n_classes=1, stiffness=10.0, prior=prior)
    assert held.weights == pytest.approx(prior.weights, abs=0.1)


def test_the_threshold_is_where_f1_is_highest():
    rng = np.random.default_rng(3)
    particles, others = rng.normal(5, 1, 200), rng.normal(0, 1, 2000)
    found = choose_threshold(rng.normal(5, 1, 50), np.concatenate([particles, others]))

    def f1(threshold):
        right = (particles >= threshold).sum()
        return 2 * right / (right + (others >= threshold).sum() + 200)

    best = max(f1(t) for t in np.linspace(0, 6, 200))
    assert f1(found) > best - 0.03
