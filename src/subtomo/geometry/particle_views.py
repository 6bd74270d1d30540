"""Where particles are seen on the images of a tilt series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.tilt_projection import depths, project_points, visible_tilts
from subtomo.model import TiltSeries

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_NEIGHBOURHOOD_PX = 512


@dataclass(frozen=True, eq=False)
class ViewGrid:
    """The grid that views are cut on.

    Parameters
    ----------
    box_size : s, pixels of the box, even
    binning : pixels of the image in one of the box; need not be whole
    margin_px : least distance of a particle from the border of an image, in its pixels
    max_dose : e⁻/Å²; later images are left out
    """

    box_size: int
    binning: float
    margin_px: float
    max_dose: float | None = None

    @property
    def window_size(self) -> int:
        """Size S of the windows in the image: RELION rounds binning · box size."""
        return int(self.binning * self.box_size + 0.5)


@dataclass(frozen=True, eq=False)
class ParticleViews:
    """The views of particles: one entry for each particle and tilt that it is visible on.

    Entries are ordered by particle, then by tilt.

    Parameters
    ----------
    visible : (m, tilt) bool
    particle, tilt : (k,) indices
    first : (k, 2) first pixel of the window in the image, columns x, y
    shift : (k, 2) pixels of the box from its centre s // 2 to the particle
    depth : (k,) Å along the beam, from the tomogram's centre
    """

    visible: NDArray[np.bool_]
    particle: IntArray
    tilt: IntArray
    first: IntArray
    shift: FloatArray
    depth: FloatArray

    def __len__(self) -> int:
        return len(self.particle)

    def part(self, start: int, end: int) -> "ParticleViews":
        """Keep the views from one entry to another; ``visible`` stays whole."""
        some = slice(start, end)
        return ParticleViews(
            self.visible,
            self.particle[some],
            self.tilt[some],
            self.first[some],
            self.shift[some],
            self.depth[some],
        )


def particle_views(
    tilt_series: TiltSeries,
    positions: FloatArray,
    grid: ViewGrid,
    *,
    trajectories: FloatArray | None = None,
) -> ParticleViews:
    """Find the views of particles on the images.

    Parameters
    ----------
    tilt_series : with the sizes of images and tomogram
    positions : (m, 3) Å from the corner of the tomogram, columns x, y, z
    grid : what is cut
    trajectories : (m, tilt, 3) Å, how far a particle has moved when a tilt was taken

    Returns
    -------
    ParticleViews

    Raises
    ------
    DataError
        If the size of the images or of the tomogram is not known.

    Notes
    -----
    The window begins at the projected point, rounded half away from zero, less S // 2. The depth is
    that of the position without the trajectory. Source: RELION 5, commit 73f0a3c0.
    """
    moving = positions
    if trajectories is not None:
        moving = positions + np.moveaxis(trajectories, 1, 0)
    points = project_points(tilt_series, moving)
    assert tilt_series.image_size_px is not None  # project_points needs it too
    visible = visible_tilts(points, tilt_series.image_size_px, grid.margin_px).T
    if grid.max_dose is not None:
        visible = visible & (tilt_series.dose <= grid.max_dose)
    particle, tilt = np.nonzero(visible)
    at = points[tilt, particle]
    first = (np.sign(at) * np.floor(np.abs(at) + 0.5)).astype(np.int64) - grid.window_size // 2
    return ParticleViews(
        visible=visible,
        particle=particle,
        tilt=tilt,
        first=first,
        shift=(at - first) / grid.binning - grid.box_size // 2,
        depth=depths(tilt_series, positions)[tilt, particle],
    )


def neighbourhoods(positions_px: FloatArray) -> IntArray:
    """Tell which particles are neighbours, to take them together: a number for each square.

    Images of neighbours lie in few tiles of a tilt series.

    Parameters
    ----------
    positions_px : (n, 3) pixels of the tilt series, columns x, y, z

    Returns
    -------
    (n,) row by row; equal for particles of one square of 512 pixels
    """
    squares = np.floor(positions_px[:, :2] / _NEIGHBOURHOOD_PX).astype(np.int64)
    x, y = (squares - squares.min(axis=0, initial=0)).T
    return np.asarray(y * (x.max(initial=0) + 1) + x)
