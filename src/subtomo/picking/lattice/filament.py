"""Which picks lie on the wall of the one filament among them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.geometry.cylinder import Cylinder, fit_cylinder

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filament:
    """A tube and the picks on its wall.

    Parameters
    ----------
    cylinder : the tube
    on_wall : (n,) bool, which of the picks lie on it
    thickness : Å, standard deviation of the picks' distances from the wall
    heights : (wall picks,) Å along the axis
    angles : (wall picks,) radians about it
    """

    cylinder: Cylinder
    on_wall: NDArray[np.bool_]
    thickness: float
    heights: FloatArray
    angles: FloatArray

    @property
    def length(self) -> float:
        """Å from the first to the last pick on the wall."""
        return float(np.ptp(self.heights))


def trace_filament(positions: ArrayLike, scores: ArrayLike | None = None) -> Filament:
    """Fit a tube to picks and tell those on its wall from strays.

    A pick is on the wall within three standard deviations of it; the deviation is measured by the
    median, from the picks within half a radius of the wall, so that no thickness has to be given.

    Parameters
    ----------
    positions : (n, 3) Å, columns x, y, z; n ≥ 16
    scores : (n,) of the picks, which help to find the tube amid many strays

    Returns
    -------
    Filament

    Raises
    ------
    DataError
        If there are fewer than 16 picks.
    """
    cylinder = fit_cylinder(positions, scores)
    distance = cylinder.wall_distances(positions)
    near = np.abs(distance) < cylinder.radius / 2
    # 1.4826: median of |x| to standard deviation, for a normal distribution
    thickness = 1.4826 * float(np.median(np.abs(distance[near])))
    on_wall = np.abs(distance) < 3 * thickness
    heights, angles, _ = cylinder.coordinates(np.asarray(positions)[on_wall])
    return Filament(cylinder, on_wall, thickness, heights, angles)
