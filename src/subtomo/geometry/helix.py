"""Points on helices and rings around a curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.geometry.curve_frames import Curve, curve_frames

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TubePoints:
    """Points around a curve.

    Parameters
    ----------
    positions : (n, 3) columns x, y, z
    outward : (n, 3) unit, away from the curve
    along : (n, 3) unit, along the curve
    """

    positions: FloatArray
    outward: FloatArray
    along: FloatArray


def helix_points(
    curve: Curve, radius: float, heights: ArrayLike, angles_deg: ArrayLike
) -> TubePoints:
    """Place points around a curve, by their height along it and their angle about it.

    Parameters
    ----------
    curve : the axis
    radius : distance from it, in its unit
    heights : (n,) arc lengths
        Of a helix: 0, dz, 2 dz, ...
    angles_deg : (n,) degrees, counter-clockwise seen from the curve's end
        Measured in frames that do not turn with the curve. Of a helix: 0, dphi, 2 dphi, ...; a
        positive dphi makes it right-handed.

    Returns
    -------
    TubePoints
    """
    s = np.asarray(heights, dtype=np.float64)
    angle = np.radians(np.asarray(angles_deg, dtype=np.float64))[:, None]
    levels, row = np.unique(s, return_inverse=True)
    e1, e2, along = np.moveaxis(curve_frames(curve, levels)[row], -1, 0)
    outward = np.cos(angle) * e1 + np.sin(angle) * e2
    return TubePoints(curve.at(s) + radius * outward, outward, along)
