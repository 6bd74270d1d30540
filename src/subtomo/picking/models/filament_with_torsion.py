"""A filament whose subunits turn about it."""

from typing import Literal

import numpy as np

from subtomo.geometry.curve_frames import curve_frames, turned_frames
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.picking.models.curve_model import CurveModel
from subtomo.picking.models.poses import Poses


class FilamentWithTorsionModel(CurveModel):
    """Particles every dz along a smooth curve, each turned by dphi more than the one before.

    Parameters
    ----------
    dphi : degrees about the curve from one particle to the next, dz further
        Positive: counter-clockwise seen from the curve's end, a right-handed twist.
    """

    type: Literal["filament_with_torsion"] = "filament_with_torsion"
    dphi: float

    def _poses(self) -> Poses:
        curve = self.curve()
        heights = self._heights(curve)
        angles = np.arange(len(heights)) * self.dphi / self.oversampling
        frames = turned_frames(curve_frames(curve, heights), angles)
        return Poses(
            curve.at(heights),
            quaternions_from_matrices(frames),
            self._along(heights, angles, self.dz),
        )
