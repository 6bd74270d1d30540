"""The Guinier plot of a reconstruction."""

from typing import TYPE_CHECKING

import numpy as np

from subtomo.averaging.reconstruction.sharpening import GuinierPlot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def guinier_figure(plot: GuinierPlot, b_factor: float, resolution: float) -> "Figure":
    """Show the logarithm of a map's amplitudes against the squared frequency.

    Parameters
    ----------
    plot : of the masked map
    b_factor : Å² that the map is sharpened with
    resolution : Å, of the map

    Returns
    -------
    matplotlib Figure; the curve of the signal is broken where the halves agree on nothing
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    squared = plot.frequency[1:] ** 2
    axes.plot(squared, plot.measured[1:], color="0.6", lw=1.2, label="of the map")
    signal = np.where(np.isfinite(plot.signal[1:]), plot.signal[1:], np.nan)
    axes.plot(squared, signal, color="C0", lw=2, label="of what the halves share")
    axes.axvline(
        1 / resolution**2, color="C3", lw=1.0, ls=":", label=f"resolution, {resolution:.1f} Å"
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
