"""Figures of a search: its peaks beside those of noise, and its score map."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles, Volume
from subtomo.picking.matching.selection import Threshold
from subtomo.picking.matching.threshold import Calibration, NoiseTail, gaussian_height

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 60
_N_SLICES = 3
_LEAST_SHOWN = 0.3  # peaks in a bin; below it the fit is not drawn


def draw_threshold(
    sigma: NDArray[np.float64],
    threshold: Threshold,
    *,
    deviation: float,
    n_positions: float,
    noise: Calibration | None = None,
) -> "Figure":
    """Show a search's peaks by score, those of noise, the fit to them and the threshold.

    Parameters
    ----------
    sigma : (n,) of the peaks, σ
    threshold : of the search
    deviation : of all scores, as correlation coefficient
    n_positions : of the search
    noise : the search in noise, where there was one; scaled to so many positions
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.8), layout="constrained")
    axes = figure.subplots()
    edges = bin_edges(sigma, threshold.sigma, noise)
    axes.hist(sigma, bins=list(edges), color="0.7", label="peaks of the tomogram")
    if noise is not None and len(noise.peaks):
        weights = np.full(len(noise.peaks), n_positions / noise.n_positions)
        axes.hist(
            noise.peaks,
            bins=list(edges),
            weights=weights,
            histtype="step",
            color="C0",
            label="highest peaks of noise, scaled",
        )
    if noise is not None and noise.tail is not None:
        middle, expected = expected_counts(edges, noise.tail, deviation, n_positions)
        axes.plot(middle, expected, color="C1", label="their fit")
    axes.axvline(threshold.sigma, color="C3", label=f"threshold, {threshold.sigma:.2f} σ")
    if np.isfinite(threshold.gaussian):
        label = f"of independent Gaussian scores, {threshold.gaussian:.2f} σ"
        axes.axvline(threshold.gaussian, color="C3", ls=":", label=label)
    axes.set_yscale("log")
    axes.set(xlabel="score (σ of all scores)", ylabel="peaks")
    axes.legend(frameon=False, fontsize=9)
    return figure


def bin_edges(
    sigma: NDArray[np.float64], threshold: float, noise: Calibration | None
) -> NDArray[np.float64]:
    """Give bins (n + 1,) that hold all peaks and the threshold."""
    values = np.concatenate([sigma, [threshold], [] if noise is None else noise.peaks])
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, max(high, low + 1.0) + 1e-9, _BINS + 1)


def expected_counts(
    edges: NDArray[np.float64], tail: NoiseTail, deviation: float, n_positions: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the middles of bins and how many noise peaks the fit expects in them.

    Bins below the lowest score that the fit holds for, and those with next to none, are left out.
    """
    heights = gaussian_height(edges * deviation, deviation)
    above = np.array([tail.false_positives(float(h), n_positions) for h in heights])
    counts = above[:-1] - above[1:]
    shown = (heights[:-1] > tail.lowest) & (counts > _LEAST_SHOWN)
    middle = (edges[1:] + edges[:-1]) / 2
    return middle[shown], counts[shown]


def draw_score_slices(
    score: Volume, picks: Particles, *, diameter: float, sigma: float
) -> "Figure":
    """Show slices of a score map with the picks that lie in them.

    Parameters
    ----------
    score : correlation coefficients
    picks : of this search
    diameter : Å, of the circles
    sigma : correlation coefficient of one σ, the unit of the scale
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    n_z, n_y, n_x = score.shape
    figure = Figure(figsize=(12, 12 / _N_SLICES * n_y / n_x + 0.8), layout="constrained")
    z_values = np.linspace(0, n_z, _N_SLICES + 2)[1:-1].astype(int)
    maps = [np.asarray(score.data[z], dtype=np.float32) / sigma for z in z_values]
    highest = max(float(np.quantile(one, 0.9995)) for one in maps)
    image = None
    for axes, z, one in zip(
        figure.subplots(1, _N_SLICES, sharey=True), z_values, maps, strict=True
    ):
        corners = np.array([[-0.5, -0.5, z], [n_x - 0.5, n_y - 0.5, z]])
        (left, bottom, height), (right, top, _) = score.index_to_position(corners)
        image = axes.imshow(
            one,
            cmap="viridis",
            vmin=0,
            vmax=highest or 1.0,
            origin="lower",
            extent=(left, right, bottom, top),
        )
        for x, y, at in picks.position:
            if abs(at - height) < diameter / 2:
                axes.add_patch(Circle((x, y), diameter / 2, fill=False, ec="C1", lw=1.2))
        axes.set(
            xlabel="x (Å)", title=f"z = {height:.0f} Å", xlim=(left, right), ylim=(bottom, top)
        )
    figure.axes[0].set_ylabel("y (Å)")
    if image is not None:
        figure.colorbar(image, ax=figure.axes, label="score (σ)", shrink=0.8)
    return figure
