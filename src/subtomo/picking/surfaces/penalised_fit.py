"""Least squares with a penalty on roughness, as strong as the noise asks."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

FloatArray = NDArray[np.float64]

_STRENGTHS = np.logspace(-9, 9, 73)
"""Weights of the roughness that are tried, relative to that of the points."""
_COST_OF_FREEDOM = 1.4
"""Above 1 the choice keeps clear of following the noise (Kim and Gu 2004, JRSS B 66, 337)."""


def penalised_fit(
    design: FloatArray, roughness: FloatArray, values: FloatArray
) -> tuple[FloatArray, float]:
    """Fit coefficients to noisy points.

    Parameters
    ----------
    design : (n, k) values of the functions at the points
    roughness : (k, k) positive semidefinite; what a set of coefficients costs
    values : (n, d) to be met, about zero: their mean taken off

    Returns
    -------
    coefficients : (k, d)
        Which minimise squared distance + weight * roughness.
    score : float
        Generalised cross-validation of the weight that was taken, the least of all: comparable
        between fits to the same points.

    Notes
    -----
    Source: Craven and Wahba 1979, Numer. Math. 31, 377; all weights at once through the
    eigenvectors of the penalised system.
    """
    normal = design.T @ design
    scaled = roughness * (np.trace(normal) / np.trace(roughness))
    whole = normal + scaled + 1e-10 * np.trace(normal) / len(normal) * np.eye(len(normal))
    share, basis = eigh(scaled, whole)
    share = np.clip(share, 0.0, 1.0 - 1e-9)
    modes = design @ basis
    wanted = modes.T @ values
    scores = [_cross_validation(w, share, modes, wanted, values) for w in _STRENGTHS]
    best = int(np.argmin(scores))
    kept = _shrinkage(_STRENGTHS[best], share)
    return basis @ (wanted * kept[:, None]), scores[best]


def _shrinkage(weight: float, share: FloatArray) -> FloatArray:
    """How much each eigenvector keeps: with A + P = 1 and P = share, A / (A + weight P) over A."""
    return 1.0 / (1.0 - share + weight * share)


def _cross_validation(
    weight: float, share: FloatArray, modes: FloatArray, wanted: FloatArray, values: FloatArray
) -> float:
    """Generalised cross-validation: squared residual over the square of the freedom left."""
    kept = _shrinkage(weight, share)
    residual = values - modes @ (wanted * kept[:, None])
    freedom = ((1.0 - share) * kept).sum()
    left = len(values) - _COST_OF_FREEDOM * freedom
    # A relative floor, for points without noise: below it one weight is as good as another.
    squares = (residual**2).sum() + 1e-12 * (values**2).sum()
    return float(squares / left**2) if left > 0 else np.inf
