"""The filter by the number of neighbours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.model import Particles
from subtomo.picking.cleaning.classes import rows_by_class
from subtomo.picking.cleaning.verdict import Verdict, reasons

NEIGHBOURS = "subtomoNeighbours"


@dataclass(frozen=True)
class Neighbours:
    """Keep picks with so many neighbours among those that earlier filters kept.

    Parameters
    ----------
    distance : Å, up to which a pick is a neighbour
    least, most : of them, kept themselves; None: no limit
    per_class : only picks of the same class count
    """

    distance: float
    least: int | None = None
    most: int | None = None
    per_class: bool = False
    name: str = "neighbours"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks."""
        count = np.zeros(len(picks), dtype=np.int64)
        for same in rows_by_class(picks, per_class=self.per_class):
            count[same] = count_neighbours(picks.position[same], self.distance)
        is_kept = np.ones(len(picks), dtype=bool)
        wanted = []
        if self.least is not None:
            is_kept &= count >= self.least
            wanted.append(f"at least {self.least}")
        if self.most is not None:
            is_kept &= count <= self.most
            wanted.append(f"at most {self.most}")
        text = f"{{}} neighbours within {self.distance:g} Å, expected {' and '.join(wanted)}"
        return Verdict(is_kept, reasons(text, count), {NEIGHBOURS: count})


def count_neighbours(position: NDArray[np.float64], distance: float) -> NDArray[np.int64]:
    """Count for each point (n, 3) the others within a distance, in the points' unit."""
    if not len(position):
        return np.empty(0, dtype=np.int64)
    found = cKDTree(position).query_ball_point(position, distance, return_length=True)
    return np.asarray(found, dtype=np.int64) - 1
