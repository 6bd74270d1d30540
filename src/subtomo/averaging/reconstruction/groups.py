"""How particles are cut into groups that are added up one by one, and groups into portions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_GROUPS = 32
LEAST_IN_GROUP = 100  # particles, where there are two groups or more
_MOST_IN_PORTION = 500
_MOST_BYTES = 8e9  # of the sums of all groups, where there are two or more

IntArray = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Portion:
    """Particles of one tilt series and one optics group, added up together.

    Parameters
    ----------
    tomogram : its name
    optics_row : of their optics group
    rows : (m,) of the particles
    """

    tomogram: str
    optics_row: int
    rows: IntArray


def cut_groups(
    rows_by_tomogram: Mapping[str, IntArray],
    optics_row: IntArray,
    half: IntArray,
    *,
    sum_bytes: float,
    place: NDArray[np.int64] | None = None,
) -> list[list[Portion]]:
    """Cut the particles into groups of nearly equal number, and these by tomogram.

    The groups depend on the particles and the box alone, never on who computes them, since the
    order of a sum shows in its last bits.

    Parameters
    ----------
    rows_by_tomogram : rows of the particles, in the order in which they are added
    optics_row, half : by row
    sum_bytes : of one group's sums on disk
    place : by row; in a tomogram particles of one place are taken together, and those of one half

    Returns
    -------
    The portions of each group
    """
    if place is None:
        place = np.zeros_like(half)
    rows_by_tomogram = {
        name: rows[np.lexsort((half[rows], place[rows]))] for name, rows in rows_by_tomogram.items()
    }
    names = np.repeat(np.arange(len(rows_by_tomogram)), [len(r) for r in rows_by_tomogram.values()])
    rows = np.concatenate(list(rows_by_tomogram.values()))
    n_groups = min(MOST_GROUPS, len(rows) // LEAST_IN_GROUP, int(_MOST_BYTES / sum_bytes))
    groups = []
    for part in np.array_split(np.arange(len(rows)), max(1, n_groups)):
        portions: list[Portion] = []
        for number, tomogram in enumerate(rows_by_tomogram):
            mine = rows[part[names[part] == number]]
            portions += _portions(tomogram, mine, optics_row)
        groups.append(portions)
    return groups


def _portions(tomogram: str, rows: IntArray, optics_row: IntArray) -> list[Portion]:
    """Cut particles of a tomogram by optics group, and by number."""
    portions: list[Portion] = []
    for group in np.unique(optics_row[rows]).tolist():
        mine = rows[optics_row[rows] == group]
        parts = np.array_split(mine, -(-len(mine) // _MOST_IN_PORTION))
        portions += [Portion(tomogram, group, part) for part in parts]
    return portions
