"""Local deformation of the images of a tilt series."""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError

DeformationKind = Literal["linear", "spline", "fourier"]


@dataclass(frozen=True, eq=False)
class Deformation:
    """How tilt images are bent: a shift of each point, added after projecting it.

    Parameters
    ----------
    kind : as RELION 5 names and parametrises them
    grid : (x, y) points of the grid; unused by ``linear``
    coefficients : (tilt, n)
        Of ``fourier``, more than are counted are kept and not used, as RELION does.

    Raises
    ------
    ShapeError
        If the number of coefficients does not fit the kind and the grid.
    DataError
        If the kind is unknown, the grid is too small or a coefficient is not finite.

    Notes
    -----
    Coefficients of one image: linear 3; spline (shift x or y, grid y, grid x, 4); fourier (shift x
    or y, frequency, cosine or sine). Source: RELION 5, commit 73f0a3c0.
    """

    kind: DeformationKind
    grid: tuple[int, int]
    coefficients: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.kind not in get_args(DeformationKind):
            raise DataError(
                f"a deformation of kind {self.kind!r}; expected one of "
                f"{', '.join(get_args(DeformationKind))}"
            )
        on_grid = f"on a grid of {self.grid[0]} x {self.grid[1]}"
        least = {"linear": 0, "spline": 2, "fourier": 1}[self.kind]
        if min(self.grid) < least:
            raise DataError(
                f"{self.kind} deformation {on_grid}; expected at least {least} x {least}"
            )
        expected = self.coefficient_count(self.kind, self.grid)
        shape = self.coefficients.shape
        if len(shape) != 2 or (
            shape[1] < expected if self._may_be_longer else shape[1] != expected
        ):
            raise ShapeError(
                f"{self.kind} deformation {on_grid} has coefficients of shape {shape}; expected "
                f"(tilt, {expected})"
            )
        bad = np.argwhere(~np.isfinite(self.coefficients))
        if len(bad):
            raise DataError(
                f"{self.kind} deformation: coefficient {bad[0, 1] + 1} of tilt {bad[0, 0] + 1} is "
                f"{self.coefficients[tuple(bad[0])]}; expected a finite number"
            )

    @property
    def _may_be_longer(self) -> bool:
        return self.kind == "fourier"

    @staticmethod
    def coefficient_count(kind: DeformationKind, grid: tuple[int, int]) -> int:
        """Count the coefficients that shift one image."""
        x, y = grid
        if kind == "linear":
            return 3
        if kind == "spline":
            return 8 * x * y
        upper = y // 2  # rows of the grid with frequencies of y from 0, the first without its zero
        return 4 * (upper * (x // 2 + 1) - bool(upper) + (y - upper) * (x // 2))

    def select(self, index: Any) -> "Deformation":
        """Keep the tilts of an index array, slice or mask."""
        return replace(self, coefficients=self.coefficients[index])
