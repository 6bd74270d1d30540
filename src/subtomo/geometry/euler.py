"""Euler angles of RELION and Dynamo, to and from quaternions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import AngleError, ShapeError
from subtomo.geometry.rotations import invert_quaternions, multiply_quaternions

FloatArray = NDArray[np.float64]

_POLE = 1e-8  # half-angle sine below which the two angles about z cannot be told apart
_MOST = 1e6  # degrees; of more, double precision leaves no meaning of the turn


def quaternions_from_relion(angles: ArrayLike) -> FloatArray:
    """Turn RELION's angles into orientations: R = (Rz(rot) · Ry(tilt) · Rz(psi))⁻¹.

    Parameters
    ----------
    angles : (n, 3) degrees, columns rot, tilt, psi

    Returns
    -------
    (n, 4) unit quaternions x, y, z, w, reference to tomogram

    Raises
    ------
    ShapeError
        If there are not three columns.
    """
    rot, tilt, psi = _columns(angles, "rot, tilt, psi")
    product = multiply_quaternions(_about("y", tilt), _about("z", psi))
    return invert_quaternions(multiply_quaternions(_about("z", rot), product))


def relion_from_quaternions(quaternions: ArrayLike) -> FloatArray:
    """Turn orientations into RELION's angles.

    Parameters
    ----------
    quaternions : (n, 4) x, y, z, w, reference to tomogram

    Returns
    -------
    (n, 3) degrees, columns rot, tilt, psi
        rot and psi in (−180, 180], tilt in [0, 180]; rot is 0 where tilt is 0 or 180.

    Notes
    -----
    R⁻¹ = (−sin t sin b, sin t cos b, cos t sin a, cos t cos a) with t = tilt/2, a = (rot + psi)/2,
    b = (rot − psi)/2, from the product of the three quaternions: exact to rounding at any tilt.
    """
    x, y, z, w = np.moveaxis(invert_quaternions(quaternions), -1, 0)
    sine, cosine = np.hypot(x, y), np.hypot(z, w)
    tilt = 2 * np.arctan2(sine, cosine)
    a, b = np.arctan2(z, w), np.arctan2(-x, y)
    b = np.where(sine < _POLE, -a, b)
    a = np.where(cosine < _POLE, -b, a)
    rot, psi = _wrap(np.degrees(a + b)), _wrap(np.degrees(a - b))
    return np.stack([rot, np.degrees(tilt), psi], axis=-1)


def quaternions_from_dynamo(angles: ArrayLike) -> FloatArray:
    """Turn Dynamo's angles into orientations: R = Rz(−tdrot) · Rx(−tilt) · Rz(−narot).

    Parameters
    ----------
    angles : (n, 3) degrees, columns tdrot, tilt, narot

    Returns
    -------
    (n, 4) unit quaternions x, y, z, w, reference to tomogram

    Raises
    ------
    ShapeError
        If there are not three columns.
    """
    tdrot, tilt, narot = _columns(angles, "tdrot, tilt, narot")
    product = multiply_quaternions(_about("x", -tilt), _about("z", -narot))
    return multiply_quaternions(_about("z", -tdrot), product)


def dynamo_from_quaternions(quaternions: ArrayLike) -> FloatArray:
    """Turn orientations into Dynamo's angles.

    Parameters
    ----------
    quaternions : (n, 4) x, y, z, w, reference to tomogram

    Returns
    -------
    (n, 3) degrees, columns tdrot, tilt, narot
        tdrot and narot in (−180, 180], tilt in [0, 180].

    Notes
    -----
    RELION's rot = narot − 90, tilt = tilt, psi = tdrot + 90.
    """
    rot, tilt, psi = np.moveaxis(relion_from_quaternions(quaternions), -1, 0)
    return np.stack([_wrap(psi - 90), tilt, _wrap(rot + 90)], axis=-1)


def _columns(angles: ArrayLike, names: str) -> FloatArray:
    """Three arrays of angles in degrees."""
    array = np.asarray(angles, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise ShapeError(f"Euler angles have shape {array.shape}; expected (n, 3): {names}")
    rows, columns = np.nonzero(np.abs(array.reshape(-1, 3)) > _MOST)
    if len(rows):
        name = names.split(", ")[columns[0]]
        raise AngleError(
            f"particle {rows[0] + 1}: {name} is {array.reshape(-1, 3)[rows[0], columns[0]]:g}°; "
            f"expected an angle within {_MOST:.0f}°"
        )
    return np.moveaxis(array, -1, 0)


def _about(axis: str, angle_deg: FloatArray) -> FloatArray:
    """Quaternions of rotations about one axis."""
    half = np.radians(angle_deg) / 2
    q = np.zeros((*half.shape, 4))
    q[..., "xyz".index(axis)] = np.sin(half)
    q[..., 3] = np.cos(half)
    return q


def _wrap(degrees: FloatArray) -> FloatArray:
    """Angles in (−180, 180]."""
    return 180.0 - np.mod(180.0 - degrees, 360.0)
