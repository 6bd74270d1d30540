"""Pairs of points: where a particle is and where it looks."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from subtomo.errors import DataError
from subtomo.geometry.axis_frames import quaternions_along, quaternions_with_axes
from subtomo.picking.models.free_angle_model import FreeAngleModel
from subtomo.picking.models.geometric_model import Point
from subtomo.picking.models.poses import Poses

_ALONG = 1e-3
"""Sine of the angle between north and west below which west says nothing."""


class DipoleModel(FreeAngleModel):
    """Particles at the points, their z axes towards the norths.

    Parameters
    ----------
    points : centres of the particles
    norths : (x, y, z) Å of each; z points from the centre to it
    wests : (x, y, z) Å of each, or null
        x points from the centre to its side, at a right angle to z. The sign is our own: what
        Dynamo makes of "west" is not published.
    """

    type: Literal["dipole"] = "dipole"
    norths: tuple[Point, ...]
    wests: tuple[Point | None, ...] | None = None

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        for name, values in {"norths": self.norths, "wests": self.wests}.items():
            if values is not None and len(values) != len(self.points):
                raise ValueError(
                    f"{name} has {len(values)} values for {len(self.points)} points; "
                    "expected one a point"
                )
        return self

    def points_for(self, kind: str) -> dict[str, Any]:
        """Give the fields that another type makes of the centres."""
        return {} if kind == "dipole" else super().points_for(kind)

    def _check_points(self) -> None:
        centres = self.positions()
        z = np.array(self.norths) - centres
        bad = np.flatnonzero(~(np.linalg.norm(z, axis=1) > 0))
        if len(bad):
            raise DataError(
                f"point {bad[0] + 1} is also its own north, {self.points[bad[0]]}; expected "
                "another point, which says where the particle looks"
            )
        for row, west in enumerate(self.wests or ()):
            x = np.subtract(centres[row] if west is None else west, centres[row])
            across = np.linalg.norm(np.cross(x, z[row]))
            if west is not None and across <= _ALONG * np.linalg.norm(x) * np.linalg.norm(z[row]):
                raise DataError(
                    f"west of point {row + 1} lies on the line of centre and north; expected it "
                    "beside that line"
                )

    def _poses(self) -> Poses:
        self._check_points()
        centres = self.positions()
        z = np.array(self.norths) - centres
        orientations = quaternions_along(z, self._free_angles(len(z)))
        wests = self.wests or ()
        known = [row for row, west in enumerate(wests) if west is not None]
        if known:
            x = np.array([wests[row] for row in known]) - centres[known]
            orientations[known] = quaternions_with_axes(z[known], x)
        return Poses(centres, orientations)
