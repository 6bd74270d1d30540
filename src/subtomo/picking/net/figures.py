"""Figures of a training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from subtomo.picking.net.curve import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_course(epochs: Sequence[Epoch]) -> "Figure":
    """Show loss, and precision and recall of the picks held out, by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    number = [epoch.epoch for epoch in epochs]
    left.plot(number, [epoch.loss for epoch in epochs], color="C0")
    left.set(xlabel="epoch", ylabel="loss of the training picks", yscale="log")
    right.plot(number, [epoch.precision for epoch in epochs], "o-", ms=3, label="precision")
    right.plot(number, [epoch.recall for epoch in epochs], "s--", ms=3, label="recall")
    right.set(xlabel="epoch", ylabel="of the picks held out", ylim=(-0.05, 1.05))
    right.legend(frameon=False)
    return figure
