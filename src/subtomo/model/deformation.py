"""Local deformation of the images of a tilt series."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class Deformation:
    """How tilt images are bent: a shift of each point, added after projecting it.

    Parameters
    ----------
    kind : as RELION 5 names and parametrises them
    grid : (x, y) points of the grid; unused by ``linear``
    coefficients : (tilt, n)

    Raises
    ------
    ShapeError
        If the number of coefficients does not fit the kind and the grid.
    DataError
        If a coefficient is not finite.
    """

    kind: Literal["linear", "spline", "fourier"]
    grid: tuple[int, int]
    coefficients: NDArray[np.float64]

    def __post_init__(self) -> None:
        expected = self.coefficient_count(self.kind, self.grid)
        if self.coefficients.ndim != 2 or self.coefficients.shape[1] != expected:
            raise ShapeError(
                f"{self.kind} deformation on a grid of {self.grid[0]} x {self.grid[1]} has "
                f"coefficients of shape {self.coefficients.shape}; expected (tilt, {expected})"
            )
        if not np.all(np.isfinite(self.coefficients)):
            raise DataError(f"{self.kind} deformation: a coefficient is not finite")

    @staticmethod
    def coefficient_count(kind: str, grid: tuple[int, int]) -> int:
        """Count the coefficients of one image."""
        x, y = grid
        if kind == "linear":
            return 3
        if kind == "spline":
            return 8 * x * y
        return 4 * ((y // 2) * (x // 2 + 1) - 1 + (y - y // 2) * (x // 2))

    def select(self, index: Any) -> "Deformation":
        """Keep the tilts of an index array, slice or mask."""
        return replace(self, coefficients=self.coefficients[index])
