"""Weighted back-projection of a tilt series."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry import projection_matrices
from subtomo.model import TiltSeries, Volume
from subtomo.signal.back_projection import back_project
from subtomo.signal.fourier import Device
from subtomo.tomograms.filtered_images import ImageRecipe, filter_images
from subtomo.tomograms.grid import Grid

_SLAB_BYTES = 128 * 1024 * 1024


def reconstruct(
    tilt_series: TiltSeries, grid: Grid, recipe: ImageRecipe, *, device: Device = None
) -> Volume:
    """Reconstruct a tomogram in memory.

    Parameters
    ----------
    tilt_series : images and geometry
    grid : voxels to fill, as large as the pixels of the images or larger
    recipe : how the images are prepared

    Returns
    -------
    Volume on the grid
        Without normalisation a full half turn gives densities: summed along the beam, in voxels,
        they are the images again.

    Raises
    ------
    DataError
        If images, sizes or a CTF that is asked for are missing, or an image cannot be used.
    """
    slabs = reconstruct_slabs(tilt_series, grid, recipe, device=device)
    return Volume(np.concatenate(list(slabs)), grid.pixel_size, grid.origin)


def reconstruct_slabs(
    tilt_series: TiltSeries, grid: Grid, recipe: ImageRecipe, *, device: Device = None
) -> Iterator[NDArray[np.float32]]:
    """Reconstruct a tomogram slab by slab, from the first plane to the last.

    The binned images stay in memory; of the volume only one slab, at most 128 MB.

    Parameters
    ----------
    tilt_series, grid, recipe : as in `reconstruct`

    Yields
    ------
    (planes, y, x) float32
    """
    filtered = filter_images(tilt_series, grid.pixel_size, recipe, device=device)
    matrices = voxel_to_image(tilt_series, grid, filtered.scale)
    depth, height, width = grid.shape
    planes = max(1, _SLAB_BYTES // (4 * height * width))
    for start in range(0, depth, planes):
        shape = (min(planes, depth - start), height, width)
        shifted = matrices.copy()
        shifted[:, :, 3] += start * matrices[:, :, 2]
        yield back_project(filtered.images, shifted, shape).cpu().numpy()


def voxel_to_image(
    tilt_series: TiltSeries, grid: Grid, scale: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.float64]:
    """Matrices from voxel indices to pixels of the images.

    Parameters
    ----------
    tilt_series : geometry, with the sizes of images and tomogram
    grid : the voxels
    scale : (x, y), pixels of the images wanted over those of the raw images

    Returns
    -------
    (tilt, 2, 4), acting on columns (x, y, z, 1)

    Raises
    ------
    DataError
        If the size of the images or of the tomogram is not known.
    """
    to_px = grid.voxel_to_position()
    to_px[:3] /= tilt_series.pixel_size
    matrices = projection_matrices(tilt_series)[:, :2] @ to_px
    return np.asarray(matrices * np.array(scale)[:, None])
