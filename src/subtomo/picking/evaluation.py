"""Picks judged against a known truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from subtomo.errors import SettingsError
from subtomo.geometry.rotations import angular_distance, matrices_from_quaternions
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
    orientation_error : (k,) degrees, the smallest over equivalent orientations; NaN where one of
        the two is not known
    axis_error : (k,) degrees, between the particles' own z axes; likewise NaN
        What is left where the turn about the axis is not known, as from a surface's normal.
    """

    pairs: IntArray
    n_picks: int
    n_truth: int
    position_error: FloatArray
    orientation_error: FloatArray
    axis_error: FloatArray

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

    def f_beta(self, beta: float) -> float:
        """Weigh recall ``beta`` times as much as precision; NaN where F1 is.

        Notes
        -----
        Source: van Rijsbergen (1979), Information Retrieval, chapter 7, in counts of pairs:
        (1 + β²) · pairs / (picks + β² · truth). The CZII challenge of 2024 scored with β = 4.
        """
        total = self.n_picks + beta**2 * self.n_truth
        return (1 + beta**2) * len(self.pairs) / total if total else float("nan")

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
    if not 0 < radius < np.inf:
        raise SettingsError(f"matching radius is {radius} Å; expected a positive number")
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for name in np.unique(picks.tomogram):
        mine, theirs = (np.flatnonzero(table.tomogram == name) for table in (picks, truth))
        found = pair_points(picks.position[mine], truth.position[theirs], radius)
        pairs.append(np.stack([mine[found[:, 0]], theirs[found[:, 1]]], axis=1))
    joined = np.concatenate(pairs)
    return measure_pairs(picks, truth, joined[np.argsort(joined[:, 0], kind="stable")], symmetry)


def evaluate_classes(
    picks: Particles,
    truth: Particles,
    *,
    radius: float,
    symmetry: str = "C1",
    per_class: bool = True,
) -> Evaluation:
    """Pair picks with true particles as ``evaluate_picks`` does, only within their class.

    Parameters
    ----------
    picks, truth : tables
    radius : Å, the greatest distance of a pair
    symmetry : of the particle
    per_class : False: classes are not looked at
    """
    if not per_class:
        return evaluate_picks(picks, truth, radius=radius, symmetry=symmetry)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for name in np.union1d(picks.class_name, truth.class_name).tolist():
        mine, theirs = (np.flatnonzero(table.class_name == name) for table in (picks, truth))
        found = evaluate_picks(picks.select(mine), truth.select(theirs), radius=radius).pairs
        pairs.append(np.stack([mine[found[:, 0]], theirs[found[:, 1]]], axis=1))
    joined = np.concatenate(pairs)
    return measure_pairs(picks, truth, joined[np.argsort(joined[:, 0], kind="stable")], symmetry)


def measure_pairs(
    picks: Particles, truth: Particles, pairs: IntArray, symmetry: str = "C1"
) -> Evaluation:
    """Measure what is between picks and the true particles that they belong to.

    Parameters
    ----------
    picks, truth : tables
    pairs : (k, 2) rows of both
    symmetry : of the particle
    """
    a, b = picks.select(pairs[:, 0]), truth.select(pairs[:, 1])
    is_known = a.is_oriented & b.is_oriented
    z_a, z_b = (matrices_from_quaternions(table.orientation)[:, :, 2] for table in (a, b))
    turned = angular_distance(a.orientation, b.orientation, symmetry)
    return Evaluation(
        pairs,
        len(picks),
        len(truth),
        np.linalg.norm(a.position - b.position, axis=1),
        np.where(is_known, turned, np.nan),
        np.where(is_known, angles_between(z_a, z_b), np.nan),
    )


def angles_between(a: FloatArray, b: FloatArray) -> FloatArray:
    """Give the angles, degrees, between vectors (n, 3) and others; exact near 0 and 180 too."""
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.asarray(np.degrees(np.arctan2(across, np.sum(a * b, axis=-1))))


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
    is_alone = np.bincount(group[rows], minlength=n)[group[rows]] == 1  # one pair, nothing to solve
    pairs = [np.stack([rows[is_alone], columns[is_alone]], axis=1).astype(np.int64)]
    order = np.argsort(group[rows], kind="stable")
    order = order[~is_alone[order]]
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
    trees = {}
    for name in np.unique(truth.tomogram).tolist():
        rows = np.flatnonzero(truth.tomogram == name)
        trees[name] = (cKDTree(truth.position[rows]), rows)
    for rank, i in enumerate(np.argsort(-picks.score, kind="stable").tolist()):
        if picks.tomogram[i] not in trees:
            continue
        tree, rows = trees[picks.tomogram[i]]
        near = rows[sorted(tree.query_ball_point(picks.position[i], radius))]
        near = near[~taken[near]]
        if len(near):
            distance = np.linalg.norm(truth.position[near] - picks.position[i], axis=1)
            taken[near[distance.argmin()]] = True
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
