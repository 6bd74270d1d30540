"""How much pickers have in common."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles
from subtomo.picking.evaluation import evaluate_classes

FloatArray = NDArray[np.float64]


def count_combinations(voted: NDArray[np.bool_]) -> dict[tuple[int, ...], int]:
    """Count the groups of picks by the pickers that voted for them.

    Parameters
    ----------
    voted : (groups, pickers)

    Returns
    -------
    number of groups by the numbers of their pickers, the most frequent first
    """
    counts = Counter(map(tuple, voted.tolist()))
    order = sorted(counts, key=lambda votes: (-counts[votes], [not vote for vote in votes]))
    return {tuple(np.flatnonzero(votes).tolist()): counts[votes] for votes in order}


def pairwise_f1(
    sets: Mapping[str, Particles], *, radius: float, per_class: bool = False
) -> FloatArray:
    """Compare each picker with each other one as if it were the truth.

    Parameters
    ----------
    sets : picks by picker
    radius : Å, of one-to-one pairs
    per_class : pairs must be of one class

    Returns
    -------
    (pickers, pickers) F1, the same both ways; 1 on the diagonal; NaN where both have no picks
    """
    tables = list(sets.values())
    f1 = np.eye(len(tables))
    for i, j in combinations(range(len(tables)), 2):
        found = evaluate_classes(tables[i], tables[j], radius=radius, per_class=per_class)
        f1[i, j] = f1[j, i] = found.f1
    return f1
