"""Picks taken class by class, or all together."""

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles


def rows_by_class(picks: Particles, *, per_class: bool) -> list[NDArray[np.int64]]:
    """Give the rows of each class, or all rows.

    Parameters
    ----------
    picks : the table
    per_class : False: classes are not looked at
    """
    if not per_class:
        return [np.arange(len(picks))]
    return [np.flatnonzero(picks.class_name == name) for name in np.unique(picks.class_name)]
