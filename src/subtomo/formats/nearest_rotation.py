"""Rotation matrices that were rounded on their way through a file."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError

FloatArray = NDArray[np.float64]
_MOST_SKEW = 1e-2  # of a rotation matrix and its inverse; rounded ones are set right


def nearest_rotation(matrix: Any, where: str) -> FloatArray:
    """Give the rotation that a rounded matrix means.

    Parameters
    ----------
    matrix : 3 x 3 numbers
    where : it stands, for messages

    Raises
    ------
    FormatError
        If it is no rotation within rounding, or a mirror image.
    """
    try:
        given = np.array(matrix, dtype=np.float64)
        is_close = given.shape == (3, 3) and np.allclose(
            given @ given.T, np.eye(3), rtol=0, atol=_MOST_SKEW
        )
    except (ValueError, TypeError):
        is_close = False
    if not is_close:
        raise FormatError(f"{where}: the rotation matrix {matrix} is not orthonormal")
    u, _, v = np.linalg.svd(given)
    rotation: FloatArray = u @ v
    if np.linalg.det(rotation) < 0:
        raise FormatError(f"{where}: the rotation matrix {matrix} is a mirror image")
    return rotation
