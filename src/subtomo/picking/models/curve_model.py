"""What the models of filaments have in common."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.geometry.curve_crossing import self_crossing
from subtomo.geometry.spline_curve import SplineCurve
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.sampled_model import SampledModel

FloatArray = NDArray[np.float64]

HEIGHT = "subtomoFilamentHeight"
"""Column: Å along the filament from its first point."""

ANGLE = "subtomoFilamentAngle"
"""Column: degrees about the filament, in frames that do not turn with it."""


class CurveModel(SampledModel):
    """A smooth curve through points in their order, with particles along it.

    Parameters
    ----------
    points : at least 2, in order from one end to the other: which says the polarity
    dz : Å between particles along the curve; default 10 voxels
    is_reversed : the other polarity: begin at the last point
    """

    defaults_px: ClassVar[Mapping[str, float]] = {"dz": 10}

    dz: Length = 0.0
    is_reversed: bool = False

    def curve(self) -> SplineCurve:
        """Lay the curve through the points.

        Raises
        ------
        DataError
            If there are fewer than 2 points, or two in a row are the same.
        """
        points = self.positions()
        return SplineCurve.through(points[::-1] if self.is_reversed else points)

    def _check_points(self) -> None:
        curve = self.curve()
        crossing = self_crossing(curve, self.pixel_size)
        if crossing is not None:
            place = ", ".join(f"{x:.1f}" for x in crossing)
            raise DataError(
                f"its curve crosses itself or turns back at ({place}) Å; expected points in order "
                "from one end to the other"
            )
        n = curve.length / self.dz * self.oversampling
        if n > MOST_PARTICLES:
            raise DataError(f"{n:.0f} particles {self.dz:g} Å apart along it; give a larger dz")

    def _heights(self, curve: SplineCurve) -> FloatArray:
        """Arc lengths from the start, dz apart, or closer where there is oversampling."""
        self._check_points()
        step = self.dz / self.oversampling
        return np.arange(np.floor(curve.length / step + 1e-6) + 1, dtype=np.float64) * step

    def _along(
        self, heights: FloatArray, angles_deg: FloatArray, spacing: float
    ) -> dict[str, NDArray[Any]]:
        """Make the further columns."""
        columns = {HEIGHT: heights, ANGLE: np.mod(angles_deg, 360.0)}
        return columns | self._exclusion(len(heights), spacing)


MOST_PARTICLES = 1_000_000
"""Of one model along a curve."""
