"""A sparse part of a set of orientations that covers all of it."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from subtomo.geometry.rotations import multiply_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions


def cover_orientations(
    matrices: NDArray[np.float64], symmetry: str, angle_deg: float
) -> NDArray[np.int64]:
    """Choose orientations that every other one is closer to than an angle.

    Parameters
    ----------
    matrices : (r, 3, 3) reference to tomogram
    symmetry : of the reference, whose equivalent orientations are one
    angle_deg : of rotation, greatest distance from the nearest that is chosen

    Returns
    -------
    (k,) rows of ``matrices``, in order; no two of them are closer than the angle
    """
    quaternions = Rotation.from_matrix(matrices).as_quat()
    equivalent = [
        multiply_quaternions(quaternions, each) for each in symmetry_quaternions(symmetry)
    ]
    tree = cKDTree(np.concatenate([*equivalent, *(-q for q in equivalent)]))
    # the chord between unit quaternions whose rotations differ by the angle
    reach = np.nextafter(2 * np.sin(np.radians(min(angle_deg, 180.0)) / 4), 0)
    free = np.ones(len(matrices), dtype=bool)
    kept = []
    for i in range(len(matrices)):
        if free[i]:
            kept.append(i)
            free[np.asarray(tree.query_ball_point(quaternions[i], reach)) % len(matrices)] = False
    return np.array(kept, dtype=np.int64)
