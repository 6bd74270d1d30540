"""The sphere nearest to points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from subtomo.errors import DataError
from subtomo.geometry.point_sets import require_spatial

FloatArray = NDArray[np.float64]

_LEAST_POINTS = 4


@dataclass(frozen=True, eq=False)
class Sphere:
    """A sphere.

    Parameters
    ----------
    centre : (3,) x, y, z
    radius : in the unit of the centre
    """

    centre: FloatArray
    radius: float


def fit_sphere(points: ArrayLike) -> Sphere:
    """Lay a sphere through points.

    Parameters
    ----------
    points : (n, 3), at least 4 that do not lie in one plane

    Returns
    -------
    Sphere
        With the least sum of squared distances from the points.

    Raises
    ------
    DataError
        If there are too few points, or they lie in one plane or on one line.

    Notes
    -----
    Begins at the linear least squares on |p|² = 2 c · p + k (Coope 1993, J. Optim. Theory Appl.
    76, 381), which shrinks spheres of which noisy points cover a part; minimises the true distances
    from there.
    """
    p = np.asarray(points, dtype=np.float64)
    require_spatial(p, _LEAST_POINTS, "a sphere")
    middle = p.mean(axis=0)
    scale = np.abs(p - middle).max()
    q = (p - middle) / scale
    rows = np.column_stack([2 * q, np.ones(len(q))])
    *centre, k = np.linalg.lstsq(rows, (q**2).sum(axis=1), rcond=None)[0]
    start = np.array([*centre, np.sqrt(k + np.dot(centre, centre))])

    def misfit(values: FloatArray) -> FloatArray:
        return np.asarray(np.linalg.norm(q - values[:3], axis=1) - values[3])

    found = least_squares(misfit, start, method="lm" if len(q) >= len(start) else "trf").x
    if not np.isfinite(found).all():
        raise DataError(f"no sphere fits the {len(p)} points")
    return Sphere(found[:3] * scale + middle, float(abs(found[3]) * scale))
