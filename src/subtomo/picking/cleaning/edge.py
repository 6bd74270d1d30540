"""The filter by distance to the faces of the tomogram."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles, VoxelGrid
from subtomo.picking.cleaning.verdict import Verdict, reasons

EDGE_DISTANCE = "subtomoEdgeDistance"


@dataclass(frozen=True)
class EdgeDistance:
    """Keep picks far enough from the faces of the tomogram, and inside of it.

    Parameters
    ----------
    grid : the tomogram's voxels, of known size
    least : Å; 0 drops only what lies outside
    """

    grid: VoxelGrid
    least: float
    name: str = "edge"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks; negative distances are outside."""
        distance = distance_to_faces(picks.position, self.grid)
        return Verdict(
            distance >= self.least,
            reasons(f"{{:.4g}} Å from the edge, below {self.least:g} Å", distance),
            {EDGE_DISTANCE: distance},
        )


def distance_to_faces(positions: NDArray[np.float64], grid: VoxelGrid) -> NDArray[np.float64]:
    """Measure how far points are from the nearest face of a volume.

    Parameters
    ----------
    positions : (n, 3) Å
    grid : with its size
        The faces are half a voxel outside of the centres of the outermost voxels.

    Returns
    -------
    (n,) Å, negative outside: then by how much the farthest of the three axes is overstepped
    """
    index = grid.indices(positions)
    inward = np.minimum(index + 0.5, np.asarray(grid.size_px) - 0.5 - index)
    return np.asarray(inward.min(axis=1) * grid.pixel_size)
