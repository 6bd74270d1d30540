"""A vesicle with three radii."""

import warnings
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from subtomo.errors import SubtomoWarning
from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.geometry.ellipsoid_fit import fit_ellipsoid
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.vesicle import EllipsoidModel


class EllipsoidalVesicleModel(EllipsoidModel):
    """An ellipsoid through the points, or along the axes with a centre and radii that are given.

    Parameters
    ----------
    points : at least 9 on the ellipsoid, not in one plane
        Of 6 to 8 an ellipsoid along x, y and z is made, of fewer a sphere, with a warning.
    separation : Å between neighbouring particles; default 10 voxels
    centre, radii : (x, y, z) both, Å; instead of a fit to the points, or neither
    marker : a point; where it lies outside of the ellipsoid, the normals point inwards
    """

    type: Literal["ellipsoidal_vesicle"] = "ellipsoidal_vesicle"
    radii: tuple[Length, Length, Length] | None = None

    @model_validator(mode="after")
    def _check_geometry(self) -> Self:
        if (self.centre is None) != (self.radii is None):
            raise ValueError("centre and radii belong together; give both, or neither")
        return self

    def ellipsoid(self) -> Ellipsoid:
        """Give the ellipsoid.

        Raises
        ------
        DataError
            If there are fewer than 4 points, or they lie in one plane.
        """
        if self.centre is not None and self.radii is not None:
            return Ellipsoid(np.array(self.centre), np.array(self.radii), np.eye(3))
        fit = fit_ellipsoid(self.positions())
        if fit.kind != "any":
            made = "a sphere" if fit.kind == "sphere" else "an ellipsoid along x, y and z"
            warnings.warn(
                f"no ellipsoid in any direction fits its {len(self.points)} points "
                f"(9 or more all around are needed): {made} was fitted",
                SubtomoWarning,
                stacklevel=2,
            )
        return fit.ellipsoid
