"""Subunits on a helix around a filament."""

from typing import Literal

import numpy as np

from subtomo.geometry.axis_frames import quaternions_with_axes
from subtomo.geometry.helix import helix_points
from subtomo.picking.models.curve_model import CurveModel
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.poses import Poses


class SubunitsOnHelixModel(CurveModel):
    """Particles on a helix around a smooth curve: z axes away from it, x axes along it.

    Parameters
    ----------
    radius : Å from the curve
    dz : Å along the curve from one particle to the next; default 10 voxels
    dphi : degrees about the curve from one particle to the next
        Positive: counter-clockwise seen from the curve's end, a right-handed helix.
    """

    type: Literal["subunits_on_helix"] = "subunits_on_helix"
    radius: Length
    dphi: float

    def _poses(self) -> Poses:
        curve = self.curve()
        heights = self._heights(curve)
        angles = np.arange(len(heights)) * self.dphi / self.oversampling
        tube = helix_points(curve, self.radius, heights, angles)
        chord = 2 * self.radius * np.sin(np.radians(self.dphi) / 2)
        return Poses(
            tube.positions,
            quaternions_with_axes(tube.outward, tube.along),
            self._along(heights, angles, float(np.hypot(self.dz, chord))),
        )
