"""Where the local deformation of a tilt image moves a point."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Deformation

FloatArray = NDArray[np.float64]


def deformation_shifts(
    deformation: Deformation, points: FloatArray, image_size_px: tuple[int, int]
) -> FloatArray:
    """Give the shifts that a deformation adds to projected points.

    Parameters
    ----------
    deformation : of the tilt images
    points : (tilt, m, 2) image pixels, columns x, y, before the deformation
    image_size_px : (x, y)

    Returns
    -------
    (tilt, m, 2) pixels

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0. *linear*, (m1, m2, m3): (m1·x, m2·x + m3·y) about the centre
    of the image. *fourier*: sums of cosines and sines over half the frequencies of the grid.
    *spline*: bicubic Hermite patches between grid points that hold value, slopes and twist.
    """
    shifts = {"linear": _linear, "fourier": _fourier, "spline": _spline}[deformation.kind]
    return shifts(deformation, points, np.array(image_size_px, dtype=np.float64))


def _linear(deformation: Deformation, points: FloatArray, size: FloatArray) -> FloatArray:
    x, y = np.moveaxis(points - size / 2, -1, 0)
    m1, m2, m3 = deformation.coefficients.T[..., None]
    return np.stack([m1 * x, m2 * x + m3 * y], axis=-1)


def _fourier(deformation: Deformation, points: FloatArray, size: FloatArray) -> FloatArray:
    frequencies = np.array(list(_frequencies(*deformation.grid)), dtype=np.float64).reshape(-1, 2)
    phases = points @ (np.pi * frequencies / size).T
    used = deformation.coefficients[:, : 4 * len(frequencies)]
    coefficients = used.reshape(len(points), 2, len(frequencies), 2)
    real, imaginary = np.moveaxis(coefficients, -1, 0)
    shifts = np.einsum("tmf,taf->tma", np.cos(phases), real)
    return np.asarray(shifts + np.einsum("tmf,taf->tma", np.sin(phases), imaginary))


def _frequencies(grid_x: int, grid_y: int) -> Iterator[tuple[int, int]]:
    """List half the frequencies of a grid without its zero, in the order of the coefficients."""
    for y in range(grid_y):
        is_upper = y < grid_y // 2
        first = 0 if is_upper and y > 0 else 1
        for x in range(first, grid_x // 2 + 1):
            yield x, y if is_upper else y - grid_y


def _spline(deformation: Deformation, points: FloatArray, size: FloatArray) -> FloatArray:
    grid = np.array(deformation.grid)
    at = np.clip(points / (size / (grid - 1)), 0, grid - 1)
    cell = np.minimum(at.astype(np.int64), grid - 2)
    x, y = np.moveaxis(cell, -1, 0)
    weights_x, weights_y = np.moveaxis(_hermite(at - cell), 2, 0)
    table = deformation.coefficients.reshape(len(points), 2, grid[1], grid[0], 2, 2)
    tilt = np.arange(len(points))[:, None]
    shifts = np.zeros_like(points)
    for dy in (0, 1):
        for dx in (0, 1):  # at a corner: ((value, slope in x), (slope in y, twist))
            corner = table[tilt, :, y + dy, x + dx]
            wx, wy = weights_x[..., dx, :], weights_y[..., dy, :]
            shifts += np.einsum("tmayx,tmx,tmy->tma", corner, wx, wy)
    return shifts


def _hermite(t: FloatArray) -> FloatArray:
    """Cubic Hermite weights: (..., end, value or slope)."""
    value = 2 * t**3 - 3 * t**2 + 1
    ends = [[value, t**3 - 2 * t**2 + t], [1 - value, t**3 - t**2]]
    return np.moveaxis(np.array(ends), (0, 1), (-2, -1))
