"""Particles that came to lie at the same place."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def best_of_close(
    position: NDArray[np.float64],
    tomogram: NDArray[np.str_],
    score: NDArray[np.float64],
    distance: float,
) -> NDArray[np.bool_]:
    """Keep particles that are not close to a kept one of a better score.

    Parameters
    ----------
    position : (n, 3) Å
    tomogram : (n,) names
    score : (n,) of equal ones, the first in the table counts as better
    distance : Å, below which two are close

    Returns
    -------
    (n,) whether each is kept
    """
    kept = np.zeros(len(position), dtype=bool)
    for name in np.unique(tomogram):
        rows = np.flatnonzero(tomogram == name)
        rows = rows[np.argsort(-score[rows], kind="stable")]
        close: list[list[int]] = [[] for _ in rows]
        # pairs within a distance, its end left out
        for a, b in cKDTree(position[rows]).query_pairs(np.nextafter(distance, 0)):
            close[max(a, b)].append(min(a, b))
        for place, row in enumerate(rows):
            kept[row] = not any(kept[rows[other]] for other in close[place])
    return kept
