"""How large the part of a score map about each pick is that lies above a threshold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label


def peak_volumes(
    score: Any, threshold: float, voxel: NDArray[np.int64], pixel_size: float
) -> NDArray[np.float64]:
    """Measure the connected volume above a threshold that holds each voxel.

    Parameters
    ----------
    score : (z, y, x)
    threshold : in the map's unit
    voxel : (n, 3) z, y, x
    pixel_size : Å

    Returns
    -------
    (n,) Å³, of voxels that share faces; 0 for a voxel below the threshold
    """
    if not len(voxel):
        return np.zeros(0)
    parts, _ = label(np.asarray(score) >= threshold)
    sizes = np.bincount(parts.ravel()).astype(np.float64)
    sizes[0] = 0  # what is below
    volumes: NDArray[np.float64] = sizes[parts[tuple(voxel.T)]] * pixel_size**3
    return volumes
