"""A filament."""

from typing import Literal

from subtomo.geometry.curve_frames import curve_frames, turned_frames
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.picking.models.curve_model import CurveModel
from subtomo.picking.models.free_angle_model import FreeAngleModel
from subtomo.picking.models.poses import Poses


class FilamentModel(CurveModel, FreeAngleModel):
    """Particles every dz along a smooth curve, z axes along it.

    Their x axes do not turn about the curve (rotation-minimising frames), or are random.
    """

    type: Literal["filament"] = "filament"

    def _poses(self) -> Poses:
        curve = self.curve()
        heights = self._heights(curve)
        angles = self._free_angles(len(heights))
        frames = turned_frames(curve_frames(curve, heights), angles)
        return Poses(
            curve.at(heights),
            quaternions_from_matrices(frames),
            self._along(heights, angles, self.dz),
        )
