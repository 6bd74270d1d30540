"""Where a curve crosses itself."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def first_crossing(points: FloatArray, is_closed: bool) -> tuple[int, int] | None:
    """Find the first two steps of a path that cross each other.

    Parameters
    ----------
    points : (n, 2) or (n, 3)
        In order. In space they are looked at along the direction in which they spread least: the
        plane that they were clicked in.
    is_closed : whether the last point is joined to the first

    Returns
    -------
    (i, j) with i < j, or None
        Step i goes from point i to the next one.
    """
    flat = points if points.shape[1] == 2 else _in_own_plane(points)
    start, end = flat, np.roll(flat, -1, axis=0)
    if not is_closed:
        start, end = start[:-1], end[:-1]
    n = len(start)
    i, j = np.triu_indices(n, 2)
    if is_closed:
        i, j = i[(i > 0) | (j < n - 1)], j[(i > 0) | (j < n - 1)]
    crosses = (_side(start[i], end[i], start[j]) * _side(start[i], end[i], end[j]) < 0) & (
        _side(start[j], end[j], start[i]) * _side(start[j], end[j], end[i]) < 0
    )
    if not crosses.any():
        return None
    first = int(np.argmax(crosses))
    return int(i[first]), int(j[first])


def _in_own_plane(points: FloatArray) -> FloatArray:
    centred = points - points.mean(axis=0)
    return np.asarray(centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T)


def _side(start: FloatArray, end: FloatArray, point: FloatArray) -> FloatArray:
    """Which side of a line a point is on: the sign of twice the triangle's area."""
    along, to_point = end - start, point - start
    return np.asarray(along[:, 0] * to_point[:, 1] - along[:, 1] * to_point[:, 0])
