"""Natural cubic splines through the nodes of a grid, as tables of bicubic Hermite patches."""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

FloatArray = NDArray[np.float64]


def hermite_table(values: FloatArray) -> FloatArray:
    """Give value, slopes and twist of a natural bicubic spline at its nodes.

    Parameters
    ----------
    values : (..., y, x) at the nodes; at least 2 along each axis

    Returns
    -------
    (..., y, x, 4)
        Value, slope along x, slope along y and twist, each for one grid spacing. Between the nodes
        the Hermite patches of these are the spline itself, for it is bicubic there.

    Notes
    -----
    The second derivative is zero at the ends, as in the splines of Warp's grids (einspline).
    Source: warpylib (MIT), ``interpolating_bspline``.
    """
    along_x = _slopes(values, -1)
    return np.stack([values, along_x, _slopes(values, -2), _slopes(along_x, -2)], axis=-1)


def resample_axis(values: FloatArray, n: int, axis: int) -> FloatArray:
    """Read a natural cubic spline along one axis at ``n`` even steps from end to end.

    Parameters
    ----------
    values : (..., m, ...) at the nodes; a single one is repeated
    n : how many steps, at least 1
    axis : the one with m

    Returns
    -------
    (..., n, ...)
    """
    m = values.shape[axis]
    if m == n:
        return values
    if m == 1:
        return np.repeat(values, n, axis=axis)
    return np.asarray(_spline(values, axis)(np.linspace(0, m - 1, n)))


def _slopes(values: FloatArray, axis: int) -> FloatArray:
    """Slopes at the nodes, for one spacing."""
    return np.asarray(_spline(values, axis)(np.arange(values.shape[axis]), 1))


def _spline(values: FloatArray, axis: int) -> CubicSpline:
    return CubicSpline(np.arange(values.shape[axis]), values, axis=axis, bc_type="natural")
