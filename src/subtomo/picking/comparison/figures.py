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
    """Draw how far matched picks are from their particles, in place and, where known, in angle."""
    from matplotlib.figure import Figure

    errors = {
        "distance (Å)": found.position_error,
        "angle between orientations (degrees)": found.orientation_error,
        "angle between z axes (degrees)": found.axis_error,
    }
    known_errors = {label: values[np.isfinite(values)] for label, values in errors.items()}
    known_errors = {label: known for label, known in known_errors.items() if len(known)}
    figure = Figure(figsize=(4 * len(known_errors), 3.2), layout="constrained")
    panels = figure.subplots(1, len(known_errors), squeeze=False)[0]
    for axes, (label, known) in zip(panels, known_errors.items(), strict=True):
        axes.set(xlabel=label, ylabel="pairs")
        axes.spines[["top", "right"]].set_visible(False)
        axes.hist(known, bins=min(40, 5 + len(known) // 5), color=_COLOUR)
        axes.locator_params(axis="y", integer=True)
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
