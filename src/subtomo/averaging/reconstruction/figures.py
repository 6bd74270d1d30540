"""Figures of a reconstruction: the Guinier plot, and slices coloured by local resolution."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.reconstruction.sharpening import GuinierPlot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST_DENSITY = 0.25  # of the densest voxel of a slice, from which on colours are at their fullest
_AXES = (("z", "x", "y"), ("y", "x", "z"), ("x", "y", "z"))  # seen along, to the right, up


def guinier_figure(plot: GuinierPlot, b_factor: float) -> "Figure":
    """Show the logarithm of a map's amplitudes against the squared frequency.

    Parameters
    ----------
    plot : of the masked map
    b_factor : Å² that the map is sharpened with

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    squared = plot.frequency[1:] ** 2
    axes.plot(squared, plot.measured[1:], color="0.6", label="of the map")
    known = np.isfinite(plot.signal[1:])
    axes.plot(
        squared[known], plot.signal[1:][known], color="C0", lw=2, label="of what the halves share"
    )
    if plot.fitted is not None and plot.b_factor is not None and plot.intercept is not None:
        ends = np.array(plot.fitted) ** 2
        line = plot.intercept + plot.b_factor / 4 * ends
        axes.plot(ends, line, color="C1", ls="--", label=f"slope: b = {plot.b_factor:.0f} Å²")
    axes.set(
        xlabel="squared frequency (1/Å²)",
        ylabel="ln amplitude",
        title=f"Guinier plot; {sharpening_in_words(b_factor)}",
    )
    axes.legend(frameon=True, framealpha=1, edgecolor="none")
    return figure


def sharpening_in_words(b_factor: float) -> str:
    """Say how a map is sharpened."""
    return f"sharpened with b = {b_factor:.0f} Å²" if b_factor else "not sharpened"


def local_resolution_figure(
    density: NDArray[np.float32],
    resolution: NDArray[np.float32],
    mask: NDArray[np.float32],
    pixel_size: float,
) -> "Figure":
    """Show the three central slices, coloured by local resolution, and how often each occurs.

    Parameters
    ----------
    density : (z, y, x)
    resolution : (z, y, x) Å
    mask : (z, y, x); only voxels above one half are counted
    pixel_size : Å

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    inside = resolution[mask > 0.5] if (mask > 0.5).any() else resolution.ravel()
    low, high = np.percentile(inside, (2, 98))
    colours = ScalarMappable(Normalize(low, max(high, low + 0.1)), "viridis_r")
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=(2, 1))
    panels = [figure.add_subplot(grid[0, column]) for column in range(3)]
    for panel, (along, right, up) in zip(panels, _AXES, strict=True):
        axis = "zyx".index(along)
        middle = density.shape[axis] // 2
        slices = [np.take(volume, middle, axis=axis) for volume in (density, resolution, mask)]
        strength = np.clip(slices[0] / max(_LEAST_DENSITY * slices[0].max(), 1e-30), 0, 1)
        image = colours.to_rgba(slices[1])
        image[..., 3] = strength * (slices[2] > 0.5)
        half_width = density.shape[axis] / 2 * pixel_size
        extent = (-half_width, half_width, -half_width, half_width)
        panel.imshow(image, origin="lower", extent=extent)
        panel.set(title=f"central slice along {along}")
        panel.set(xlabel=f"{right} (Å)", ylabel=f"{up} (Å)")
    figure.colorbar(colours, ax=panels, label="local resolution (Å)", shrink=0.9)
    histogram = figure.add_subplot(grid[1, :])
    histogram.hist(inside, bins=40, color="C0")
    histogram.set(xlabel="local resolution (Å)", ylabel="voxels in the mask")
    return figure
