"""The filter by a mask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles, Volume
from subtomo.picking.cleaning.verdict import Verdict, reasons


@dataclass(frozen=True, eq=False)
class Mask:
    """Keep picks inside a mask, or outside of it.

    Parameters
    ----------
    volume : the mask; beyond its border is outside
    threshold : voxels above it are inside
    keep_inside : False: keep what is outside
    """

    volume: Volume
    threshold: float
    keep_inside: bool = True
    name: str = "mask"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks by the value of the nearest voxel."""
        value = nearest_values(self.volume, picks.position)
        is_inside = value > self.threshold  # False for NaN: beyond the border
        where = "outside" if self.keep_inside else "inside"
        return Verdict(
            is_inside == self.keep_inside,
            reasons(f"{where} the mask, which is {{:.4g}} there", value),
        )


def nearest_values(volume: Volume, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read a volume at the voxels nearest to points (n, 3) in Å; NaN beyond its border."""
    index = np.floor(volume.position_to_index(positions) + 0.5)
    inside = ((index >= 0) & (index < np.array(volume.shape[::-1]))).all(axis=1)
    values = np.full(len(positions), np.nan)
    x, y, z = index[inside].astype(np.int64).T
    values[inside] = volume.load()[z, y, x]
    return values
