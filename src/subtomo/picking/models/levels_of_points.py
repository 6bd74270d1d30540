"""The levels that points were clicked on, from their z."""

import numpy as np
from numpy.typing import NDArray

_LEAST_CLICKS = 3
_SAME = 0.01
"""Voxels within which two clicks are on one level."""


def levels_of_points(points: NDArray[np.float64], pixel_size: float) -> tuple[int, ...] | None:
    """Count the levels of points that were clicked slice by slice.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z
    pixel_size : Å, of the tomogram they were clicked in

    Returns
    -------
    tuple of int, one a point, from 0 at the lowest z
        None where there are fewer than two levels, or a level has fewer than three clicks.
    """
    if not len(points):
        return None
    z = points[:, 2]
    order = np.argsort(z, kind="stable")
    levels = np.empty(len(z), dtype=np.int64)
    levels[order] = np.concatenate([[0], np.cumsum(np.diff(z[order]) > _SAME * pixel_size)])
    counts = np.bincount(levels)
    return None if len(counts) < 2 or counts.min() < _LEAST_CLICKS else tuple(levels.tolist())
