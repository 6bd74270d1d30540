"""A vesicle with three radii and a place without particles."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.picking.models.ellipsoidal_vesicle import EllipsoidalVesicleModel
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.poses import Poses


class MarkedEllipsoidalVesicleModel(EllipsoidalVesicleModel):
    """An ellipsoid through the points, without particles around a marker.

    Parameters
    ----------
    marker : (x, y, z) Å, such as the neck of a bud; normals point outwards wherever it is
    exclusion_radius : Å; particles nearer to the marker than this, before any shift, are left out
    """

    type: Literal["marked_ellipsoidal_vesicle"] = "marked_ellipsoidal_vesicle"  # type: ignore[assignment]
    exclusion_radius: Length

    def _check_points(self) -> None:
        if self.marker is None:
            raise DataError("has no marker; expected the point that has no particles around it")
        super()._check_points()

    def _poses(self) -> Poses:
        self._check_points()
        return super()._poses()

    def _is_covered(self, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        from_marker = np.linalg.norm(positions - np.array(self.marker), axis=1)
        return np.asarray(from_marker >= self.exclusion_radius)

    def _side(self, ellipsoid: Ellipsoid) -> int:
        return 1
