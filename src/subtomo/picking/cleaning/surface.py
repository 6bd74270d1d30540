"""The filter by distance to, side of and angle to a surface."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles
from subtomo.picking.cleaning.verdict import Verdict, in_range, reasons
from subtomo.picking.evaluation import angles_between
from subtomo.picking.models.surface_orientation import DISTANCE, MODEL, nearest_surface
from subtomo.picking.surfaces.surface import Surface

NORMAL_ANGLE = "subtomoNormalAngle"


@dataclass(frozen=True, eq=False)
class NearSurface:
    """Keep picks by where they are and how they stand to the nearest surface.

    Parameters
    ----------
    surfaces : of the tomogram, by the name of their model
        Where there is none, every pick goes.
    least, most : Å, distance to the surface on either side, kept themselves; None: no limit
    side : ``outside`` (where the normals point), ``inside`` or ``both``
    least_angle, most_angle : degrees, 0 to 180, between the particle's own z axis and the outward
        normal at the nearest point; None: no limit
        With a limit, a pick of unknown orientation goes.
    """

    surfaces: Mapping[str, Surface] = field(default_factory=dict)
    least: float | None = None
    most: float | None = None
    side: str = "both"
    least_angle: float | None = None
    most_angle: float | None = None
    name: str = "surface"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks."""
        if not self.surfaces:
            nowhere = np.full(len(picks), "its tomogram has no surface")
            return Verdict(np.zeros(len(picks), dtype=bool), nowhere)
        found = nearest_surface(picks.position, self.surfaces)
        axis = matrices_from_quaternions(picks.orientation)[:, :, 2]
        angle = angles_between(axis, found.normal)
        angle = np.where(picks.is_oriented, angle, np.nan)
        is_kept, reason = in_range(
            np.abs(found.distance), self.least, self.most, "distance to the surface", " Å"
        )
        reason = reason.astype(object)
        if self.side != "both":
            wrong = (found.distance < 0) == (self.side == "outside")
            text = f"{{:.4g}} Å from the surface, not {self.side}"
            reason[is_kept & wrong] = reasons(text, found.distance[is_kept & wrong])
            is_kept &= ~wrong
        if self.least_angle is not None or self.most_angle is not None:
            is_fit, why = in_range(
                angle,
                self.least_angle,
                self.most_angle,
                "angle to the surface normal",
                "°",
                lacking="orientation",
            )
            reason[is_kept & ~is_fit] = why[is_kept & ~is_fit]
            is_kept &= is_fit
        names = np.array(list(self.surfaces))
        return Verdict(
            is_kept,
            reason.astype(np.str_),
            {DISTANCE: found.distance, MODEL: names[found.row], NORMAL_ANGLE: angle},
        )
