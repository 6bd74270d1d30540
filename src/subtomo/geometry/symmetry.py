"""Point groups of references, in RELION's settings, and their asymmetric units."""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from subtomo.errors import SettingsError

FloatArray = NDArray[np.float64]
Generator = tuple[tuple[float, float, float], int]

_GOLDEN = (1 + 5**0.5) / 2
_SIN36, _COS36 = np.sin(np.pi / 5), np.cos(np.pi / 5)
_COS53 = np.sqrt((5 + 2 * 5**0.5) / 15)  # between neighbouring five-fold and three-fold axes
_SIN53 = np.sqrt(1 - _COS53**2)

_TIE = 1e-9  # quaternions closer than this are the same: far above rounding, far below any use

# (axis, fold) of generators. Source: RELION 5 (commit 73f0a3c0) point groups, the axes in closed
# form; a bare I is I2 there, and T has its three-fold axis on z.
_GENERATORS: dict[str, tuple[Generator, ...]] = {
    "T": (((0, 0, 1), 3), ((0, 2**0.5, 1), 2)),
    "O": (((0, 0, 1), 4), ((1, 1, 1), 3)),
    "I1": (((1, 0, 0), 2), ((_GOLDEN, 0, -1), 5), ((_GOLDEN**2, 1, 0), 3)),
    "I2": (((0, 0, 1), 2), ((1, 0, _GOLDEN), 5), ((0, 1, _GOLDEN**2), 3)),
    "I3": (
        ((-1, 0, _GOLDEN), 2),
        ((0, 0, 1), 5),
        ((-_SIN53 * _COS36, _SIN53 * _SIN36, _COS53), 3),
    ),
    "I4": (((1, 0, _GOLDEN), 2), ((2, 0, 1), 5), ((_SIN53 * _COS36, _SIN53 * _SIN36, _COS53), 3)),
}


def symmetry_quaternions(symmetry: str) -> FloatArray:
    """List the rotations that leave a reference of this symmetry as it is.

    Parameters
    ----------
    symmetry : C1, Cn, Dn (n-fold axis on z, a two-fold one on x), T, O, I, I1 to I4
        As in RELION: T has a three-fold axis on z, I means I2. Small letters are accepted.

    Returns
    -------
    (order, 4) unit quaternions x, y, z, w with w ≥ 0; the identity first

    Raises
    ------
    SettingsError
        If the name is none of these.

    Examples
    --------
    >>> [len(symmetry_quaternions(name)) for name in ("C1", "C7", "D7", "T", "O", "I")]
    [1, 7, 14, 12, 24, 60]
    """
    return _group(_canonical_name(symmetry)).copy()


def reduce_to_asymmetric_unit(quaternions: ArrayLike, symmetry: str) -> FloatArray:
    """Choose of the equivalent orientations R·S the smallest rotation.

    Parameters
    ----------
    quaternions : (n, 4) x, y, z, w, reference to tomogram
    symmetry : of the reference

    Returns
    -------
    (n, 4) unit quaternions with w ≥ 0
        Equivalent orientations give the same result; on the border of the unit, where several are
        equally small, the one whose quaternion comes last in the order of w, x, y, z.

    Raises
    ------
    SettingsError
        If the symmetry is unknown.
    """
    q = np.asarray(quaternions, dtype=np.float64).reshape(-1, 4)
    group = symmetry_quaternions(symmetry)
    best = np.zeros_like(q)
    for index, element in enumerate(group):
        candidate = _upper_half((Rotation.from_quat(q) * Rotation.from_quat(element)).as_quat())
        better = _comes_later(candidate, best) if index else np.ones(len(q), dtype=bool)
        best[better] = candidate[better]
    return best


def _canonical_name(symmetry: str) -> str:
    """Spell a point group as the tables here do."""
    name = symmetry.strip().upper()
    name = "I2" if name == "I" else name
    if name not in _GENERATORS and not re.fullmatch(r"[CD][1-9][0-9]{0,2}", name):
        raise SettingsError(
            f"symmetry is {symmetry!r}; expected C1, C2 … , D1, D2 …, T, O, I or I1 to I4"
        )
    return name


@lru_cache
def _group(name: str) -> FloatArray:
    """Build the group: closed forms for C and D, closure of the generators for the others."""
    if name in _GENERATORS:
        return _closure([_rotation(axis, fold) for axis, fold in _GENERATORS[name]])
    n = int(name[1:])
    half = np.pi * np.arange(n) / n
    zero = np.zeros(n)
    cyclic = np.stack([zero, zero, np.sin(half), np.cos(half)], axis=1)
    flipped = np.stack([np.cos(half), np.sin(half), zero, zero], axis=1)
    return _upper_half(cyclic if name[0] == "C" else np.concatenate([cyclic, flipped]))


def _rotation(axis: tuple[float, float, float], fold: int) -> Rotation:
    """Rotation by a full turn over ``fold`` about an axis of any length."""
    return Rotation.from_rotvec(2 * np.pi / fold * np.array(axis) / np.linalg.norm(axis))


def _closure(generators: list[Rotation]) -> FloatArray:
    """All products of the generators, the identity first."""
    found = [np.array([0.0, 0.0, 0.0, 1.0])]
    for element in found:  # grows while it is walked
        for generator in generators:
            product = _upper_half((generator * Rotation.from_quat(element)).as_quat()[None])[0]
            if not any(np.abs(known - product).max() < 1e-6 for known in found):
                found.append(product)
    return np.array(found)


def _upper_half(q: FloatArray) -> FloatArray:
    """Choose of q and −q the one whose first entry but zeros, in order w, x, y, z, is positive."""
    q = np.where(np.abs(q) < _TIE, 0.0, q)
    ordered = q[:, [3, 0, 1, 2]]
    first = np.take_along_axis(ordered, np.argmax(ordered != 0, axis=1)[:, None], axis=1)
    return np.where(first < 0, -q, q)


def _comes_later(a: FloatArray, b: FloatArray) -> NDArray[np.bool_]:
    """Whether each a comes after b in the order of w, x, y, z, apart from rounding."""
    difference = (a - b)[:, [3, 0, 1, 2]]
    difference[np.abs(difference) < _TIE] = 0
    first = np.take_along_axis(difference, np.argmax(difference != 0, axis=1)[:, None], axis=1)
    return np.asarray(first[:, 0] > 0)
