"""A 3D array that knows where its voxels are."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.model.voxel_grid import VoxelGrid


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D array with its pixel size and the place of its first voxel.

    Parameters
    ----------
    data : (z, y, x)
        In memory, memory-mapped or a lazy array with ``shape`` and slicing.
    pixel_size : Å
    origin : (x, y, z) in Å
        Centre of voxel (0, 0, 0) in the frame of the full-resolution tomogram.

    Raises
    ------
    ShapeError
        If the data are not three-dimensional or empty.
    DataError
        If the pixel size is not a positive number.
    """

    data: Any
    pixel_size: float
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        shape = tuple(self.data.shape)
        if len(shape) != 3 or 0 in shape:
            raise ShapeError(f"volume has shape {shape}; expected three axes (z, y, x), none empty")
        if not (np.isfinite(self.pixel_size) and self.pixel_size > 0):
            raise DataError(
                f"volume has pixel_size {self.pixel_size} Å; expected a positive number"
            )
        if len(self.origin) != 3 or not np.all(np.isfinite(self.origin)):
            raise DataError(f"volume has origin {self.origin}; expected three numbers (x, y, z)")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x) in voxels."""
        z, y, x = self.data.shape
        return z, y, x

    @property
    def grid(self) -> VoxelGrid:
        """Where its voxels are."""
        z, y, x = self.shape
        return VoxelGrid(self.pixel_size, (x, y, z), self.origin)

    def load(self) -> NDArray[np.float32]:
        """Read all of it into memory as float32: a plain array that torch may share."""
        return np.require(self.data[...], np.float32, ("C", "W", "E"))

    def with_data(self, data: Any) -> "Volume":
        """Make a volume of other values on the same grid."""
        return replace(self, data=data)

    def position_to_index(self, position: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn points in Å into fractional voxel indices; columns stay (x, y, z)."""
        return (np.asarray(position, dtype=np.float64) - self.origin) / self.pixel_size

    def index_to_position(self, index: NDArray[np.floating]) -> NDArray[np.float64]:
        """Turn fractional voxel indices, columns (x, y, z), into points in Å."""
        return np.asarray(index, dtype=np.float64) * self.pixel_size + self.origin
