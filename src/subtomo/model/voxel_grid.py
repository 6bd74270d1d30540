"""The voxels that a table of particles counts in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import DataError


@dataclass(frozen=True)
class VoxelGrid:
    """Where the voxels of a volume are, without their values.

    Parameters
    ----------
    pixel_size : Å
    size_px : (x, y, z) voxels, or None where it is not known
    origin : (x, y, z) in Å
        Centre of voxel (0, 0, 0) in the frame of the full-resolution tomogram.

    Raises
    ------
    DataError
        If the pixel size or the size is not positive.
    """

    pixel_size: float
    size_px: tuple[int, int, int] | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise DataError(f"grid has pixel_size {self.pixel_size} Å; expected a positive number")
        if self.size_px is not None and not (len(self.size_px) == 3 and min(self.size_px) > 0):
            raise DataError(f"grid has size {self.size_px}; expected three positive numbers")

    def positions(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Turn fractional voxel indices (n, 3), columns x, y, z, into points in Å."""
        return np.asarray(indices, dtype=np.float64) * self.pixel_size + self.origin

    def indices(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Turn points in Å (n, 3), columns x, y, z, into fractional voxel indices."""
        return (np.asarray(positions, dtype=np.float64) - self.origin) / self.pixel_size
