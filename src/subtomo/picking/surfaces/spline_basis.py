"""Cubic B-splines on a line or a circle, and the integrals of their derivatives."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

FloatArray = NDArray[np.float64]

_DEGREE = 3
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True)
class SplineBasis:
    """Cubic B-splines on even knots.

    Parameters
    ----------
    start, end : of the line, or of one turn of the circle
    n_intervals : between knots, at least 1, or 4 on a circle
    is_closed : whether it is a circle
    """

    start: float
    end: float
    n_intervals: int
    is_closed: bool = False

    @property
    def size(self) -> int:
        """How many functions there are."""
        return self.n_intervals if self.is_closed else self.n_intervals + _DEGREE

    def matrix(self, at: FloatArray, derivative: int = 0) -> FloatArray:
        """Give the values of all functions, or of a derivative of them.

        Parameters
        ----------
        at : (n,) wrapped on a circle; outside a line the end pieces go on
        derivative : 0 to 3

        Returns
        -------
        (n, size)
        """
        at = np.asarray(at, dtype=np.float64)
        if self.is_closed:
            at = self.start + np.mod(at - self.start, self.end - self.start)
        full = self._functions(at, nu=derivative)
        if self.is_closed:
            full[:, :_DEGREE] += full[:, self.n_intervals :]
        return np.asarray(full[:, : self.size])

    @cached_property
    def _functions(self) -> BSpline:
        step = (self.end - self.start) / self.n_intervals
        knots = self.start + step * np.arange(-_DEGREE, self.n_intervals + _DEGREE + 1)
        return BSpline(knots, np.eye(self.n_intervals + _DEGREE), _DEGREE, extrapolate=True)

    def gram(self, derivative: int) -> FloatArray:
        """Give the integrals of the products of a derivative of the functions.

        Parameters
        ----------
        derivative : 0 to 3

        Returns
        -------
        (size, size)
        """
        step = (self.end - self.start) / self.n_intervals
        middles = self.start + step * (np.arange(self.n_intervals) + 0.5)
        nodes = (middles[:, None] + step / 2 * _GAUSS_NODES).ravel()
        weights = np.tile(step / 2 * _GAUSS_WEIGHTS, self.n_intervals)
        values = self.matrix(nodes, derivative)
        return np.asarray(values.T @ (weights[:, None] * values))
