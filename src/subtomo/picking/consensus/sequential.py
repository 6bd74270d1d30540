"""The sequential clusters of Scipion's consensus, one pick after another."""

from collections import defaultdict
from itertools import product
from math import floor, sqrt

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NEIGHBOURS = list(product((-1, 0, 1), repeat=3))


def sequential_clusters(points: FloatArray, n_seeds: int, radius: float) -> IntArray:
    """Group picks one after another by the nearest running mean.

    Each of the first picks, the seeds, begins a cluster, however close. Each later one joins the
    cluster whose mean is nearest, if that is closer than the radius, and moves the mean; else it
    begins a cluster. One picker may vote several times, and the result depends on the order.

    Parameters
    ----------
    points : (n, 3) in the order of the pickers, then of their tables
    n_seeds : picks of the first picker; 0 where it is the only one, to find its duplicates
    radius : in the points' unit

    Returns
    -------
    (n,) number of each pick's cluster, in the order in which they began

    Notes
    -----
    Source of the rule: scipion-em-tomoviz, protocol "picking consensus", version of 2022. It cuts
    positions to whole pixels first, which this does not.
    """
    means: list[list[float]] = []
    votes: list[int] = []
    cells: defaultdict[tuple[int, int, int], set[int]] = defaultdict(set)
    cluster = np.empty(len(points), dtype=np.int64)
    for i, point in enumerate(points.tolist()):
        near = -1 if i < n_seeds else _nearest(point, means, cells, radius)
        if near < 0:
            near = len(means)
            means.append(point)
            votes.append(1)
        else:
            cells[_cell(means[near], radius)].discard(near)
            n = votes[near]
            means[near] = [(n * m + p) / (n + 1) for m, p in zip(means[near], point, strict=True)]
            votes[near] = n + 1
        cells[_cell(means[near], radius)].add(near)
        cluster[i] = near
    return cluster


def _cell(point: list[float], edge: float) -> tuple[int, int, int]:
    """Give the cube of a grid that a point lies in."""
    x, y, z = point
    return floor(x / edge), floor(y / edge), floor(z / edge)


def _nearest(
    point: list[float],
    means: list[list[float]],
    cells: dict[tuple[int, int, int], set[int]],
    radius: float,
) -> int:
    """Find the nearest mean closer than the radius, the earliest of equal ones; −1 if none."""
    x, y, z = _cell(point, radius)
    best, least = -1, float("inf")
    for dx, dy, dz in _NEIGHBOURS:
        for k in cells.get((x + dx, y + dy, z + dz), ()):
            squared = sum((m - p) ** 2 for m, p in zip(means[k], point, strict=True))
            if squared < least or (squared == least and k < best):
                best, least = k, squared
    return best if sqrt(least) < radius else -1
