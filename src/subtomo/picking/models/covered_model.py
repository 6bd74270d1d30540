"""Models whose particles cover a surface, their z axes along its normals."""

import warnings
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from subtomo.errors import SubtomoWarning
from subtomo.geometry.axis_frames import quaternions_along
from subtomo.picking.models.free_angle_model import FreeAngleModel
from subtomo.picking.models.geometric_model import Point
from subtomo.picking.models.limits import MOST_SHIFT
from subtomo.picking.models.poses import Poses
from subtomo.picking.models.sampled_model import SampledModel

FloatArray = NDArray[np.float64]


class CoveredModel(SampledModel, FreeAngleModel):
    """A model with an outside: particles are spread over its surface and look outwards.

    Parameters
    ----------
    marker : a point inside, (x, y, z) Å: normals point away from it
    shift_along_normal : Å by which particles are moved outwards; negative: inwards
    """

    marker: Point | None = None
    shift_along_normal: Annotated[float, Field(ge=-MOST_SHIFT, le=MOST_SHIFT)] = 0.0

    def _tell_without_marker(self) -> None:
        """Warn that no marker says which side is inside."""
        if self.marker is None:
            warnings.warn(
                "has no marker: the middle of its surface is taken as inside",
                SubtomoWarning,
                stacklevel=2,
            )

    def _covering(self, positions: FloatArray, normals: FloatArray, spacing: float) -> Poses:
        """Make particles of points on the surface and the outward normals there."""
        n = len(positions)
        return Poses(
            positions + self.shift_along_normal * normals,
            quaternions_along(normals, self._free_angles(n)),
            self._exclusion(n, spacing),
        )
