"""Figures of a filament's lattice."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PICK_COLOUR = "#2b6cb0"
_FOUND_COLOUR = "#c2410c"


def draw_views(arrays: Mapping[str, Any], row: Mapping[str, Any]) -> "Figure":
    """Draw the wall picks over the tomogram, from above and along the filament."""
    figure, (above, along) = _axes(2, widths=(1.6, 1))
    _show_slab(above, arrays)
    image, half = arrays["cross_section"], float(arrays["cross_section_half_width"]) / 10
    along.imshow(image, cmap="gray", origin="lower", extent=(-half, half, -half, half))
    beam, across = (arrays["distances"] * part(arrays["angles"]) / 10 for part in (np.cos, np.sin))
    along.scatter(across, beam, s=4, c=_PICK_COLOUR, lw=0, alpha=0.7)
    turn = np.linspace(0, 2 * np.pi, 200)
    half_beam, half_across = arrays["half_axes"] / 10
    along.plot(half_across * np.sin(turn), half_beam * np.cos(turn), color=_FOUND_COLOUR, lw=1)
    along.set(
        xlabel="across the beam (nm)",
        ylabel="along the beam (nm)",
        xlim=(-half, half),
        ylim=(-half, half),
        title=f"mean along the axis, wall fitted: {half_across:.1f} × {half_beam:.1f} nm",
    )
    return figure


def draw_picks(arrays: Mapping[str, Any], row: Mapping[str, Any]) -> "Figure":
    """Draw the picks on the unrolled wall, and how far apart along it they are."""
    figure, (wall, pairs) = _axes(2, widths=(1.1, 1))
    wall.scatter(np.degrees(arrays["angles"]), arrays["heights"] / 10, s=5, c=_PICK_COLOUR, lw=0)
    wall.set(
        xlabel="angle about the axis, from the beam (degrees)",
        ylabel="height along the axis (nm)",
        xlim=(-180, 180),
        xticks=range(-180, 181, 60),
        title=f"{row['picks_on_wall']} picks on the unrolled wall",
    )
    apart = _axial_distances(arrays, row)
    pairs.hist(apart / 10, bins=np.arange(0, 20.01, 0.25), color=_PICK_COLOUR)
    for k in range(1, int(200 / row["axial_repeat"]) + 1):
        pairs.axvline(k * row["axial_repeat"] / 10, color=_FOUND_COLOUR, lw=0.8, zorder=0)
    pairs.set(
        xlabel="distance along the axis (nm)",
        ylabel="pairs",
        xlim=(0, 20),
        title="pairs on one protofilament (lines: multiples of the repeat)",
    )
    return figure


def draw_spectrum(arrays: Mapping[str, Any], row: Mapping[str, Any]) -> "Figure":
    """Draw the picks' power by order and frequency, and its sum over the orders."""
    figure, (power, total) = _axes(2, widths=(1.1, 1))
    k, found = arrays["pick_frequencies"] * 10, 10 / row["axial_repeat"]
    image = _show_power(power, arrays, "pick")
    figure.colorbar(image, ax=power, label="power (random points: 1)")
    _mark(power, found, row["start"], f"order {row['start']}")
    total.plot(k, arrays["pick_spectrum"], color=_PICK_COLOUR, lw=0.8)
    total.axvline(found, color=_FOUND_COLOUR, lw=0.8, zorder=0)
    total.annotate(
        f"{row['axial_repeat'] / 10:.3f} nm",
        (found, arrays["pick_spectrum"].max()),
        xytext=(8, -8),
        textcoords="offset points",
        color=_FOUND_COLOUR,
    )
    total.set(
        xlabel="axial frequency (1/nm)",
        ylabel="power, summed over the orders",
        ylim=(0, None),
        xlim=(k[0], k[-1]),
        title="picks: layer lines",
    )
    power.set_title("picks: power by angular order")
    return figure


def draw_scores(arrays: Mapping[str, Any], row: Mapping[str, Any]) -> "Figure":
    """Draw the density's power by order and frequency, and the score of each number."""
    figure, (power, bars) = _axes(2, widths=(1.1, 1))
    image = _show_power(power, arrays, "density")
    figure.colorbar(image, ax=power, label="power over background")
    best = row["protofilaments"]
    _mark(power, 0, best, f"order {best}")
    _mark(power, 10 / row["axial_repeat"], row["start"], f"order {row['start']}")
    power.set_title("density on the wall: power by angular order")
    numbers = [int(name.removeprefix("score_")) for name in row if name.startswith("score_")]
    for shift, kind, colour in ((-0.2, "equator", "#64748b"), (0.2, "layer_line", "#a8a29e")):
        shares = [row[f"{kind}_{n}"] for n in numbers]
        bars.bar(
            np.array(numbers) + shift, shares, 0.36, color=colour, label=kind.replace("_", " ")
        )
    scores = [row[f"score_{n}"] for n in numbers]
    colours = [_FOUND_COLOUR if n == best else "black" for n in numbers]
    bars.scatter(numbers, scores, c=colours, s=28, zorder=3, label="score (mean of the two)")
    bars.set(
        xlabel="protofilaments",
        ylabel="share",
        xticks=numbers,
        ylim=(0, None),
        title=f"best: {best}, score {row[f'score_{best}']:.2f}",
    )
    bars.legend(frameon=False)
    return figure


def _axes(n: int, *, widths: tuple[float, ...]) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.6), layout="constrained")
    return figure, figure.subplots(1, n, width_ratios=widths)


def _show_slab(axes: Any, arrays: Mapping[str, Any]) -> None:
    """Slab of the tomogram, its longer side lying, with the picks inside it and the others."""
    image, pixel = arrays["slab"], float(arrays["slab_pixel_size"])
    picks, limits = arrays["positions"], arrays["slab_limits"]
    horizontal, vertical = (1, 0) if image.shape[0] > image.shape[1] else (0, 1)
    image = image.T if horizontal == 1 else image
    low = np.array([arrays["slab_origin"][horizontal], arrays["slab_origin"][vertical]])
    high = low + (np.array(image.shape[::-1]) - 1) * pixel
    left, bottom, right, top = (v / 10 for v in (*(low - pixel / 2), *(high + pixel / 2)))
    axes.imshow(
        image,
        cmap="gray",
        origin="lower",
        extent=(left, right, bottom, top),
        vmin=np.quantile(image, 0.005),
        vmax=np.quantile(image, 0.995),
    )
    inside = (picks[:, 2] >= limits[0]) & (picks[:, 2] <= limits[1])
    for which, colour, label in (
        (~inside, _PICK_COLOUR, "above or below"),
        (inside, _FOUND_COLOUR, "in the slab"),
    ):
        axes.scatter(
            picks[which, horizontal] / 10,
            picks[which, vertical] / 10,
            s=5,
            c=colour,
            lw=0,
            label=label,
        )
    axes.legend(loc="upper right", fontsize=8, markerscale=2)
    axes.set(
        xlabel=f"{'xy'[horizontal]} (nm)",
        ylabel=f"{'xy'[vertical]} (nm)",
        xlim=(left, right),
        ylim=(bottom, top),
        title=f"slices of z = {limits[0] / 10:.0f} to {limits[1] / 10:.0f} nm, picks on the wall",
    )


def _show_power(axes: Any, arrays: Mapping[str, Any], of: str) -> Any:
    """Power as an image: orders up, frequency to the right; white where below the noise, 1."""
    from matplotlib.colors import LogNorm

    power, orders = arrays[f"{of}_power"], arrays[f"{of}_orders"]
    k = arrays[f"{of}_frequencies"] * 10
    axes.set(xlabel="axial frequency (1/nm)", ylabel="angular order")
    return axes.imshow(
        np.maximum(power, 1),
        origin="lower",
        aspect="auto",
        extent=(k[0], k[-1], orders[0] - 0.5, orders[-1] + 0.5),
        cmap="Greys",
        norm=LogNorm(1, max(10.0, float(power.max()))),
        interpolation="nearest",
    )


def _mark(axes: Any, frequency: float, order: int, text: str) -> None:
    """Ring one place of a power image."""
    axes.plot(frequency, order, "o", ms=11, mfc="none", mec=_FOUND_COLOUR, clip_on=False)
    axes.annotate(
        text, (frequency, order), xytext=(9, 6), textcoords="offset points", color=_FOUND_COLOUR
    )


def _axial_distances(arrays: Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    """Heights between picks whose distance around the axis is less than half a repeat."""
    angles, heights = arrays["angles"], arrays["heights"]
    around = np.angle(np.exp(1j * (angles[:, None] - angles[None, :])))
    same = np.abs(around) * row["radius"] < row["axial_repeat"] / 2
    first, second = np.nonzero(np.triu(same, 1))
    return np.abs(heights[first] - heights[second])
