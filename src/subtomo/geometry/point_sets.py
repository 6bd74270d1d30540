"""How many dimensions a set of points spans."""

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import DataError

_FLAT = 1e-4
"""Thickness over extent below which points count as lying in a plane or on a line."""


def require_spatial(points: NDArray[np.float64], needed: int, wanted: str) -> None:
    """Refuse points that are too few, or that lie in one plane or on one line.

    Parameters
    ----------
    points : (n, 3)
    needed : least number of them
    wanted : what is made of them, such as "a sphere", for the message

    Raises
    ------
    DataError
        Which says what was found.
    """
    if len(points) < needed:
        raise DataError(f"{count_of(len(points), 'point')}; {wanted} needs at least {needed}")
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if spread[1] <= _FLAT * spread[0]:
        raise DataError(
            f"all {len(points)} points lie on one line; {wanted} needs points on three levels or "
            "more, not in one plane"
        )
    if spread[2] <= _FLAT * spread[0]:
        raise DataError(
            f"all {len(points)} points lie in one plane; {wanted} needs points on other levels too"
        )
