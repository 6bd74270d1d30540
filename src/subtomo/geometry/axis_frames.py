"""Orientations from one known axis."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.geometry.euler import quaternions_from_dynamo
from subtomo.geometry.rotations import quaternions_from_matrices

FloatArray = NDArray[np.float64]


def quaternions_along(axes: ArrayLike, angles_deg: ArrayLike = 0.0) -> FloatArray:
    """Give orientations whose z axis points along vectors; the angle about it is free.

    Parameters
    ----------
    axes : (n, 3) of any length but zero, such as the normals of a surface
    angles_deg : (n,) or a number, degrees
        By which the particle is turned about its z axis. At 0 its x axis lies in the xy plane of
        the tomogram.

    Returns
    -------
    (n, 4) unit quaternions x, y, z, w, reference to tomogram

    Notes
    -----
    Dynamo's angles: tilt = acos n_z, tdrot = atan2(n_x, n_y), and narot = −angle.
    """
    n = np.asarray(axes, dtype=np.float64).reshape(-1, 3)
    tilt = np.degrees(np.arctan2(np.hypot(n[:, 0], n[:, 1]), n[:, 2]))
    tdrot = np.degrees(np.arctan2(n[:, 0], n[:, 1]))
    narot = np.broadcast_to(-np.asarray(angles_deg, dtype=np.float64), tilt.shape)
    return quaternions_from_dynamo(np.stack([tdrot, tilt, narot], axis=-1))


def quaternions_with_axes(z_axes: ArrayLike, x_axes: ArrayLike) -> FloatArray:
    """Give orientations whose z axis points along one vector, and x towards another.

    Parameters
    ----------
    z_axes, x_axes : (n, 3)
        The part of ``x_axes`` at a right angle to ``z_axes`` counts; it must not be zero.

    Returns
    -------
    (n, 4) unit quaternions x, y, z, w, reference to tomogram
    """
    z = _unit(np.asarray(z_axes, dtype=np.float64).reshape(-1, 3))
    x = np.asarray(x_axes, dtype=np.float64).reshape(-1, 3)
    x = _unit(x - (x * z).sum(axis=1, keepdims=True) * z)
    return quaternions_from_matrices(np.stack([x, np.cross(z, x), z], axis=-1))


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
