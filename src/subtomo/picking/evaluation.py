"""Picks judged against a known truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from subtomo.errors import SettingsError
from subtomo.geometry.rotations import angular_distance
from subtomo.model import Particles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How picks compare with the truth.

    Parameters
    ----------
    pairs : (k, 2) rows of the picks and of the truth that belong together
    n_picks, n_truth : sizes of the two tables
    position_error : (k,) Å
    orientation_error : (k,) degrees, the smallest over equivalent orientations
    """

    pairs: IntArray
    n_picks: int
    n_truth: int
    position_error: FloatArray
    orientation_error: FloatArray

    @property
    def precision(self) -> float:
        """Share of the picks that are true; NaN without picks."""
        return len(self.pairs) / self.n_picks if self.n_picks else float("nan")

    @property
    def recall(self) -> float:
        """Share of the truth that was picked; NaN without truth."""
        return len(self.pairs) / self.n_truth if self.n_truth else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where there are neither picks nor truth."""
        total = self.n_picks + self.n_truth
        return 2 * len(self.pairs) / total if total else float("nan")

    @property
    def is_true(self) -> NDArray[np.bool_]:
        """(picks,) whether each pick is true."""
        found = np.zeros(self.n_picks, dtype=bool)
        found[self.pairs[:, 0]] = True
        return found

    @property
    def is_found(self) -> NDArray[np.bool_]:
        """(truth,) whether each true particle was picked."""
        found = np.zeros(self.n_truth, dtype=bool)
        found[self.pairs[:, 1]] = True
        return found


def evaluate_picks(
    picks: Particles, truth: Particles, *, radius: float, symmetry: str = "C1"
) -> Evaluation:
    """Pair picks with true particles, one to one, and measure what is between them.

    Parameters
    ----------
    picks, truth : tables; rows of other tomograms never belong together
        Classes are not looked at: select those to be compared before.
    radius : Å, the greatest distance of a pair
    symmetry : of the particle

    Returns
    -------
    Evaluation

    Raises
    ------
    SettingsError
        If the radius is not positive.
    """
    if not radius > 0:
        raise SettingsError(f"matching radius is {radius} Å; expected a positive number")
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for name in np.unique(picks.tomogram):
        mine, theirs = (np.flatnonzero(table.tomogram == name) for table in (picks, truth))
        found = pair_points(picks.position[mine], truth.position[theirs], radius)
        pairs.append(np.stack([mine[found[:, 0]], theirs[found[:, 1]]], axis=1))
    joined = np.concatenate(pairs)
    joined = joined[np.argsort(joined[:, 0], kind="stable")]
    a, b = picks.select(joined[:, 0]), truth.select(joined[:, 1])
    return Evaluation(
        joined,
        len(picks),
        len(truth),
        np.linalg.norm(a.position - b.position, axis=1),
        angular_distance(a.orientation, b.orientation, symmetry),
    )


def pair_points(a: FloatArray, b: FloatArray, radius: float) -> IntArray:
    """Pair two sets of points one to one: as many pairs as possible, then as close as possible.

    Parameters
    ----------
    a : (n, 3)
    b : (m, 3)
    radius : greatest distance of a pair, in the points' unit

    Returns
    -------
    (k, 2) indices into ``a`` and ``b``
    """
    if not len(a) or not len(b):
        return np.empty((0, 2), dtype=np.int64)
    near = cKDTree(a).sparse_distance_matrix(cKDTree(b), radius, output_type="coo_matrix")
    rows, columns = near.coords
    n = len(a) + len(b)
    # points that can reach each other over near pairs form small groups, solved one by one
    links = coo_array((np.ones(len(rows)), (rows, columns + len(a))), shape=(n, n))
    _, group = connected_components(links, directed=False)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    order = np.argsort(group[rows], kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group[rows][order])) + 1)
    pairs += [_best_pairs(rows[g], columns[g], near.data[g], radius) for g in groups if len(g)]
    return np.concatenate(pairs)


def precision_and_recall(
    picks: Particles, truth: Particles, *, radius: float
) -> tuple[FloatArray, FloatArray]:
    """Precision and recall when the threshold falls from pick to pick.

    Parameters
    ----------
    picks : with scores
    truth : in the same tomograms
    radius : Å, the greatest distance of a pair

    Returns
    -------
    precision, recall : (picks,) of the picks down to each, the highest score first
        A pick is true if a true particle that no higher pick took lies within the radius.
    """
    taken = np.zeros(len(truth), dtype=bool)
    is_true = np.zeros(len(picks), dtype=bool)
    for rank, i in enumerate(np.argsort(-picks.score, kind="stable")):
        same = np.flatnonzero((truth.tomogram == picks.tomogram[i]) & ~taken)
        distance = np.linalg.norm(truth.position[same] - picks.position[i], axis=1)
        if len(same) and distance.min() <= radius:
            taken[same[distance.argmin()]] = True
            is_true[rank] = True
    n_true = np.cumsum(is_true)
    recall = n_true / len(truth) if len(truth) else np.full(len(picks), np.nan)
    return n_true / np.arange(1, len(picks) + 1), recall


def _best_pairs(rows: IntArray, columns: IntArray, distance: FloatArray, radius: float) -> IntArray:
    """Solve one group: a pair that is not near costs more than all near ones together."""
    mine, i = np.unique(rows, return_inverse=True)
    theirs, j = np.unique(columns, return_inverse=True)
    far = radius * (min(len(mine), len(theirs)) + 1)
    cost = np.full((len(mine), len(theirs)), far)
    cost[i, j] = distance
    first, second = linear_sum_assignment(cost)
    near = cost[first, second] < far
    return np.stack([mine[first[near]], theirs[second[near]]], axis=1)
