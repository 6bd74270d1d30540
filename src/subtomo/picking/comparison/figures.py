"""Figures of a comparison of picks."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

_COLOUR = "#0b6e99"
_MARK_COLOUR = "#c2410c"


def draw_errors(found: Evaluation) -> "Figure":
    """Draw how far matched picks are from their particles, in place and in angle."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.2), layout="constrained")
    for axes, values, label in zip(
        figure.subplots(1, 3),
        (found.position_error, found.orientation_error, found.axis_error),
        ("distance (Å)", "angle between orientations (degrees)", "angle between z axes (degrees)"),
        strict=True,
    ):
        known = values[np.isfinite(values)]
        axes.set(xlabel=label, ylabel="pairs")
        axes.spines[["top", "right"]].set_visible(False)
        if not len(known):
            axes.text(0.5, 0.5, "none known", ha="center", va="center", transform=axes.transAxes)
            continue
        axes.hist(known, bins=40, color=_COLOUR)
        median = float(np.median(known))
        axes.axvline(median, color=_MARK_COLOUR)
        axes.set_title(f"median {median:.3g}", color=_MARK_COLOUR, fontsize=10)
    return figure


def draw_precision_and_recall(precision: FloatArray, recall: FloatArray) -> "Figure":
    """Draw precision over recall when the threshold on the score falls from pick to pick."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(recall, precision, color=_COLOUR)
    axes.plot(recall[-1:], precision[-1:], "o", color=_MARK_COLOUR, label="all picks")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left")
    return figure
