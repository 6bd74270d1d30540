"""An average compared with the density it should show."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.model import Volume
from subtomo.signal.fsc import fourier_shell_correlation, resolution_at, shell_frequencies
from subtomo.signal.masks import soft_sphere

MASK_EDGE_PX = 4.0


@dataclass(frozen=True, eq=False)
class DensityComparison:
    """Fourier shell correlation of an average with the true density.

    Parameters
    ----------
    frequency : (shell,) 1/Å
    curve : (shell,)
    resolution : Å, where the curve falls below 0.5
    """

    frequency: NDArray[np.float64]
    curve: NDArray[np.float64]
    resolution: float


def compare_densities(average: Volume, truth: Volume, diameter: float) -> DensityComparison:
    """Correlate an average with the true density, shell by shell, under a soft sphere.

    Parameters
    ----------
    average : cube
    truth : cube of the same pixel size, of any box
    diameter : Å, of the sphere

    Raises
    ------
    ShapeError
        If the pixel sizes differ.
    """
    if abs(average.pixel_size - truth.pixel_size) > 1e-3 * truth.pixel_size:
        raise ShapeError(
            f"average has pixel_size {average.pixel_size:g} Å, truth {truth.pixel_size:g} Å; "
            "resample one"
        )
    a = torch.from_numpy(average.load())
    b = in_box(torch.from_numpy(truth.load()), a.shape[-1])
    mask = soft_sphere(a.shape, diameter / 2 / average.pixel_size, MASK_EDGE_PX)
    curve = fourier_shell_correlation(a * mask, b * mask).numpy()
    frequency = shell_frequencies(a.shape[-1], average.pixel_size)
    return DensityComparison(frequency, curve, resolution_at(frequency, curve, 0.5))


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
