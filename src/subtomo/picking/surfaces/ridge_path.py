"""The best smooth path through a table of scores."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def ridge_path(scores: FloatArray, stiffness: float, *, is_closed: bool = False) -> FloatArray:
    """Find the path with the highest sum of scores, less a cost for its steps sideways.

    Parameters
    ----------
    scores : (n, m) for each place along the path, of each of m shifts
    stiffness : cost of a step sideways by one shift, from one place to the next; of two, 4 times
    is_closed : whether the last place is beside the first

    Returns
    -------
    (n,) fractional column of ``scores``

    Notes
    -----
    Dynamic programming (Bellman 1957), then the top of the parabola through three scores.
    """
    n = len(scores)
    columns = (
        _best(np.concatenate([scores] * 3), stiffness)[n : 2 * n]
        if is_closed
        else _best(scores, stiffness)
    )
    return columns + _top(scores, columns)


def _best(scores: FloatArray, stiffness: float) -> NDArray[np.int64]:
    n, m = scores.shape
    cost = stiffness * (np.arange(m)[:, None] - np.arange(m)[None]) ** 2
    came_from = np.zeros((n, m), dtype=np.int64)
    total = scores[0]
    for i in range(1, n):
        through = total[:, None] - cost
        came_from[i] = np.argmax(through, axis=0)
        total = through.max(axis=0) + scores[i]
    path = np.empty(n, dtype=np.int64)
    path[-1] = int(np.argmax(total))
    for i in range(n - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def _top(scores: FloatArray, columns: NDArray[np.int64]) -> FloatArray:
    """Where the parabola through the score and its two neighbours is highest, from the middle."""
    rows = np.arange(len(scores))
    inner = (columns > 0) & (columns < scores.shape[1] - 1)
    at = np.clip(columns, 1, scores.shape[1] - 2)
    left, middle, right = (scores[rows, at + k] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    top = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1.0), 0.0)
    return np.where(inner, np.clip(top, -0.5, 0.5), 0.0)
