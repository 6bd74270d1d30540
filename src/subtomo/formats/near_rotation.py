"""Matrices of files that should be rotations, up to a small magnification."""

import numpy as np
from numpy.typing import NDArray

_LEAST_SCALE, _MOST_SCALE = 0.8, 1.25  # along any direction: beyond what magnifications drift
EXPECTED = f"a rotation, scaled by {_LEAST_SCALE:g} to {_MOST_SCALE:g}"


def first_not_near_rotation(matrices: NDArray[np.float64]) -> tuple[int, str] | None:
    """Find the first matrix that is far from a rotation.

    Parameters
    ----------
    matrices : (n, d, d) finite

    Returns
    -------
    its index, and what it does to an image in words; None if there is none
    """
    scales = np.linalg.svd(matrices, compute_uv=False)
    is_strange = (scales < _LEAST_SCALE) | (scales > _MOST_SCALE)
    bad = np.flatnonzero(is_strange.any(axis=1) | (np.linalg.det(matrices) < 0))
    if not len(bad):
        return None
    index = int(bad[0])
    if is_strange[index].any():
        return index, f"scales by {scales[index, -1]:.2f} to {scales[index, 0]:.2f}"
    return index, "mirrors"
