"""The original's counting, against the rule written out pick by pick and mean by mean."""

import numpy as np
import pytest

from subtomo.picking.consensus.sequential import sequential_clusters


def by_the_rule(points, n_seeds, radius):
    """All distances to all means for every pick, as the rule says it."""
    sums, votes, labels = [], [], []
    for i, point in enumerate(points):
        label = len(sums)
        if sums and i >= n_seeds:
            means = np.array(sums) / np.array(votes)[:, None]
            distance = np.linalg.norm(means - point, axis=1)
            if distance.min() < radius:
                label = int(distance.argmin())
        if label == len(sums):
            sums.append(np.zeros(3))
            votes.append(0)
        sums[label] = sums[label] + point
        votes[label] += 1
        labels.append(label)
    return labels


@pytest.mark.parametrize("n_seeds", [0, 60])
@pytest.mark.parametrize("seed", range(4))
def test_clusters_are_those_of_the_rule(seed, n_seeds):
    points = np.random.default_rng(seed).uniform(-50, 50, (200, 3))
    expected = by_the_rule(points, n_seeds, 20.0)
    assert sequential_clusters(points, n_seeds, 20.0).tolist() == expected
    assert len(set(expected)) < 150
    assert max(np.bincount(expected)) > 2


def test_seeds_stay_apart_however_close():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0.6, 0, 0]])
    assert sequential_clusters(points, 2, 10).tolist() == [0, 1, 1]
    assert sequential_clusters(points, 0, 10).tolist() == [0, 0, 0]
    assert sequential_clusters(np.empty((0, 3)), 0, 10).tolist() == []


def test_the_mean_runs_with_the_votes():
    # the mean of 0, 3 and 6 is 3: 12.9 is 9.9 from it, but more from the half-way point 3.75
    points = np.array([[0.0, 0, 0], [3, 0, 0], [6, 0, 0], [12.9, 0, 0]])
    assert sequential_clusters(points, 0, 10).tolist() == [0, 0, 0, 0]
    points[3, 0] = -6.5  # 9.5 from 3; 10.25 from 3.75, the mean of the last mean and the newest
    assert sequential_clusters(points, 0, 10).tolist() == [0, 0, 0, 0]
