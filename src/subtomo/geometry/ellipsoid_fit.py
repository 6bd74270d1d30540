"""The ellipsoid nearest to points."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.geometry.point_sets import require_spatial
from subtomo.geometry.sphere_fit import fit_sphere

FloatArray = NDArray[np.float64]

_LEAST_POINTS = 4
_POINTS_ON_AXES = 6
_POINTS_ANY = 9
_LARGEST = 20.0
"""Half axis over extent of the points beyond which a fit says nothing."""


@dataclass(frozen=True, eq=False)
class EllipsoidFit:
    """An ellipsoid, and how free it was.

    Parameters
    ----------
    ellipsoid : the one found
    kind : axes in any direction, along x, y and z, or a sphere
    """

    ellipsoid: Ellipsoid
    kind: Literal["any", "along the axes", "sphere"]


def fit_ellipsoid(points: ArrayLike) -> EllipsoidFit:
    """Lay an ellipsoid through points, as free as they allow.

    Parameters
    ----------
    points : (n, 3), at least 4 that do not lie in one plane
        An ellipsoid in any direction needs 9, one along the axes 6; of fewer points, or where no
        ellipsoid comes out, a sphere is made.

    Returns
    -------
    EllipsoidFit

    Raises
    ------
    DataError
        If there are too few points, or they lie in one plane or on one line.

    Notes
    -----
    Begins at the algebraic least squares with trace normalisation, A + B + C = 3 for
    A x² + B y² + C z² + ...; minimises the distances to first order, (|u| − 1) / |∇|u||, from
    there (Taubin 1991, IEEE PAMI 13, 1115).
    """
    p = np.asarray(points, dtype=np.float64)
    require_spatial(p, _LEAST_POINTS, "an ellipsoid")
    middle = p.mean(axis=0)
    scale = np.abs(p - middle).max()
    q = (p - middle) / scale
    found = _algebraic(q, is_free=True) if len(p) >= _POINTS_ANY else None
    if found is not None:
        return EllipsoidFit(_scaled(_refined(q, found, is_free=True), middle, scale), "any")
    found = _algebraic(q, is_free=False) if len(p) >= _POINTS_ON_AXES else None
    if found is not None:
        refined = _refined(q, found, is_free=False)
        return EllipsoidFit(_scaled(refined, middle, scale), "along the axes")
    sphere = fit_sphere(p)
    return EllipsoidFit(Ellipsoid.sphere(sphere.centre, sphere.radius), "sphere")


def _algebraic(q: FloatArray, *, is_free: bool) -> Ellipsoid | None:
    """Algebraic fit; None where the quadric is no ellipsoid or the points leave it open."""
    x, y, z = q.T
    squares = [x * x + y * y - 2 * z * z, x * x + z * z - 2 * y * y]
    crossed = [2 * x * y, 2 * x * z, 2 * y * z] if is_free else []
    rows = np.column_stack([*squares, *crossed, 2 * x, 2 * y, 2 * z, np.ones(len(q))])
    values, _, rank, _ = np.linalg.lstsq(rows, (q * q).sum(axis=1), rcond=1e-9)
    if rank < rows.shape[1]:
        return None
    a, b = values[:2]
    form = -np.diag([a + b - 1, a - 2 * b - 1, b - 2 * a - 1])
    if is_free:
        form[np.triu_indices(3, 1)] = form[np.tril_indices(3, -1)] = -values[2:5]
        form[1, 0], form[2, 0], form[2, 1] = form[0, 1], form[0, 2], form[1, 2]
    linear, constant = values[-4:-1], values[-1]
    strengths, axes = np.linalg.eigh(form)
    if strengths[0] <= 0:
        return None
    centre = np.linalg.solve(form, linear)
    radii = np.sqrt(np.maximum(constant + centre @ form @ centre, 0) / strengths)
    if not 0 < radii[0] < _LARGEST:
        return None
    axes[:, 2] *= np.linalg.det(axes)
    return Ellipsoid(centre, radii, axes)


def _refined(q: FloatArray, start: Ellipsoid, *, is_free: bool) -> Ellipsoid:
    """Least sum of squared distances, to first order, from an ellipsoid that is near."""

    def made(values: FloatArray) -> Ellipsoid:
        turn = Rotation.from_rotvec(values[6:]).as_matrix() if is_free else np.eye(3)
        return Ellipsoid(values[:3], np.exp(values[3:6]), start.axes @ turn)

    def misfit(values: FloatArray) -> FloatArray:
        ellipsoid = made(values)
        unit = ellipsoid.unit_points(q)
        length = np.linalg.norm(unit, axis=1)
        slope = np.linalg.norm(unit / ellipsoid.radii, axis=1) / length
        return np.asarray((length - 1) / slope)

    first = np.concatenate([start.centre, np.log(start.radii), np.zeros(3 if is_free else 0)])
    found = made(least_squares(misfit, first, method="lm").x)
    return found if found.radii.max() < _LARGEST else start


def _scaled(ellipsoid: Ellipsoid, middle: FloatArray, scale: float) -> Ellipsoid:
    return Ellipsoid(ellipsoid.centre * scale + middle, ellipsoid.radii * scale, ellipsoid.axes)
