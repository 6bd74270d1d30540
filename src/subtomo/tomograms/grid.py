"""The grid of voxels a tomogram is made on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SettingsError
from subtomo.model import TomogramFrame


@dataclass(frozen=True)
class Grid:
    """Voxels in the frame of the full-resolution tomogram.

    Parameters
    ----------
    shape : (z, y, x)
    pixel_size : Å
    origin : (x, y, z) Å, centre of voxel (0, 0, 0)
    """

    shape: tuple[int, int, int]
    pixel_size: float
    origin: tuple[float, float, float]

    def voxel_to_position(self) -> NDArray[np.float64]:
        """Matrix (4, 4) from voxel indices (x, y, z, 1) to points in Å."""
        matrix = np.diag([self.pixel_size, self.pixel_size, self.pixel_size, 1.0])
        matrix[:3, 3] = self.origin
        return matrix


def centred_grid(
    frame: TomogramFrame, pixel_size: float, *, thickness: float | None = None
) -> Grid:
    """Lay a coarser grid into the full-resolution tomogram, about the same centre.

    Parameters
    ----------
    frame : the full-resolution tomogram
    pixel_size : Å of the new voxels, in any ratio to the frame's
    thickness : Å in z; None: the frame's

    Returns
    -------
    Grid
        Index − size/2 is the same point in both, as in tomograms of IMOD and AreTomo.

    Raises
    ------
    SettingsError
        If no voxel would be left along an axis.
    """
    extent = [n * frame.pixel_size for n in frame.size_px]
    if thickness is not None:
        extent[2] = thickness
    x, y, z = (round(length / pixel_size) for length in extent)
    if min(x, y, z) < 1:
        sizes = " x ".join(f"{length:g}" for length in extent)
        raise SettingsError(
            f"a tomogram of {sizes} Å has no voxel of {pixel_size:g} Å along one axis; "
            "give a smaller --pixel-size or a greater --thickness"
        )
    origin = tuple(
        float(centre - n / 2 * pixel_size)
        for centre, n in zip(frame.centre, (x, y, z), strict=True)
    )
    return Grid((z, y, x), pixel_size, (origin[0], origin[1], origin[2]))
