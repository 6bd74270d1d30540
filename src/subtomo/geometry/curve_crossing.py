"""Where a curve comes back to itself."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.geometry.curve_frames import Curve

FloatArray = NDArray[np.float64]

_MOST_STEPS = 20_000


def self_crossing(curve: Curve, distance: float) -> FloatArray | None:
    """Find a place where an open curve meets an earlier part of itself.

    Parameters
    ----------
    curve : open
    distance : in its unit
        Parts that come closer than this meet, unless they are neighbours along the curve.

    Returns
    -------
    (2,) or (3,) the first such place, or None

    Notes
    -----
    Neighbours are parts less than 4 distances apart along the curve: a half circle whose ends
    come within one distance has a length of at least 1.6.
    """
    n = int(np.clip(np.ceil(curve.length / (distance / 2)), 2, _MOST_STEPS))
    s = np.linspace(0.0, curve.length, n + 1)
    points = curve.at(s)
    pairs = cKDTree(points).query_pairs(max(distance, s[1]), output_type="ndarray")
    apart = np.abs(s[pairs[:, 1]] - s[pairs[:, 0]])
    meeting = pairs[apart > 4 * max(distance, s[1])]
    if not len(meeting):
        return None
    first = meeting[np.argmin(meeting.max(axis=1))]
    return np.asarray(points[first].mean(axis=0))
