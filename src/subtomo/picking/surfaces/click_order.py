"""The order in which clicks follow one another along a curve."""

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.surfaces.self_crossing import first_crossing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MUCH_LONGER = 1.6
"""Times the shortest path through them: a path of clicks that was not made in order. Sparse clicks
on a figure of eight, which is an error to be named and not one to be mended, reach 1.4."""
_LONGER = 1.02
_REVERSAL_DEG = 120.0
"""Clicks that fill a gap later, or come from a table without order, make the path turn back."""
_STARTS = 4


def order_clicks(points: FloatArray, is_ordered: bool | None = None) -> IntArray:
    """Find the order in which clicks lie along a curve.

    Parameters
    ----------
    points : (n, d)
    is_ordered : whether they are in order as they stand; None: they are unless their path is
        longer than the shortest one and turns back, or is much longer

    Returns
    -------
    (n,) rows of ``points`` along the curve
        Of a closed curve it begins after the largest gap.
    """
    as_clicked = np.arange(len(points))
    if is_ordered or len(points) < 3:
        return as_clicked
    shortest = shortest_path(points)
    if is_ordered is None:
        longer = _path_length(points) / _path_length(points[shortest])
        if longer < _LONGER or (longer < _MUCH_LONGER and not _turns_back(points)):
            return as_clicked
    return shortest


def shortest_path(points: FloatArray) -> IntArray:
    """Find a short path through all points, its ends free.

    Parameters
    ----------
    points : (n, d)

    Returns
    -------
    (n,) rows of ``points``; of the two directions the one whose first row is smaller

    Notes
    -----
    From a few starts to the nearest point left each time, then improved by reversing pieces until
    none makes it shorter (2-opt; Croes 1958, Operations Research 6, 791). No crossing is left.
    """
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    far = np.argsort(-np.linalg.norm(points - points.mean(axis=0), axis=1), kind="stable")
    paths = [_improved(_nearest_first(distances, s), distances) for s in far[:_STARTS]]
    best = min(paths, key=lambda path: float(distances[path[:-1], path[1:]].sum()))
    return best if best[0] <= best[-1] else best[::-1]


def is_closed_curve(points: FloatArray) -> bool:
    """Tell whether clicks in order go around, back to where they began.

    Parameters
    ----------
    points : (n, d) in order

    Returns
    -------
    bool
        The last of at least four is no farther from the first than twice the median step, and
        the step from it to the first crosses no other.
    """
    if len(points) < 4:
        return False
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    gap = np.linalg.norm(points[-1] - points[0])
    is_near = gap <= 2.0 * np.median(steps) and gap < 0.5 * steps.sum()
    return bool(is_near and first_crossing(points, is_closed=True) is None)


def _path_length(points: FloatArray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def _turns_back(points: FloatArray) -> bool:
    """Whether a path of two steps or more turns back somewhere."""
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    cosine = (steps[1:] * steps[:-1]).sum(axis=1) / np.maximum(lengths[1:] * lengths[:-1], 1e-300)
    return bool(cosine.min() < np.cos(np.radians(_REVERSAL_DEG)))


def _nearest_first(distances: FloatArray, start: int) -> IntArray:
    """Go from a start to the nearest point that is left, until none is."""
    path = [int(start)]
    left = np.ones(len(distances), dtype=bool)
    left[start] = False
    while left.any():
        path.append(int(np.argmin(np.where(left, distances[path[-1]], np.inf))))
        left[path[-1]] = False
    return np.array(path)


def _improved(path: IntArray, distances: FloatArray) -> IntArray:
    """Reverse pieces of the path, the one that gains most first, until none gains.

    Reversing rows i to j replaces the steps into i and out of j; at a free end there is none.
    """
    n = len(path)
    tolerance = 1e-9 * distances.max()
    while True:
        d = distances[np.ix_(path, path)]
        into = np.concatenate([[0.0], d[np.arange(n - 1), np.arange(1, n)]])
        out = np.concatenate([into[1:], [0.0]])
        new_into = np.vstack([np.zeros(n), d[:-1]])  # [i, j]: from i - 1 to j
        new_out = np.hstack([d[:, 1:], np.zeros((n, 1))])  # [i, j]: from i to j + 1
        gain = np.triu(into[:, None] + out[None] - new_into - new_out, 1)
        i, j = np.unravel_index(np.argmax(gain), gain.shape)
        if gain[i, j] <= tolerance:
            return path
        path = np.concatenate([path[:i], path[i : j + 1][::-1], path[j + 1 :]])
