"""Frames that go along a curve without turning about it."""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_PIECES = 256
"""Least number of steps along the whole curve; the error of the method is of fourth order."""


class Curve(Protocol):
    """A curve in space by its arc length."""

    @property
    def length(self) -> float:
        """Arc length of the whole."""

    def at(self, s: ArrayLike) -> FloatArray:
        """Give the points at arc lengths."""

    def tangent(self, s: ArrayLike) -> FloatArray:
        """Give the unit vectors along the curve."""


def curve_frames(curve: Curve, s: ArrayLike) -> FloatArray:
    """Give rotation-minimising frames along a curve.

    Parameters
    ----------
    curve : in three dimensions
    s : (n,) arc lengths

    Returns
    -------
    (n, 3, 3) columns e₁, e₂, t
        Right-handed; t is the tangent. At the start e₁ lies in the plane of the tangent and
        of the axis (x, y or z) that is most nearly perpendicular to it, the first of these if
        several are.

    Notes
    -----
    Double reflection: Wang, Jüttler, Zheng and Liu 2008, ACM Trans. Graphics 27, 2.
    """
    asked = np.asarray(s, dtype=np.float64).reshape(-1)
    steps = np.linspace(0.0, curve.length, _PIECES + 1)
    nodes, row = np.unique(np.concatenate([steps, asked]), return_inverse=True)
    points, tangents = curve.at(nodes), curve.tangent(nodes)
    first = np.empty_like(points)
    first[0] = _perpendicular(tangents[0])
    for k in range(len(nodes) - 1):
        first[k + 1] = _carried(first[k], points[k : k + 2], tangents[k : k + 2])
    frames = np.stack([first, np.cross(tangents, first), tangents], axis=-1)
    return np.asarray(frames[row.reshape(-1)[len(steps) :]])


def turned_frames(frames: FloatArray, angles_deg: ArrayLike) -> FloatArray:
    """Turn frames about their third column.

    Parameters
    ----------
    frames : (n, 3, 3)
    angles_deg : (n,) degrees, from the first column to the second

    Returns
    -------
    (n, 3, 3)
    """
    angle = np.radians(np.asarray(angles_deg, dtype=np.float64))[:, None]
    e1, e2, t = np.moveaxis(frames, -1, 0)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * e1 + s * e2, c * e2 - s * e1, t], axis=-1)


def _perpendicular(tangent: FloatArray) -> FloatArray:
    """Direction of the axis that a tangent is least along, made perpendicular to it."""
    axis = np.eye(3)[np.argmin(np.round(np.abs(tangent), 9))]
    vector = axis - (axis @ tangent) * tangent
    return np.asarray(vector / np.linalg.norm(vector))


def _carried(e1: FloatArray, points: FloatArray, tangents: FloatArray) -> FloatArray:
    """Carry a vector over one step by two reflections, and clear rounding from it."""
    along = points[1] - points[0]
    squared = along @ along
    if squared > 0:
        e1 = e1 - (2 / squared) * (along @ e1) * along
        mirrored = tangents[0] - (2 / squared) * (along @ tangents[0]) * along
        across = tangents[1] - mirrored
        squared = across @ across
        if squared > 0:
            e1 = e1 - (2 / squared) * (across @ e1) * across
    e1 = e1 - (e1 @ tangents[1]) * tangents[1]
    return np.asarray(e1 / np.linalg.norm(e1))
