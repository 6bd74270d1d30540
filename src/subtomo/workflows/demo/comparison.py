"""An average compared with the density it should show."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.model import Volume
from subtomo.signal.fsc import masked_fsc, resolution_at


@dataclass(frozen=True, eq=False)
class DensityComparison:
    """Fourier shell correlation of an average with the true density.

    Parameters
    ----------
    frequency : (shell,) 1/Å
    curve : (shell,) corrected for the mask by phase randomisation
    resolution : Å, where the curve falls below 0.5
    """

    frequency: NDArray[np.float64]
    curve: NDArray[np.float64]
    resolution: float


def compare_densities(average: Volume, truth: Volume, mask: Volume) -> DensityComparison:
    """Correlate an average with the true density, shell by shell, under a mask.

    Parameters
    ----------
    average : cube
    truth : cube of the same pixel size, of any box
    mask : on the average's grid, 0 to 1

    Raises
    ------
    ShapeError
        If the pixel sizes differ, or the mask is on another grid.
    """
    if abs(average.pixel_size - truth.pixel_size) > 1e-3 * truth.pixel_size:
        raise ShapeError(
            f"average has pixel_size {average.pixel_size:g} Å, truth {truth.pixel_size:g} Å; "
            "resample one"
        )
    a, m = (torch.from_numpy(volume.load()) for volume in (average, mask))
    b = in_box(torch.from_numpy(truth.load()), a.shape[-1])
    curves = masked_fsc(a, b, m, average.pixel_size)
    resolution = resolution_at(curves.frequency, curves.corrected, 0.5)
    return DensityComparison(curves.frequency, curves.corrected, resolution)


def in_box(volume: Tensor, size: int) -> Tensor:
    """Crop or zero-pad a cube to another size; the centre voxel n // 2 stays the centre.

    Parameters
    ----------
    volume : (n, n, n)
    size : m

    Returns
    -------
    (m, m, m)
    """
    out = volume.new_zeros((size,) * 3)
    n = volume.shape[-1]
    start = size // 2 - n // 2
    target = slice(max(start, 0), min(start + n, size))
    source = slice(target.start - start, target.stop - start)
    out[target, target, target] = volume[source, source, source]
    return out


def outer_diameter(truth: Volume) -> float:
    """Å across the sphere around the box centre that holds the density down to 5 % of its peak."""
    data = truth.load()
    n = data.shape[-1]
    inside = np.argwhere(data > 0.05 * data.max())
    return 2 * float(np.linalg.norm(inside - n // 2, axis=1).max()) * truth.pixel_size
