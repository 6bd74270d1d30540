"""Figures that only the demo has: the average beside the truth, and their correlation."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.resolution import THRESHOLD, resolution_of
from subtomo.signal.fsc import FscCurves
from subtomo.workflows.demo.comparison import DensityComparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AXES = (("z", "x", "y"), ("y", "x", "z"), ("x", "y", "z"))  # seen along, to the right, up


def draw_beside_truth(
    average: NDArray[np.float32], truth: NDArray[np.float32], pixel_size: float
) -> "Figure":
    """Show the three central slices of the average over those of the truth.

    Parameters
    ----------
    average, truth : (z, y, x) on one grid
    pixel_size : Å
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.2), layout="constrained")
    axes = figure.subplots(2, 3)
    for row, (name, volume) in enumerate((("average", average), ("truth", truth))):
        for column, (along, right, up) in enumerate(_AXES):
            dimension = "zyx".index(along)
            image = np.take(volume, volume.shape[dimension] // 2, axis=dimension)
            n = len(image)
            left = -(n // 2 + 0.5) * pixel_size
            extent = (left, left + n * pixel_size) * 2
            axes[row, column].imshow(image, cmap="gray", origin="lower", extent=extent)
            axes[row, column].set_title(f"{name}, slice along {along}", fontsize=10)
            axes[row, column].set(xlabel=f"{right} (Å)", ylabel=f"{up} (Å)")
    return figure


def draw_correlations(
    halves: FscCurves, density: DensityComparison, control: FscCurves | None, low_pass: float
) -> "Figure":
    """Show half maps against each other, the average against the truth, and the control.

    Parameters
    ----------
    halves : of the average
    density : of the average with the truth
    control : half maps from noise alone, or None
    low_pass : Å, of the template
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    lines: list[tuple[str, NDArray[np.float64], NDArray[np.float64], dict[str, Any]]] = [
        ("average with the truth", density.frequency, density.curve, {"color": "C2", "lw": 2}),
        ("half maps, corrected", halves.frequency, halves.corrected, {"color": "C0", "lw": 2}),
        ("half maps, unmasked", halves.frequency, halves.unmasked, {"color": "0.6", "lw": 1}),
    ]
    if control is not None:
        style: dict[str, Any] = {"color": "C3", "ls": "--"}
        lines.append(("noise alone, corrected", control.frequency, control.corrected, style))
    for label, frequency, curve, style in lines:  # the means, shell 0, say nothing
        axes.plot(frequency[1:], curve[1:], label=label, **style)
    read_off = ((0.5, density.resolution, "left"), (THRESHOLD, resolution_of(halves), "right"))
    for level, resolution, side in read_off:
        axes.axhline(level, color="0.75", lw=0.8)
        axes.plot([1 / resolution], [level], "o", color="0.2", ms=5)
        axes.annotate(
            f"{resolution:.1f} Å at {level}",
            (1 / resolution, level),
            xytext=(8, 6) if side == "left" else (-8, -14),
            textcoords="offset points",
            ha=side,
        )
    axes.axvline(
        1 / low_pass, color="C1", lw=1, ls=":", label=f"template's low-pass, {low_pass:g} Å"
    )
    axes.set(xlabel="frequency (1/Å)", ylabel="correlation", ylim=(-0.2, 1.05))
    axes.set_xlim(0, float(halves.frequency[-1]))
    axes.legend(frameon=False, loc="upper right", fontsize=9)
    return figure
