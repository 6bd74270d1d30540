"""Whether points lie in their tomogram."""

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Volume


def is_inside(points: NDArray[np.float64], volume: Volume) -> NDArray[np.bool_]:
    """Tell which points (n, 3), Å, lie within a voxel of a volume: (n,)."""
    index = volume.position_to_index(points)
    far = np.array(volume.shape[::-1]) - 0.5
    return np.asarray(((index >= -0.5) & (index <= far)).all(axis=1))
