"""Means of orientations that stand for the same particle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import ShapeError
from subtomo.geometry.rotations import angular_distance, multiply_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions

FloatArray = NDArray[np.float64]

_ROWS_A_TIME = 1 << 20  # quaternions compared at once: some 30 MB


def mean_orientations(
    quaternions: ArrayLike, weights: ArrayLike, symmetry: str = "C1"
) -> tuple[FloatArray, FloatArray]:
    """Average orientations, each set of them for itself.

    Parameters
    ----------
    quaternions : (n, k, 4) x, y, z, w, reference to tomogram: n sets of k orientations
    weights : (n, k), 0 or more; an orientation of weight 0 is ignored
    symmetry : of the reference; orientations that it makes equal count as equal

    Returns
    -------
    mean : (n, 4) unit quaternions with w ≥ 0; the identity where all weights are 0
    spread : (n,) degrees, the weighted mean of the angles to the mean; NaN where all weights are 0

    Raises
    ------
    ShapeError
        If the shapes do not fit together.
    SettingsError
        If the symmetry is unknown.

    Notes
    -----
    Source: Markley, Cheng, Crassidis and Oshman (2007), J. Guid. Control Dyn. 30, 1193: the mean
    is the eigenvector with the largest eigenvalue of Σ w q qᵀ. With a symmetry each orientation is
    first replaced by its equivalent nearest to one of the set; of the k choices of that one the
    choice with the least spread counts.
    """
    q, w = np.asarray(quaternions, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if q.ndim != 3 or q.shape[2] != 4 or w.shape != q.shape[:2]:
        raise ShapeError(
            f"orientations have shape {q.shape}, weights {w.shape}; expected (n, k, 4) and (n, k)"
        )
    group = symmetry_quaternions(symmetry)
    step = max(1, _ROWS_A_TIME // max(1, q.shape[1] * len(group)))
    parts = [
        _mean_of_block(q[start : start + step], w[start : start + step], group, symmetry)
        for start in range(0, len(q), step)
    ]
    if not parts:
        return np.empty((0, 4)), np.empty(0)
    means, spreads = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(spreads)


def _mean_of_block(
    q: FloatArray, w: FloatArray, group: FloatArray, symmetry: str
) -> tuple[FloatArray, FloatArray]:
    """Average the sets of one block."""
    n, k, _ = q.shape
    best = np.tile([0.0, 0.0, 0.0, 1.0], (n, 1))
    spread = np.full(n, np.nan)
    for i in range(k if len(group) > 1 else min(k, 1)):
        alike = q if len(group) == 1 else _nearest_mates(q, q[:, i], group)
        mean = _principal_direction(alike, w)
        angles = angular_distance(np.repeat(mean, k, axis=0), q.reshape(-1, 4), symmetry)
        with np.errstate(invalid="ignore"):
            mean_angle = (w * angles.reshape(n, k)).sum(axis=1) / w.sum(axis=1)
        counts = w.sum(axis=1) > 0 if len(group) == 1 else w[:, i] > 0
        better = counts & ~(mean_angle >= spread - 1e-9)  # the first of equal choices counts
        best[better], spread[better] = mean[better], mean_angle[better]
    return best, spread


def _nearest_mates(q: FloatArray, reference: FloatArray, group: FloatArray) -> FloatArray:
    """Replace each orientation by its equivalent nearest to its set's reference."""
    mates = multiply_quaternions(q[:, :, None], group)  # (n, k, group, 4)
    nearness = np.abs(np.einsum("nkgi,ni->nkg", mates, reference))
    nearest = nearness.argmax(axis=2)
    return np.take_along_axis(mates, nearest[..., None, None], axis=2)[:, :, 0]


def _principal_direction(q: FloatArray, w: FloatArray) -> FloatArray:
    """Eigenvector (n, 4) of the largest eigenvalue of Σ w q qᵀ, w ≥ 0."""
    moment = np.einsum("nk,nki,nkj->nij", w, q, q)
    mean = np.linalg.eigh(moment)[1][..., -1]
    return np.where(mean[:, 3:] < 0, -mean, mean)
