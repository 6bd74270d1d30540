"""Rings of subunits around a filament."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from subtomo.errors import DataError
from subtomo.geometry.axis_frames import quaternions_with_axes
from subtomo.geometry.helix import helix_points
from subtomo.picking.models.curve_model import CurveModel
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

    def _poses(self) -> Poses:
        curve = self.curve()
        rings = self._heights(curve)
        step = self.dphi / self.oversampling
        ring = np.arange(int(np.ceil(360 / step - 1e-6))) * step
        if len(ring) * len(rings) > _MOST_PARTICLES:
            raise DataError(
                f"{len(rings)} rings of {len(ring)} particles; give a larger dz or dphi"
            )
        heights, angles = np.repeat(rings, len(ring)), np.tile(ring, len(rings))
        tube = helix_points(curve, self.radius, heights, angles)
        chord = 2 * self.radius * np.sin(np.radians(self.dphi) / 2)
        return Poses(
            tube.positions,
            quaternions_with_axes(tube.outward, tube.along),
            self._along(heights, angles, float(min(self.dz, chord or self.dz))),
        )


_MOST_PARTICLES = 1_000_000
