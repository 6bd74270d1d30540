"""Figures of picks: where they are, how they score, how they are turned."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles, Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_N_SLICES = 3
_SLAB_PX = 5  # slices averaged, so that particles stand out of the noise


def draw_picks(
    tomogram: Volume,
    picks: Particles,
    *,
    diameter: float,
    is_true: NDArray[np.bool_] | None = None,
    missed: Particles | None = None,
) -> "Figure":
    """Show slices of a tomogram with the picks that lie in them.

    Parameters
    ----------
    tomogram : protein bright
    picks : of this tomogram
    diameter : Å, of the circles
    is_true : (n,) where the truth is known
    missed : particles of the truth that were not picked
    """
    from matplotlib.figure import Figure

    n_z, n_y, n_x = tomogram.shape
    figure = Figure(figsize=(12, 12 / _N_SLICES * n_y / n_x + 0.9), layout="constrained")
    z_values = np.linspace(0, n_z, _N_SLICES + 2)[1:-1].astype(int)
    for axes, z in zip(figure.subplots(1, _N_SLICES, sharey=True), z_values, strict=True):
        slab = slice(max(z - _SLAB_PX // 2, 0), z + _SLAB_PX // 2 + 1)
        image = np.asarray(tomogram.data[slab], dtype=np.float32).mean(axis=0)
        low, high = np.percentile(image, [1, 99])
        (left, bottom, height) = tomogram.index_to_position(np.array([-0.5, -0.5, z]))
        (right, top, _) = tomogram.index_to_position(np.array([n_x - 0.5, n_y - 0.5, z]))
        extent = (left, right, bottom, top)
        axes.imshow(
            image,
            cmap="gray",
            vmin=low,
            vmax=high,
            origin="lower",
            extent=extent,
            interpolation="bilinear",
        )
        for label, colour, table in _kinds(picks, is_true, missed):
            near = np.abs(table.position[:, 2] - height) < diameter / 2
            _circle(axes, table.position[near], diameter, colour, label)
        title = f"z = {height:.0f} Å"
        axes.set(xlabel="x (Å)", title=title, xlim=(left, right), ylim=(bottom, top))
    figure.axes[0].set_ylabel("y (Å)")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_scores(
    peaks: NDArray[np.floating],
    threshold: float,
    *,
    is_true: NDArray[np.bool_] | None = None,
    title: str = "",
) -> "Figure":
    """Show the scores of a search's peaks, with the threshold above which they are picks.

    Parameters
    ----------
    peaks : (n,) σ
    threshold : σ
    is_true : (n,) where the truth is known
    title : over the axes
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(float(peaks.min()), float(peaks.max()), 50)
    groups = [("peaks", "0.6", peaks)]
    if is_true is not None:
        groups = [("true", "C2", peaks[is_true]), ("false", "0.6", peaks[~is_true])]
    for label, colour, heights in groups:
        axes.hist(heights, bins=list(bins), color=colour, alpha=0.7, label=label)
    axes.axvline(threshold, color="C3", label=f"threshold, {threshold:.2f} σ")
    axes.set_yscale("log")
    axes.set(xlabel="score (σ of all scores)", ylabel="peaks", title=title)
    axes.legend(frameon=False)
    return figure


def draw_orientations(orientation: NDArray[np.float64], *, title: str = "") -> "Figure":
    """Show where the particles' own z axes point in the tomogram.

    Parameters
    ----------
    orientation : (n, 4) quaternions x, y, z, w, reference to tomogram
    title : over the axes
    """
    from matplotlib.figure import Figure

    directions = matrices_from_quaternions(orientation)[:, :, 2]
    figure = Figure(figsize=(7, 3.9), layout="constrained")
    axes = figure.add_subplot(projection="mollweide")
    longitude = np.arctan2(directions[:, 1], directions[:, 0])
    latitude = np.arcsin(np.clip(directions[:, 2], -1, 1))
    axes.scatter(longitude, latitude, s=14, alpha=0.6, linewidths=0)
    axes.grid(visible=True, alpha=0.4)
    axes.set_title(
        title or f"z axes of {len(directions)} particles in the tomogram", fontsize=10, pad=14
    )
    return figure


def _kinds(
    picks: Particles, is_true: NDArray[np.bool_] | None, missed: Particles | None
) -> list[tuple[str, str, Particles]]:
    """Label, colour and rows of what is drawn."""
    if is_true is None:
        return [("picks", "C1", picks)]
    kinds = [
        ("true picks", "C2", picks.select(is_true)),
        ("false picks", "C3", picks.select(~is_true)),
    ]
    return kinds if missed is None else [*kinds, ("missed", "C0", missed)]


def _circle(
    axes: "Axes", points: NDArray[np.float64], diameter: float, colour: str, label: str
) -> None:
    """Draw circles of a size in Å, and one entry for the legend."""
    from matplotlib.patches import Circle

    axes.plot([], [], "o", mfc="none", mec=colour, label=label)
    for x, y, _ in points:
        axes.add_patch(Circle((x, y), diameter / 2, fill=False, ec=colour, lw=2))
