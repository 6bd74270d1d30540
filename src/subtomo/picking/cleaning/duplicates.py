"""The filter of duplicates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.errors import DataError
from subtomo.model import Particles
from subtomo.picking.cleaning.classes import rows_by_class
from subtomo.picking.cleaning.score import score_order
from subtomo.picking.cleaning.verdict import Verdict
from subtomo.picking.models.geometric_model import EXCLUSION_DISTANCE

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Duplicates:
    """Keep of picks that are too close to one another the one with the best score.

    Parameters
    ----------
    distance : Å; closer picks are duplicates
    by_column : a pick's own exclusion distance counts, where it is larger
        Column ``subtomoExclusionDistance``, which oversampled models give their particles.
    per_class : only picks of one class are duplicates of one another
    """

    distance: float = 0.0
    by_column: bool = False
    per_class: bool = False
    name: str = "duplicate"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks; of equal scores, or without any, the first in the table is kept."""
        reach = np.full(len(picks), self.distance)
        if self.by_column:
            reach = np.fmax(reach, exclusion_distances(picks))
        better = np.full(len(picks), -1)
        for same in rows_by_class(picks, per_class=self.per_class):
            found = better_neighbours(picks.position[same], picks.score[same], reach[same])
            better[same] = np.where(found >= 0, same[found], -1)
        apart = np.linalg.norm(picks.position - picks.position[better], axis=1)
        reason = [
            f"{distance:.4g} Å from the better pick in row {row}"
            for distance, row in zip(apart.tolist(), rows[better].tolist(), strict=True)
        ]
        return Verdict(better < 0, np.array(reason, dtype=np.str_))


def exclusion_distances(picks: Particles) -> FloatArray:
    """Read the picks' own exclusion distances (n,), Å.

    Raises
    ------
    DataError
        If there is no such column, or it holds other things than numbers.
    """
    if EXCLUSION_DISTANCE not in picks.extra:
        raise DataError(
            f"the table has no column {EXCLUSION_DISTANCE}; expected picks of an oversampled model "
            "(or give --minimum-distance)"
        )
    try:
        return np.asarray(picks.extra[EXCLUSION_DISTANCE], dtype=np.float64)
    except ValueError as error:
        raise DataError(f"column {EXCLUSION_DISTANCE}: {error}; expected numbers (Å)") from None


def better_neighbours(
    position: FloatArray, score: FloatArray, reach: FloatArray
) -> NDArray[np.int64]:
    """Find for each pick a better one that is too close, among those that stay.

    Parameters
    ----------
    position : (n, 3) Å
    score : (n,), NaN where unknown
    reach : (n,) Å; two picks are too close below the larger of theirs

    Returns
    -------
    (n,) row of the better pick, the best of several; −1 where there is none and the pick stays
    """
    better = np.full(len(position), -1)
    if not len(position):
        return better
    tree = cKDTree(position)
    longest = float(reach.max())
    for i in score_order(score).tolist():
        if better[i] >= 0:
            continue
        near = np.array(tree.query_ball_point(position[i], longest), dtype=np.int64)
        apart = np.linalg.norm(position[near] - position[i], axis=1)
        close = near[(apart < np.maximum(reach[i], reach[near])) & (near != i)]
        better[close[better[close] < 0]] = i
    return better
