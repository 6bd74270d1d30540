"""Fourier analysis on a cylinder: power by angular order and axial frequency.

A lattice of N protofilaments whose monomers repeat every a along the axis, with a helical start of
s monomers a turn, has power only at the orders n = s·l + N·m on the layer line of frequency l/a
(m any whole number; Klug, Crick and Wyckoff 1958, Acta Cryst. 11, 199). So the equator (l = 0)
shows N itself, and the first layer line shows the two orders s and s - N.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import ShapeError

FloatArray = NDArray[np.float64]


def point_power(
    heights: ArrayLike, angles: ArrayLike, orders: ArrayLike, frequencies: ArrayLike
) -> FloatArray:
    """Compute the power of points on a cylinder by angular order and axial frequency.

    ``|Σ exp(i (n φ - 2π k s))|² / count``: 1 on average where points are strewn at random. A
    right-handed helix (s grows with φ) of n starts has its power at +n.

    Parameters
    ----------
    heights : (points,) Å along the axis
    angles : (points,) radians about it
    orders : (orders,) whole numbers n
    frequencies : (frequencies,) 1/Å

    Returns
    -------
    (orders, frequencies)

    Raises
    ------
    ShapeError
        If heights and angles differ in length, or there are none.
    """
    s, phi = np.asarray(heights, dtype=np.float64), np.asarray(angles, dtype=np.float64)
    if s.shape != phi.shape or s.ndim != 1 or len(s) == 0:
        raise ShapeError(
            f"heights have shape {s.shape}, angles {phi.shape}; expected the same (points,)"
        )
    around = np.exp(1j * np.outer(np.asarray(orders), phi))  # (orders, points)
    along = np.exp(-2j * np.pi * np.outer(s, np.asarray(frequencies)))  # (points, frequencies)
    return np.asarray(np.abs(around @ along) ** 2 / len(s))


def grid_power(
    values: ArrayLike,
    heights: ArrayLike,
    radii: ArrayLike,
    orders: ArrayLike,
    frequencies: ArrayLike,
) -> FloatArray:
    """Compute the power of a density sampled on cylinders by angular order and axial frequency.

    Same signs as ``point_power``. The mean of each cylinder is removed; cylinders are added in
    proportion to their radius, as their area is.

    Parameters
    ----------
    values : (radius, angle, height)
        Angles evenly spaced over the whole turn, from 0.
    heights : (height,) Å
    radii : (radius,) Å
    orders : (orders,) whole numbers n
    frequencies : (frequencies,) 1/Å

    Returns
    -------
    (orders, frequencies)

    Raises
    ------
    ShapeError
        If the values do not have one entry for each radius and height.
    """
    grid, s, r = (np.asarray(a, dtype=np.float64) for a in (values, heights, radii))
    if grid.ndim != 3 or grid.shape[0] != len(r) or grid.shape[2] != len(s):
        raise ShapeError(
            f"values have shape {grid.shape}; expected ({len(r)} radii, angles, {len(s)} heights)"
        )
    grid = grid - grid.mean(axis=(1, 2), keepdims=True)
    phi = np.arange(grid.shape[1]) * (2 * np.pi / grid.shape[1])
    around = np.exp(1j * np.outer(np.asarray(orders), phi))
    along = np.exp(-2j * np.pi * np.outer(s, np.asarray(frequencies)))
    amplitude = around @ grid @ along  # (radius, orders, frequencies)
    return np.asarray(np.tensordot(r, np.abs(amplitude) ** 2, axes=1))
