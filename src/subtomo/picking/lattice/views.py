"""Images of a tube in its tomogram, for the report."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from subtomo.model import Volume
from subtomo.picking.lattice.filament import Filament

FloatArray = NDArray[np.float64]


def mean_cross_section(volume: Volume, filament: Filament) -> tuple[FloatArray, float]:
    """Average a volume along a filament.

    Parameters
    ----------
    volume : the tomogram
    filament : whose bent axis is followed

    Returns
    -------
    image : (n, n)
        Rows along the beam, columns across it, a voxel apart; NaN outside of the tomogram.
    half_width : Å from the middle of the image to the centre of its last row
    """
    n = int(np.ceil(1.7 * filament.cylinder.radius / volume.pixel_size))
    offsets = np.arange(-n, n + 1) * volume.pixel_size
    beam, across = np.meshgrid(offsets, offsets, indexing="ij")
    heights = np.arange(filament.heights.min(), filament.heights.max(), volume.pixel_size)
    points = filament.cylinder.points(
        heights[:, None, None], np.arctan2(across, beam), np.hypot(across, beam)
    )
    zyx = np.moveaxis(volume.position_to_index(points)[..., ::-1], -1, 0)
    values = map_coordinates(volume.load(), zyx, order=1, mode="constant", cval=np.nan)
    inside = np.isfinite(values)
    count = inside.sum(axis=0)
    total = np.where(inside, values, 0).sum(axis=0, dtype=np.float64)
    image = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return image, float(offsets[-1])


def central_slab(volume: Volume, filament: Filament) -> tuple[FloatArray, tuple[float, float]]:
    """Average the slices about a filament's centre, a quarter radius to both sides.

    Parameters
    ----------
    volume : the tomogram
    filament : whose centre is the middle of the slab

    Returns
    -------
    image : (y, x)
    limits : lowest and highest z of the slab, Å
    """
    centre, reach = filament.cylinder.centre[2], filament.cylinder.radius / 4
    z = volume.origin[2] + np.arange(volume.shape[0]) * volume.pixel_size
    # at least the slice next to the centre
    reach = max(reach, float(np.abs(z - centre).min()))
    image = volume.load()[np.abs(z - centre) <= reach].mean(axis=0, dtype=np.float64)
    return image, (float(centre - reach), float(centre + reach))
