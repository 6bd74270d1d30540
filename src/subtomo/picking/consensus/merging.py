"""One particle from the picks that stand for it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.mean_orientation import mean_orientations
from subtomo.model import Particles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

VOTES = "subtomoVotes"
POSITION_SPREAD = "subtomoPositionSpread"
ANGULAR_SPREAD = "subtomoAngularSpread"
SCORE_OF = "subtomoScore_"


def merge_groups(
    picks: Particles,
    group: IntArray,
    *,
    names: Sequence[str],
    picker: IntArray,
    weights: FloatArray,
    symmetry: str = "C1",
) -> Particles:
    """Make one particle of each group of picks.

    Parameters
    ----------
    picks : the members, each group in one tomogram
    group : (n,) number of each pick's group, from 0 without gaps
    names : of the pickers
    picker : (n,) number of each pick's picker
    weights : (n,) above 0
    symmetry : of the particle

    Returns
    -------
    Particles
        In the order of the groups. Position, orientation and score are weighted means of what is
        known; class, instance and box size those with the most weight; the half is kept where all
        agree; the source lists the pickers, joined by ``+``. Columns ``subtomoVotes``,
        ``subtomoPositionSpread`` (Å, root mean square of the distances from the mean position),
        ``subtomoAngularSpread`` (degrees, mean of the angles to the mean orientation), both NaN for
        fewer than two picks, and the best score of each picker that has scores,
        ``subtomoScore_NAME``.
    """
    n = int(group.max(initial=-1)) + 1
    first = np.full(n, -1)
    first[group[::-1]] = np.arange(len(group))[::-1]
    total = np.bincount(group, weights, n)
    position = np.stack(
        [np.bincount(group, weights * x, n) / total for x in picks.position.T], axis=1
    )
    apart = ((picks.position - position[group]) ** 2).sum(axis=1)
    orientation, spread = _orientations(picks, group, n, weights, symmetry)
    n_votes, n_oriented = (
        np.bincount(group[rows], minlength=n) for rows in (..., picks.is_oriented)
    )
    position_spread = np.sqrt(np.bincount(group, weights * apart, n) / total)
    box_size = _commonest(picks.box_size, picks.box_size > 0, group, n, weights, empty=0)
    return Particles(
        tomogram=picks.tomogram[first],
        position=position,
        orientation=orientation,
        is_oriented=n_oriented > 0,
        class_name=_commonest_text(picks.class_name, group, n, weights),
        instance=_commonest_text(picks.instance, group, n, weights),
        source=_pickers(group, n, names, picker),
        score=_known_mean(picks.score, group, n, weights),
        half=_agreed(picks.half, group, n),
        box_size=box_size,
        extra={
            VOTES: n_votes,
            POSITION_SPREAD: np.where(n_votes > 1, position_spread, np.nan),
            ANGULAR_SPREAD: np.where(n_oriented > 1, spread, np.nan),
            **_scores(picks.score, group, n, names, picker),
        },
    )


def _orientations(
    picks: Particles, group: IntArray, n: int, weights: FloatArray, symmetry: str
) -> tuple[FloatArray, FloatArray]:
    """Mean orientation of each group and the spread about it, groups of one size at a time."""
    orientation, spread = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)), np.full(n, np.nan)
    known = np.flatnonzero(picks.is_oriented)
    known = known[np.argsort(group[known], kind="stable")]
    count = np.bincount(group[known], minlength=n)
    start = np.cumsum(count) - count
    for size in np.unique(count[count > 0]).tolist():
        these = np.flatnonzero(count == size)
        rows = known[start[these, None] + np.arange(size)]
        orientation[these], spread[these] = mean_orientations(
            picks.orientation[rows], weights[rows], symmetry
        )
    return orientation, spread


def _known_mean(values: FloatArray, group: IntArray, n: int, weights: FloatArray) -> FloatArray:
    """Weighted mean of the values that are known; NaN where none is."""
    known = np.isfinite(values)
    total = np.bincount(group[known], weights[known], n)
    summed = np.bincount(group[known], (weights * values)[known], n)
    mean: FloatArray = np.divide(summed, total, out=np.full(n, np.nan), where=total > 0)
    return mean


def _commonest_text(
    values: NDArray[np.str_], group: IntArray, n: int, weights: FloatArray
) -> NDArray[np.str_]:
    """Text with the most weight in each group, the first in the alphabet of equals."""
    text = np.asarray(values, dtype=np.str_)
    return _commonest(text, text != "", group, n, weights, empty="")


def _commonest(
    values: NDArray[Any],
    known: NDArray[np.bool_],
    group: IntArray,
    n: int,
    weights: FloatArray,
    *,
    empty: str | int,
) -> NDArray[Any]:
    """Known value with the most weight in each group, the least of equals."""
    kinds, code = np.unique(values[known], return_inverse=True)
    result = np.full(n, empty, dtype=values.dtype)
    if not len(kinds):
        return result
    cell, inverse = np.unique(group[known] * len(kinds) + code, return_inverse=True)
    weight = np.bincount(inverse, weights[known])
    of_group, kind = np.divmod(cell, len(kinds))
    order = np.lexsort((kind, -weight, of_group))
    groups, best = np.unique(of_group[order], return_index=True)
    result[groups] = kinds[kind[order[best]]]
    return result


def _agreed(values: IntArray, group: IntArray, n: int) -> IntArray:
    """Value of each group whose members all have the same one; else 0."""
    lowest, highest = np.full(n, np.iinfo(np.int64).max), np.zeros(n, dtype=np.int64)
    np.minimum.at(lowest, group, values)
    np.maximum.at(highest, group, values)
    return np.where(lowest == highest, highest, 0)


def _pickers(group: IntArray, n: int, names: Sequence[str], picker: IntArray) -> NDArray[np.str_]:
    """Names of the pickers of each group, joined by a plus sign."""
    voted = np.zeros((n, len(names)), dtype=bool)
    voted[group, picker] = True
    combinations, which = np.unique(voted, axis=0, return_inverse=True)
    labels = ["+".join(np.array(names)[row]) for row in combinations]
    return np.array(labels, dtype=np.str_)[which] if n else np.empty(0, dtype=np.str_)


def _scores(
    score: FloatArray, group: IntArray, n: int, names: Sequence[str], picker: IntArray
) -> dict[str, FloatArray]:
    """Best score of each picker in each group, of the pickers that have any."""
    columns = {}
    for i, name in enumerate(names):
        of_picker = (picker == i) & np.isfinite(score)
        if of_picker.any():
            best = np.full(n, -np.inf)
            np.maximum.at(best, group[of_picker], score[of_picker])
            tag = SCORE_OF + "_".join(name.split())
            columns[tag] = np.where(np.isfinite(best), best, np.nan)
    return columns
