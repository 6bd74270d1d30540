"""Figures of what pickers agree on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.consensus.merging import ANGULAR_SPREAD, POSITION_SPREAD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from subtomo.model import Particles

FloatArray = NDArray[np.float64]

_KEPT_COLOUR = "#0b6e99"
_LEFT_OUT_COLOUR = "#b8c2cc"
_MOST_COMBINATIONS = 20
_LONGEST_NAME = 24


def draw_overlap(
    counts: Mapping[tuple[int, ...], int],
    names: Sequence[str],
    sizes: Sequence[int],
    is_kept: Mapping[tuple[int, ...], bool],
) -> "Figure":
    """Draw which pickers voted together, as an UpSet plot.

    Parameters
    ----------
    counts : number of groups by the numbers of their pickers; the most frequent are drawn
    names, sizes : of the pickers
    is_kept : whether a combination has enough votes

    Notes
    -----
    Source: Lex et al. (2014), IEEE Trans. Vis. Comput. Graph. 20, 1983.
    """
    from matplotlib.figure import Figure

    shown = list(counts)[:_MOST_COMBINATIONS]
    n, rows = max(1, len(shown)), len(names)
    figure = Figure(figsize=(4.2 + 0.42 * max(n, 6), 2.6 + 0.36 * rows), layout="constrained")
    grid = figure.subplots(
        2, 2, width_ratios=(1.6, 0.42 * max(n, 6)), height_ratios=(2.2, 0.36 * rows)
    )
    (corner, bars), (totals, dots) = grid
    corner.axis("off")
    colours = [_KEPT_COLOUR if is_kept[each] else _LEFT_OUT_COLOUR for each in shown]
    heights = [counts[each] for each in shown]
    bars.bar(range(len(shown)), heights, color=colours, width=0.7)
    for x, height in enumerate(heights):
        bars.annotate(f"{height}", (x, height), ha="center", va="bottom", fontsize=8)
    bars.set(ylabel="groups of picks", xticks=[], xlim=(-0.6, n - 0.4))
    bars.margins(y=0.15)
    bars.spines[["top", "right"]].set_visible(False)
    _draw_legend(bars, colours)
    _draw_dots(dots, shown, rows, n)
    totals.barh(range(rows), sizes, color="0.45", height=0.6)
    totals.set(
        yticks=range(rows), yticklabels=[_short(name) for name in names], xlabel="picks",
        ylim=(rows - 0.5, -0.5),
    )  # fmt: skip
    totals.invert_xaxis()
    totals.yaxis.tick_right()
    totals.locator_params(axis="x", nbins=3)
    totals.tick_params(axis="y", length=0)
    totals.spines[["top", "left"]].set_visible(False)
    return figure


def draw_pairwise_f1(f1: FloatArray, names: Sequence[str]) -> "Figure":
    """Draw the F1 between each two pickers (n, n)."""
    from matplotlib.figure import Figure

    n = len(names)
    figure = Figure(figsize=(3.2 + 0.55 * n, 2.0 + 0.5 * n), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(f1, vmin=0, vmax=1, cmap="Blues")
    for i, j in np.ndindex(n, n):
        colour = "white" if f1[i, j] > 0.6 else "black"
        text = "" if np.isnan(f1[i, j]) else f"{f1[i, j]:.2f}"
        axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=9)
    short = [_short(name) for name in names]
    axes.set_xticks(range(n), short, rotation=30, ha="right")
    axes.set_yticks(range(n), short)
    figure.colorbar(image, ax=axes, label="F1")
    return figure


def draw_spread(particles: "Particles") -> "Figure":
    """Draw how far the picks of each particle lie from its mean position and orientation.

    Only what is known of some particle is drawn.
    """
    from matplotlib.figure import Figure

    spreads = {
        "spread of the positions (Å)": particles.extra[POSITION_SPREAD],
        "spread of the orientations (degrees)": particles.extra[ANGULAR_SPREAD],
    }
    known = {label: values[np.isfinite(values)] for label, values in spreads.items()}
    known = {label: values for label, values in known.items() if len(values)}
    figure = Figure(figsize=(4.5 * len(known), 3.2), layout="constrained")
    panels = figure.subplots(1, len(known), squeeze=False)[0]
    for axes, (label, values) in zip(panels, known.items(), strict=True):
        axes.hist(values, bins=min(40, 5 + len(values) // 5), color=_KEPT_COLOUR)
        axes.locator_params(axis="y", integer=True)
        axes.set(xlabel=label, ylabel="particles")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_dots(axes: "Axes", shown: Sequence[tuple[int, ...]], rows: int, n: int) -> None:
    """Draw the pickers of each combination as dots, joined by a line."""
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=0)
    for x, combination in enumerate(shown):
        axes.scatter([x] * rows, range(rows), s=42, color="0.85", zorder=2)
        axes.plot([x, x], [min(combination), max(combination)], color="0.2", lw=1.8, zorder=3)
        axes.scatter([x] * len(combination), combination, s=42, color="0.2", zorder=4)
    axes.set(xlim=(-0.6, n - 0.4), ylim=(rows - 0.5, -0.5))
    axes.axis("off")


def _draw_legend(axes: "Axes", colours: Sequence[str]) -> None:
    """Name the colours that are there."""
    from matplotlib.patches import Patch

    words = {_KEPT_COLOUR: "enough votes", _LEFT_OUT_COLOUR: "left out"}
    handles = [Patch(color=c, label=words[c]) for c in words if c in colours]
    if handles:
        axes.legend(handles=handles, frameon=False, fontsize=8, loc="upper right")


def _short(name: str) -> str:
    """Cut a long name at its start, where paths have least to say."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
