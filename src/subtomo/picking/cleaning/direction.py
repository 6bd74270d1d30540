"""The filter by the tilt of the particles' own z axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles
from subtomo.picking.cleaning.verdict import Verdict, in_range
from subtomo.picking.evaluation import angles_between

TILT = "subtomoTilt"


@dataclass(frozen=True)
class TiltRange:
    """Keep picks whose own z axis makes an angle in a range with the beam, the tomogram's z.

    The angle is the tilt of RELION and Dynamo: 0° and 180° are views from above and below, where
    the missing wedge blurs a membrane, 90° are side views.

    Parameters
    ----------
    low, high : degrees, 0 to 180; kept themselves
    """

    low: float
    high: float
    name: str = "tilt"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks; an unknown orientation goes."""
        axis = matrices_from_quaternions(picks.orientation)[:, :, 2]
        tilt = angles_between(axis, np.broadcast_to([0.0, 0.0, 1.0], axis.shape))
        tilt = np.where(picks.is_oriented, tilt, np.nan)
        judged = in_range(tilt, self.low, self.high, "tilt", "°", lacking="orientation")
        return Verdict(*judged, {TILT: tilt})
