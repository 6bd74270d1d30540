"""A template on the grid of a tomogram."""

import numpy as np
from numpy.typing import NDArray

from subtomo.signal.resampling import interpolation_matrix


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
        matrix = _weights(out.shape[axis], box, new_pixel_size / pixel_size)
        out = np.moveaxis(np.tensordot(matrix, out, axes=(1, axis)), 0, axis)
    return out.astype(np.float32)


def _weights(n: int, box: int, ratio: float) -> NDArray[np.float32]:
    """Weights (box, n) of the old samples in the new ones; zero for those outside the old box."""
    matrix = interpolation_matrix(n, box, ratio)
    points = (np.arange(box) - box // 2) * ratio + n // 2
    matrix[(points < -0.5) | (points > n - 0.5)] = 0
    return matrix
