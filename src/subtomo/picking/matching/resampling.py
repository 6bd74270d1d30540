"""Exact band-limited resampling of a template to another pixel size."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def resample_about_centre(
    volume: NDArray[np.floating], pixel_size: float, new_pixel_size: float, box: int
) -> NDArray[np.float32]:
    """Resample a volume so that voxel ``n // 2`` stays the centre.

    Parameters
    ----------
    volume : (z, y, x)
        Zero at its border; taken to be zero outside.
    pixel_size, new_pixel_size : Å, in any ratio
    box : edge of the new volume, voxels

    Returns
    -------
    (box, box, box) float32
        Values keep their scale. Detail finer than two new pixels is removed.

    Notes
    -----
    Trigonometric interpolation, axis by axis; exact for what both grids can hold.
    """
    out = np.asarray(volume, dtype=np.float64)
    for axis in range(3):
        matrix = _interpolation_matrix(out.shape[axis], box, new_pixel_size / pixel_size)
        out = np.moveaxis(np.tensordot(matrix, out, axes=(1, axis)), 0, axis)
    return out.astype(np.float32)


def _interpolation_matrix(n: int, box: int, ratio: float) -> FloatArray:
    """Weights (box, n) of the old samples in the new ones; rows outside the old box are zero."""
    points = (np.arange(box) - box // 2) * ratio + n // 2
    distance = 2 * np.pi / n * (points[:, None] - np.arange(n))
    highest = min(n / 2, n / (2 * ratio))
    matrix = np.full((box, n), 1.0)
    for k in range(1, int(np.floor(highest)) + 1):
        matrix += (1.0 if 2 * k == n else 2.0) * np.cos(k * distance)
    outside = (points < -0.5) | (points > n - 0.5)
    matrix[outside] = 0
    return matrix / n
