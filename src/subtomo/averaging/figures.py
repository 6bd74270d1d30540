"""Figures of an average: its slices and projections, its resolution, its particles' views."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.averaging.resolution import THRESHOLD, resolution_of
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.signal.fsc import FscCurves

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEEN_ALONG = (("z", "x", "y"), ("y", "x", "z"), ("x", "y", "z"))
"""Axis along which a volume is seen, that to the right and that up, of three views."""


def slices_figure(volume: NDArray[np.float32], pixel_size: float, *, title: str = "") -> "Figure":
    """Show the three central slices and the three projections of a volume.

    Parameters
    ----------
    volume : (z, y, x)
    pixel_size : Å
    title : over the figure

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.3), layout="constrained")
    axes = figure.subplots(2, 3)
    for column, (along, right, up) in enumerate(SEEN_ALONG):
        axis = "zyx".index(along)
        views = (
            ("central slice", np.take(volume, volume.shape[axis] // 2, axis=axis)),
            ("projection", volume.sum(axis=axis, dtype=np.float64)),
        )
        for row, (kind, image) in enumerate(views):
            _show(axes[row, column], image, pixel_size, right, up)
            axes[row, column].set_title(f"{kind} along {along}", fontsize=10)
    if title:
        figure.suptitle(title)
    return figure


def fsc_figure(curves: FscCurves, *, title: str = "Fourier shell correlation") -> "Figure":
    """Show the curves of two half maps, with the resolution read off.

    Parameters
    ----------
    curves : of the half maps
    title : over the axes

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    lines: tuple[tuple[str, NDArray[np.float64], dict[str, Any]], ...] = (
        ("unmasked", curves.unmasked, {"color": "0.6"}),
        ("masked", curves.masked, {"color": "C0", "ls": "--"}),
        ("phases randomised", curves.randomised, {"color": "C1", "ls": ":"}),
        ("corrected", curves.corrected, {"color": "C0", "lw": 2}),
    )
    for label, curve, style in lines:  # the means, shell 0, say nothing
        axes.plot(curves.frequency[1:], curve[1:], label=label, **style)
    resolution = resolution_of(curves)
    axes.axhline(THRESHOLD, color="0.3", lw=0.8)
    axes.axvline(1 / resolution, color="0.3", lw=0.8)
    is_at_the_right = 1 / resolution > 0.7 * float(curves.frequency[-1])
    axes.annotate(
        f"{resolution:.1f} Å at {THRESHOLD}",
        (1 / resolution, THRESHOLD),
        xytext=(-6, -13) if is_at_the_right else (6, 10),  # where the curve is not
        textcoords="offset points",
        ha="right" if is_at_the_right else "left",
    )
    axes.set(xlabel="frequency (1/Å)", ylabel="correlation", title=title, ylim=(-0.2, 1.05))
    axes.set_xlim(0, float(curves.frequency[-1]))
    above = axes.secondary_xaxis("top", functions=(_reciprocal, _reciprocal))
    above.set_xlabel("resolution (Å)")
    shortest = 1 / float(curves.frequency[-1])
    ticks = sorted({math.ceil(shortest * factor - 1e-6) for factor in (1, 1.5, 2, 3, 5, 10)})
    above.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.legend(frameon=True, framealpha=1, edgecolor="none")
    return figure


def orientations_figure(orientation: NDArray[np.float64]) -> "Figure":
    """Show from where the untilted beam saw the particles, in the frame of the reference.

    Parameters
    ----------
    orientation : (n, 4) quaternions x, y, z, w, reference to tomogram

    Returns
    -------
    matplotlib Figure, an equal-area map of directions
    """
    from matplotlib.figure import Figure

    directions = matrices_from_quaternions(orientation)[:, 2, :]  # Rᵀ z
    longitude = np.arctan2(directions[:, 1], directions[:, 0])
    latitude = np.arcsin(np.clip(directions[:, 2], -1, 1))
    figure = Figure(figsize=(7, 3.9), layout="constrained")
    axes = figure.add_subplot(projection="mollweide")
    size = float(np.clip(2000 / max(len(directions), 1), 2, 30))
    axes.scatter(longitude, latitude, s=size, alpha=0.6, linewidths=0)
    axes.grid(visible=True, alpha=0.4)
    axes.set_title(
        f"beam directions in the reference, {len(directions)} particles", fontsize=10, pad=14
    )
    return figure


def _show(
    axes: "Axes", image: NDArray[np.floating], pixel_size: float, right: str, up: str
) -> None:
    """Show one image with scales in Å from the centre."""
    extent = centred_extent(image.shape, pixel_size)
    axes.imshow(image, cmap="gray", origin="lower", extent=extent)
    axes.set(xlabel=f"{right} (Å)", ylabel=f"{up} (Å)")


def centred_extent(shape: tuple[int, ...], pixel_size: float) -> tuple[float, float, float, float]:
    """Give the edges of an image whose pixel n // 2 is at 0, for matplotlib.

    Parameters
    ----------
    shape : (y, x), or more
    pixel_size : Å

    Returns
    -------
    left, right, bottom, top in Å
    """
    height, width = shape[:2]
    left, bottom = -(width // 2 + 0.5) * pixel_size, -(height // 2 + 0.5) * pixel_size
    return left, left + width * pixel_size, bottom, bottom + height * pixel_size


def _reciprocal(x: ArrayLike) -> NDArray[np.float64]:
    """One over x; infinite values are kept off matplotlib's axes."""
    reciprocal: NDArray[np.float64] = 1 / np.maximum(np.asarray(x, dtype=np.float64), 1e-6)
    return reciprocal
