"""A membrane: a surface through clicks on levels, or through points without levels."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from subtomo.picking.models.covered_model import CoveredModel
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.poses import Poses
from subtomo.picking.surfaces.cropping import crop_points
from subtomo.picking.surfaces.level_curves import level_curves
from subtomo.picking.surfaces.levels import surface_from_levels
from subtomo.picking.surfaces.orientation import point_outward
from subtomo.picking.surfaces.surface import Surface
from subtomo.picking.surfaces.unordered import surface_from_points


class SurfaceModel(CoveredModel):
    """A smooth surface through the points, open or closed; particles cover it.

    Parameters
    ----------
    points : clicks on the membrane
    levels : the slice of each click, as a whole number; null: clicks anywhere in space
    marker : a point on the inner side: normals point away from it
        Not given: the middle of the points is taken as inside, with a warning.
    control_interval : Å between control points along and across the levels; default 25 voxels
        Larger ones smooth more.
    mesh_parameter : Å, sides of the triangles before they are subdivided; default 5 voxels
    maximum_triangles : after subdivision
    subdivisions : how often each triangle is split into four
    cropping_parameter : Å between neighbouring particles; default 10 voxels
    is_closed : whether the curves of the levels go around, or clicks without levels enclose a
        space; null: judged from the clicks

    Notes
    -----
    Dynamo's "membrane by levels"; the tutorial's "Surface".
    """

    defaults_px: ClassVar[Mapping[str, float]] = {
        "mesh_parameter": 5,
        "control_interval": 25,
        "cropping_parameter": 10,
    }

    type: Literal["surface"] = "surface"
    levels: tuple[int, ...] | None = None
    control_interval: Length = 0.0
    mesh_parameter: Length = 0.0
    maximum_triangles: Annotated[int, Field(ge=8)] = 100_000
    subdivisions: Annotated[int, Field(ge=0, le=6)] = 2
    cropping_parameter: Length = 0.0
    is_closed: bool | None = None

    @model_validator(mode="after")
    def _check_levels(self) -> Self:
        if self.levels is not None and len(self.levels) != len(self.points):
            raise ValueError(
                f"levels has {len(self.levels)} values for {len(self.points)} points; "
                "expected one a point"
            )
        return self

    def points_for(self, kind: str) -> dict[str, Any]:
        """Give the fields that another type makes of these points."""
        return {} if kind == "surface" else super().points_for(kind)

    def _check_points(self) -> None:
        if self.levels is None:
            self._unpointed()
        else:
            level_curves(self.positions(), np.array(self.levels), is_closed=self.is_closed)

    def _poses(self) -> Poses:
        positions, normals = crop_points(
            self._surface(), self.cropping_parameter / self.oversampling
        )
        return self._covering(positions, normals, self.cropping_parameter)

    def _surface(self) -> Surface:
        self._tell_without_marker()
        return point_outward(self._unpointed(), self.marker)

    def _unpointed(self) -> Surface:
        """Make the surface, either side out."""
        names = ("control_interval", "mesh_parameter", "maximum_triangles", "subdivisions")
        values = {name: getattr(self, name) for name in (*names, "is_closed")}
        if self.levels is None:
            return surface_from_points(self.positions(), **values)
        return surface_from_levels(self.positions(), self.levels, **values)
