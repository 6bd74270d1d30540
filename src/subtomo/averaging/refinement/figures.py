"""Figures of rounds of alignment."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.signal.fsc import FscCurves

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves_figure(curves: Sequence[tuple[str, FscCurves]], threshold: float) -> "Figure":
    """Show the corrected Fourier shell correlation of each round.

    Parameters
    ----------
    curves : name and curves of each round, in order
    threshold : where the resolution is read

    Returns
    -------
    matplotlib Figure, later rounds darker
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    shades = colormaps["viridis_r"](np.linspace(0.15, 1, len(curves)))
    for (name, one), shade in zip(curves, shades, strict=True):
        axes.plot(one.frequency[1:], one.corrected[1:], color=shade, label=name)
    axes.axhline(threshold, color="0.3", lw=0.8)
    axes.set(xlabel="frequency (1/Å)", ylabel="correlation", ylim=(-0.2, 1.05))
    axes.legend(frameon=True, framealpha=1, edgecolor="none", fontsize=9)
    return figure


def changes_figure(
    changes: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], names: Sequence[str]
) -> "Figure":
    """Show how far particles turned and moved in each round.

    Parameters
    ----------
    changes : of each round, turns (n,) in degrees and shifts (n,) in Å
    names : of the rounds

    Returns
    -------
    matplotlib Figure, medians and quartiles
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, values, what in zip(
        panels, zip(*changes, strict=True), ("turn (°)", "shift (Å)"), strict=True
    ):
        quartiles = np.array([np.percentile(one, (25, 50, 75)) for one in values])
        places = np.arange(len(values))
        axes.fill_between(places, quartiles[:, 0], quartiles[:, 2], alpha=0.3)
        axes.plot(places, quartiles[:, 1], "o-")
        axes.set_xticks(places, names, rotation=30, ha="right", fontsize=9)
        axes.set(ylabel=f"{what} in the round", ylim=(0, None))
    return figure


def scores_figure(score: NDArray[np.float64], names: NDArray[np.str_]) -> "Figure":
    """Show how the particles' scores are spread.

    Parameters
    ----------
    score : (n,)
    names : (n,) of their classes

    Returns
    -------
    matplotlib Figure, a histogram a class
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(float(score.min()), float(score.max()) + 1e-6, 41).tolist()
    for name in np.unique(names).tolist():
        axes.hist(score[names == name], bins=bins, histtype="step", label=name)
    axes.set(xlabel="score of the last round", ylabel="particles")
    if len(np.unique(names)) > 1:
        axes.legend(frameon=False)
    return figure
