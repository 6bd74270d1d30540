"""Rotations as unit quaternions (x, y, z, w) and as matrices; always active."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from subtomo.errors import ShapeError
from subtomo.geometry.symmetry import symmetry_quaternions

FloatArray = NDArray[np.float64]

_PAIRS_A_TIME = 1 << 22  # bounds the memory of one block of comparisons to some 30 MB


def matrices_from_quaternions(quaternions: ArrayLike) -> FloatArray:
    """Turn quaternions into matrices acting on columns (x, y, z).

    Parameters
    ----------
    quaternions : (..., 4) x, y, z, w; of any length but zero

    Returns
    -------
    (..., 3, 3)

    Raises
    ------
    ShapeError
        If the last axis has not four entries.
    """
    q = _unit(quaternions)
    x, y, z, w = np.moveaxis(q, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows, dtype=np.float64), (0, 1), (-2, -1))


def quaternions_from_matrices(matrices: ArrayLike) -> FloatArray:
    """Turn rotation matrices into unit quaternions (x, y, z, w) with w ≥ 0.

    Parameters
    ----------
    matrices : (..., 3, 3), orthonormal with determinant 1

    Returns
    -------
    (..., 4)

    Raises
    ------
    ShapeError
        If the last two axes are not 3 × 3.
    """
    m = np.asarray(matrices, dtype=np.float64)
    if m.shape[-2:] != (3, 3):
        raise ShapeError(f"rotation matrices have shape {m.shape}; expected (..., 3, 3)")
    q = Rotation.from_matrix(m.reshape(-1, 3, 3)).as_quat() if m.size else np.empty((0, 4))
    q = np.where(q[:, 3:] < 0, -q, q)
    return np.asarray(q.reshape(*m.shape[:-2], 4))


def multiply_quaternions(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Compose rotations: ``b`` first, then ``a``.

    Parameters
    ----------
    a, b : (..., 4) x, y, z, w; broadcast against each other

    Returns
    -------
    (..., 4)
    """
    ax, ay, az, aw = np.moveaxis(_quaternion_array(a), -1, 0)
    bx, by, bz, bw = np.moveaxis(_quaternion_array(b), -1, 0)
    product = [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
    return np.stack(np.broadcast_arrays(*product), axis=-1)


def invert_quaternions(quaternions: ArrayLike) -> FloatArray:
    """Return the unit quaternions (..., 4) of the opposite rotations."""
    return np.asarray(_unit(quaternions) * [-1.0, -1.0, -1.0, 1.0])


def rotate_points(quaternions: ArrayLike, points: ArrayLike) -> FloatArray:
    """Rotate points actively about the origin.

    Parameters
    ----------
    quaternions : (n, 4) or (4,) x, y, z, w; one for each point, or one for all
    points : (n, 3) columns x, y, z

    Returns
    -------
    (n, 3) columns x, y, z
    """
    matrices = matrices_from_quaternions(quaternions)
    rotated: FloatArray = matrices @ np.asarray(points, dtype=np.float64)[..., None]
    return rotated[..., 0]


def random_quaternions(n: int, rng: np.random.Generator) -> FloatArray:
    """Draw orientations (n, 4) uniformly from all rotations (Haar measure).

    Notes
    -----
    Source: a normalised 4D Gaussian is uniform on the sphere of quaternions (Muller 1959).
    """
    return _unit(rng.normal(size=(n, 4)))


def angular_distance(a: ArrayLike, b: ArrayLike, symmetry: str = "C1") -> FloatArray:
    """Measure the rotation angle between orientations, the smallest over equivalent ones.

    Parameters
    ----------
    a, b : (n, 4) or (4,) x, y, z, w, reference to tomogram
    symmetry : of the reference: ``b`` stands for all of b·S

    Returns
    -------
    (n,) degrees, 0 to 180

    Raises
    ------
    SettingsError
        If the symmetry is unknown.
    """
    group = symmetry_quaternions(symmetry)
    between = np.atleast_2d(multiply_quaternions(invert_quaternions(a), _unit(b)))
    step = max(1, _PAIRS_A_TIME // (4 * len(group)))
    angles = [
        _smallest_angle(between[start : start + step], group)
        for start in range(0, len(between), step)
    ]
    return np.degrees(np.concatenate(angles)) if angles else np.empty(0)


def _smallest_angle(between: FloatArray, group: FloatArray) -> FloatArray:
    """Smallest rotation angle, rad, of between·S over the group."""
    products = multiply_quaternions(between[:, None], group)
    sine = np.linalg.norm(products[..., :3], axis=-1)
    angles = 2 * np.arctan2(sine, np.abs(products[..., 3]))
    return np.asarray(angles.min(axis=1))


def _quaternion_array(quaternions: ArrayLike) -> FloatArray:
    """Float array whose last axis holds x, y, z, w."""
    q = np.asarray(quaternions, dtype=np.float64)
    if q.ndim == 0 or q.shape[-1] != 4:
        raise ShapeError(f"quaternions have shape {q.shape}; expected (..., 4), x, y, z, w")
    return q


def _unit(quaternions: Any) -> FloatArray:
    """Quaternions scaled to unit length."""
    q = _quaternion_array(quaternions)
    return np.asarray(q / np.linalg.norm(q, axis=-1, keepdims=True))
