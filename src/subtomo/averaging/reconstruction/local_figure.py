"""The figure of local resolution: slices coloured by it, and how often each value occurs."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.figures import SEEN_ALONG, centred_extent
from subtomo.averaging.mask import largest_parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float32]

_LEAST_DENSITY, _FULL_DENSITY = 0.15, 0.25  # of the densest voxel, where colours begin and are full
SHOWN_PERCENTILES = (2, 98)
"""Of the coloured voxels, where the scale of colours ends."""
_LEAST_WIDTH = 2.0  # Å, of that scale: what differs by less is the same


def local_resolution_figure(
    density: FloatArray, resolution: FloatArray, mask: FloatArray, pixel_size: float
) -> "Figure":
    """Show the three central slices, coloured by local resolution, and how often each occurs.

    Parameters
    ----------
    density : (z, y, x)
    resolution : (z, y, x) Å
    mask : (z, y, x)
    pixel_size : Å

    Returns
    -------
    matplotlib Figure; what is coloured in the slices, throughout the volume, is counted
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    coloured = coloured_voxels(density, mask)
    found = resolution[coloured]
    ends = scale_ends(found)
    colours = ScalarMappable(Normalize(*ends), "viridis_r")
    image = np.asarray(colours.cmap(colours.norm(resolution)))
    full = max(_FULL_DENSITY * float(density.max()), 1e-30)
    image[..., 3] = coloured * np.clip(density / full, 0, 1)
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=(2, 1))
    panels = [figure.add_subplot(grid[0, column]) for column in range(3)]
    for panel, (along, right, up) in zip(panels, SEEN_ALONG, strict=True):
        axis = "zyx".index(along)
        middle = np.take(image, density.shape[axis] // 2, axis=axis)
        panel.imshow(middle, origin="lower", extent=centred_extent(middle.shape, pixel_size))
        panel.set(title=f"central slice along {along}")
        panel.set(xlabel=f"{right} (Å)", ylabel=f"{up} (Å)")
    label = "local resolution (Å)"
    figure.colorbar(colours, ax=panels, label=label, shrink=0.9, extend="both")
    histogram = figure.add_subplot(grid[1, :])
    histogram.hist(found, bins=40, range=(min(found.min(), ends[0]), max(found.max(), ends[1])))
    histogram.set(xlabel=label, ylabel="coloured voxels")
    return figure


def coloured_voxels(density: FloatArray, mask: FloatArray) -> NDArray[np.bool_]:
    """Choose the voxels that show density: under the mask, and not specks of noise.

    Parameters
    ----------
    density, mask : (z, y, x)

    Returns
    -------
    (z, y, x); the whole mask where nothing is dense, and all where nothing is under the mask
    """
    under = mask > 0.5
    dense = largest_parts(under & (density > _LEAST_DENSITY * density.max()))
    everything = np.ones_like(under)
    return next(voxels for voxels in (dense, under, everything) if voxels.any())


def scale_ends(resolution: FloatArray) -> tuple[float, float]:
    """Give the ends of the scale of colours for the resolutions (n,) of voxels, Å."""
    low, high = np.percentile(resolution, SHOWN_PERCENTILES).tolist()
    missing = max(0.0, _LEAST_WIDTH - (high - low)) / 2
    return low - missing, high + missing
