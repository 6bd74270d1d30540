"""Figures of cleaning: which filters dropped how many picks, and where they were."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KEPT_COLOUR = "#0b6e99"
_COLOURS = ("#c2410c", "#7c3aed", "#ca8a04", "#15803d", "#be185d", "#525252", "#0ea5e9", "#78350f")


def draw_counts(n_picks: int, dropped: Mapping[str, int]) -> "Figure":
    """Draw how many picks are left after each filter.

    Parameters
    ----------
    n_picks : before the first
    dropped : by each filter, in order
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 1.2 + 0.42 * (len(dropped) + 1)), layout="constrained")
    axes = figure.subplots()
    left = n_picks
    axes.barh(0, left, color=_KEPT_COLOUR, height=0.65)
    axes.annotate(f" {left}", (left, 0), va="center")
    for row, (count, colour) in enumerate(zip(dropped.values(), _colours(dropped), strict=True), 1):
        left -= count
        axes.barh(row, left, color=_KEPT_COLOUR, height=0.65)
        axes.barh(row, count, left=left, color=colour, height=0.65)
        axes.annotate(f" {left} (−{count})", (left + count, row), va="center")
    labels = ["picks", *dropped]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(ylim=(len(labels) - 0.4, -0.6), xlabel="picks left")
    axes.margins(x=0.18)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_places(
    picks: Particles, dropped_by: NDArray[np.str_], filters: Mapping[str, int]
) -> "Figure":
    """Draw the picks of one tomogram from above and from the side, in nm.

    Parameters
    ----------
    picks : of the tomogram
    dropped_by : (n,) name of the filter, empty for picks that are kept
    filters : names, in order
    """
    from matplotlib.figure import Figure

    x, y, z = picks.position.T / 10
    span = np.ptp(np.stack([x, y, z], 1), axis=0) + 1
    height = float(np.clip(5 * (span[1] + span[2]) / span[0], 3.5, 9))
    figure = Figure(figsize=(6.2, height), layout="constrained")
    above, side = figure.subplots(
        2, 1, sharex=True, height_ratios=(span[1], max(span[2], span[1] / 6))
    )
    kinds = [(name, name, c) for name, c in zip(filters, _colours(filters), strict=True)]
    kinds.append(("", "kept", _KEPT_COLOUR))  # on top of what was dropped
    for axes, vertical in ((above, y), (side, z)):
        for name, label, colour in kinds:
            of_kind = dropped_by == name
            if of_kind.any():
                axes.scatter(
                    x[of_kind],
                    vertical[of_kind],
                    s=9 if name else 12,
                    c=colour,
                    lw=0,
                    alpha=0.6 if name else 1,
                    label=f"{label} ({int(of_kind.sum())})",
                )
        axes.set_aspect("equal", adjustable="datalim")
    above.set(ylabel="y (nm)")
    side.set(xlabel="x (nm)", ylabel="z (nm)")
    handles, labels = above.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside right upper", frameon=False)
    return figure


def _colours(filters: Mapping[str, int]) -> list[str]:
    """Give each filter its colour."""
    return [_COLOURS[i % len(_COLOURS)] for i in range(len(filters))]
