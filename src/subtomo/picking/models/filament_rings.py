"""Rings of subunits around a filament."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from subtomo.errors import DataError
from subtomo.geometry.axis_frames import quaternions_with_axes
from subtomo.geometry.helix import helix_points
from subtomo.picking.models.curve_model import MOST_PARTICLES, CurveModel
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.poses import Poses


class FilamentRingsModel(CurveModel):
    """Particles on rings around a smooth curve: z axes away from it, x axes along it.

    Parameters
    ----------
    radius : Å from the curve
    dz : Å along the curve from one ring to the next; default 10 voxels
    dphi : degrees from one particle of a ring to the next: 0, dphi, 2 dphi ... below 360
    """

    type: Literal["filament_rings"] = "filament_rings"
    radius: Length
    dphi: Annotated[float, Field(gt=0, le=360)]

    def _check_points(self) -> None:
        super()._check_points()
        n_rings = int(self.curve().length / self.dz * self.oversampling) + 1
        if n_rings * self._n_around > MOST_PARTICLES:
            raise DataError(
                f"{n_rings} rings of {self._n_around} particles; expected at most "
                f"{MOST_PARTICLES} particles of a model: give a larger dz or dphi"
            )

    @property
    def _n_around(self) -> int:
        """Particles of one ring."""
        return int(np.ceil(360 / (self.dphi / self.oversampling) - 1e-6))

    def _poses(self) -> Poses:
        curve = self.curve()
        rings = self._heights(curve)
        ring = np.arange(self._n_around) * self.dphi / self.oversampling
        heights, angles = np.repeat(rings, len(ring)), np.tile(ring, len(rings))
        tube = helix_points(curve, self.radius, heights, angles)
        chord = 2 * self.radius * np.sin(np.radians(self.dphi) / 2)
        return Poses(
            tube.positions,
            quaternions_with_axes(tube.outward, tube.along),
            self._along(heights, angles, float(min(self.dz, chord or self.dz))),
        )
