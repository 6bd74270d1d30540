"""A smooth curve through points, read by its arc length."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from subtomo.errors import DataError, ShapeError

FloatArray = NDArray[np.float64]

_STEPS = 16
"""Pieces of each segment in the table of arc lengths."""
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True, eq=False)
class SplineCurve:
    """A cubic spline through points, open or closed, with the arc length as its parameter.

    Made by :meth:`through`.

    Parameters
    ----------
    spline : the curve over the lengths of the chords between the points
    is_closed : whether the end joins the start
    """

    spline: CubicSpline
    is_closed: bool

    @staticmethod
    def through(points: ArrayLike, is_closed: bool = False) -> "SplineCurve":
        """Lay a cubic spline through points in their order.

        Parameters
        ----------
        points : (n, 2) or (n, 3), in any unit
            At least 2, or 3 for a closed curve; the first is not repeated at the end of a
            closed one. Two points give a straight line, three an arc of a parabola.
        is_closed : whether the last point is joined to the first

        Raises
        ------
        ShapeError
            If the points are not in two or three columns.
        DataError
            If there are too few points, one is not finite, or two in a row are the same.

        Notes
        -----
        The parameter of the spline is the chord length; ends are not-a-knot, which reproduces a
        curve of third degree. Source: de Boor, "A practical guide to splines", chapters IV, XVI.
        """
        nodes = _checked(points, is_closed)
        if is_closed:
            nodes = np.concatenate([nodes, nodes[:1]])
        chords = np.linalg.norm(np.diff(nodes, axis=0), axis=1)
        same = np.flatnonzero(~(chords > 1e-9 * chords.max()))
        if len(same):
            first = int(same[0])
            raise DataError(
                f"curve: points {first + 1} and {(first + 1) % len(nodes) + 1} are both at "
                f"{nodes[first].tolist()}; remove one of them"
            )
        knots = np.concatenate([[0.0], np.cumsum(chords)])
        ends = "periodic" if is_closed else "not-a-knot"
        return SplineCurve(CubicSpline(knots, nodes, bc_type=ends), is_closed)

    @property
    def length(self) -> float:
        """Length of the whole curve, in the unit of the points."""
        return float(self._table[1][-1])

    @property
    def lengths_at_points(self) -> FloatArray:
        """(n,) arc length from the start to each of the points it was laid through."""
        at_knots = self._table[1][::_STEPS]
        return at_knots[:-1] if self.is_closed else at_knots

    def at(self, s: ArrayLike) -> FloatArray:
        """Give the points at arc lengths from the start.

        Parameters
        ----------
        s : (...,) arc length; wrapped around where the curve is closed, held at the ends otherwise

        Returns
        -------
        (..., 2) or (..., 3)
        """
        return np.asarray(self.spline(self._parameter(s)))

    def tangent(self, s: ArrayLike) -> FloatArray:
        """Give the unit vectors along the curve, towards larger arc lengths.

        Parameters
        ----------
        s : (...,) arc length, as in :meth:`at`

        Returns
        -------
        (..., 2) or (..., 3)
        """
        slope = self.spline(self._parameter(s), 1)
        return np.asarray(slope / np.linalg.norm(slope, axis=-1, keepdims=True))

    def steps(self, spacing: float) -> FloatArray:
        """Give arc lengths that divide the curve evenly, as near to a spacing as they can.

        Parameters
        ----------
        spacing : positive, in the unit of the points

        Returns
        -------
        (m,) from 0
            To the end of an open curve; a closed one's start is not repeated.
        """
        n = max(1, round(self.length / spacing))
        return np.linspace(0.0, self.length, n + 1)[: n if self.is_closed else n + 1]

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Parameters of the spline, and the arc lengths there."""
        knots = self.spline.x
        fractions = np.arange(_STEPS) / _STEPS
        inner = (knots[:-1, None] + np.diff(knots)[:, None] * fractions).ravel()
        parameters = np.append(inner, knots[-1])
        pieces = self._length_between(parameters[:-1], parameters[1:])
        return parameters, np.concatenate([[0.0], np.cumsum(pieces)])

    def _length_between(self, start: FloatArray, end: FloatArray) -> FloatArray:
        """Arc length between parameters of the same segment, by Gauss quadrature."""
        half = (end - start) / 2
        nodes = ((start + end) / 2)[..., None] + half[..., None] * _GAUSS_NODES
        speed = np.linalg.norm(self.spline(nodes, 1), axis=-1)
        return np.asarray(half * (speed @ _GAUSS_WEIGHTS))

    def _parameter(self, s: ArrayLike) -> FloatArray:
        """Parameters of the spline at arc lengths: the table, then two Newton steps."""
        parameters, lengths = self._table
        asked = np.asarray(s, dtype=np.float64)
        held = np.mod(asked, self.length) if self.is_closed else np.clip(asked, 0, self.length)
        row = np.clip(np.searchsorted(lengths, held, side="right") - 1, 0, len(lengths) - 2)
        t = np.interp(held, lengths, parameters)
        for _ in range(2):
            error = lengths[row] + self._length_between(parameters[row], t) - held
            speed = np.linalg.norm(self.spline(t, 1), axis=-1)
            step = np.divide(error, speed, out=np.zeros_like(t), where=speed > 0)
            t = np.clip(t - step, parameters[row], parameters[row + 1])
        return np.asarray(t)


def _checked(points: ArrayLike, is_closed: bool) -> FloatArray:
    """Points as an array, or an error that says what is wrong with them."""
    nodes = np.asarray(points, dtype=np.float64)
    if nodes.ndim != 2 or nodes.shape[1] not in (2, 3):
        raise ShapeError(f"curve: points have shape {nodes.shape}; expected (n, 2) or (n, 3)")
    needed = 3 if is_closed else 2
    if len(nodes) < needed:
        kind = "a closed curve" if is_closed else "a curve"
        raise DataError(f"curve: {len(nodes)} points; {kind} needs at least {needed}")
    bad = np.flatnonzero(~np.isfinite(nodes).all(axis=1))
    if len(bad):
        raise DataError(f"curve: point {bad[0] + 1} is {nodes[bad[0]].tolist()}; expected numbers")
    return nodes
