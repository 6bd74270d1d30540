"""A smooth surface over two parameters, fitted to noisy points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from subtomo.picking.surfaces.spline_basis import SplineBasis

FloatArray = NDArray[np.float64]

_STRENGTHS = np.logspace(-9, 9, 73)
"""Weights of the roughness that are tried, relative to that of the points."""
_COST_OF_FREEDOM = 1.4
"""Above 1 the choice keeps clear of following the noise (Kim and Gu 2004, JRSS B 66, 337)."""


@dataclass(frozen=True, eq=False)
class SplineSurface:
    """A surface (u, v) -> point, in tensor products of cubic B-splines.

    Parameters
    ----------
    along, across : the functions of u and of v
    controls : (along.size, across.size, 3) Å
    """

    along: SplineBasis
    across: SplineBasis
    controls: FloatArray

    def at(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Give the points at parameters (n,) and (n,), as (n, 3) Å."""
        return self._read(u, v, 0, 0)

    def normal(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Give d/du x d/dv at parameters (n,) and (n,): (n, 3), not of unit length."""
        return np.cross(self._read(u, v, 1, 0), self._read(u, v, 0, 1))

    def _read(self, u: FloatArray, v: FloatArray, along: int, across: int) -> FloatArray:
        rows = self.along.matrix(u, along) @ self.controls.reshape(self.along.size, -1)
        rows = rows.reshape(len(rows), self.across.size, 3)
        return np.asarray((rows * self.across.matrix(v, across)[:, :, None]).sum(axis=1))


def fit_spline_surface(
    points: FloatArray, u: FloatArray, v: FloatArray, along: SplineBasis, across: SplineBasis
) -> SplineSurface:
    """Fit a surface to points at known parameters, as smooth as their noise asks.

    Parameters
    ----------
    points : (n, 3) Å
    u, v : (n,) their parameters, about as long as the surface is in Å
    along, across : the functions of u and of v

    Returns
    -------
    SplineSurface
        Which minimises squared distance + weight * roughness; the roughness is the integral of
        the squared third derivatives, so that a paraboloid costs nothing.

    Notes
    -----
    The weight is the one with the least generalised cross-validation (Craven and Wahba 1979, Numer.
    Math. 31, 377), all weights at once through the eigenvectors of the penalised system. Source of
    the penalised tensor product: Wood 2006, Biometrics 62, 1025.
    """
    design = np.einsum("ni,nj->nij", along.matrix(u), across.matrix(v)).reshape(len(points), -1)
    roughness = _roughness(along, across)
    normal = design.T @ design
    roughness *= np.trace(normal) / np.trace(roughness)
    whole = normal + roughness + 1e-10 * np.trace(normal) / len(normal) * np.eye(len(normal))
    share, basis = eigh(roughness, whole)
    share = np.clip(share, 0.0, 1.0 - 1e-9)
    modes = design @ basis
    wanted = modes.T @ points
    best = min(_STRENGTHS, key=lambda w: _cross_validation(w, share, modes, wanted, points))
    coefficients = basis @ (wanted * _shrinkage(best, share)[:, None])
    return SplineSurface(along, across, coefficients.reshape(along.size, across.size, 3))


def _roughness(along: SplineBasis, across: SplineBasis) -> FloatArray:
    """Integral of the squared third derivatives; a trace of the second where that says nothing."""
    u = [along.gram(k) for k in range(4)]
    v = [across.gram(k) for k in range(4)]
    third = sum(
        times * np.kron(u[3 - k], v[k]) for k, times in ((0, 1.0), (1, 3.0), (2, 3.0), (3, 1.0))
    )
    second = np.kron(u[2], v[0]) + 2 * np.kron(u[1], v[1]) + np.kron(u[0], v[2])
    return np.asarray(third + 1e-6 * np.trace(third) / np.trace(second) * second)


def _shrinkage(weight: float, share: FloatArray) -> FloatArray:
    """How much each eigenvector keeps: with A + P = 1 and P = share, A / (A + weight P) over A."""
    return 1.0 / (1.0 - share + weight * share)


def _cross_validation(
    weight: float, share: FloatArray, modes: FloatArray, wanted: FloatArray, points: FloatArray
) -> float:
    """Generalised cross-validation: squared residual over the square of the freedom left."""
    kept = _shrinkage(weight, share)
    residual = points - modes @ (wanted * kept[:, None])
    freedom = ((1.0 - share) * kept).sum()
    left = len(points) - _COST_OF_FREEDOM * freedom
    # A relative floor, for points without noise: below it one weight is as good as another.
    squares = (residual**2).sum() + 1e-12 * (points**2).sum()
    return float(squares / left**2) if left > 0 else np.inf
