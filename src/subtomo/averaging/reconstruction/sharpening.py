"""Restoring the amplitudes that a map loses with resolution: the Guinier plot and a B factor."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.fsc import FscCurves, shell_sums

FloatArray = NDArray[np.float64]

GUINIER_FROM = 10.0
"""Å; coarser, the amplitudes of proteins follow their shape: Rosenthal and Henderson (2003)."""
LEAST_SHELLS = 3
"""Of a straight line that is worth to be fitted."""
_MOST_GAIN = 60.0  # natural logarithm; with the map's values it stays in float32


@dataclass(frozen=True, eq=False)
class GuinierPlot:
    """The logarithm of a map's amplitudes against the squared frequency.

    Parameters
    ----------
    frequency : (shell,) 1/Å
    measured : (shell,) ln of the root mean square amplitude
    signal : (shell,) the same of the signal: what the halves agree on; -inf where on nothing
    b_factor : Å², four times the slope of the line, negative; None where none could be fitted
    intercept : of the line; None likewise
    fitted : (lowest, highest) frequency of the fit, 1/Å; None likewise
    """

    frequency: FloatArray
    measured: FloatArray
    signal: FloatArray
    b_factor: float | None = None
    intercept: float | None = None
    fitted: tuple[float, float] | None = None


def signal_share(agreement: FloatArray) -> FloatArray:
    """Correlation of the average of two half maps with the truth, from that of the halves.

    Parameters
    ----------
    agreement : Fourier shell correlation of the halves

    Returns
    -------
    sqrt(2 FSC / (1 + FSC)), 0 where the halves do not agree

    Notes
    -----
    Rosenthal and Henderson, J. Mol. Biol. 333, 721-745 (2003), equation 18 (C_ref).
    """
    kept = np.clip(agreement, 0, 1)
    share: FloatArray = np.sqrt(2 * kept / (1 + kept))
    return share


def guinier_plot(
    volume: Tensor,
    curves: FscCurves,
    resolution: float,
    *,
    coarsest: float = GUINIER_FROM,
) -> GuinierPlot:
    """Plot a map's amplitudes and fit a line where they should not depend on its shape.

    Parameters
    ----------
    volume : (n, n, n), the map of all data, under its mask
    curves : of its halves
    resolution : Å, end of the fit
    coarsest : Å, start of the fit

    Returns
    -------
    GuinierPlot, without a line if fewer than three shells lie between the two

    Notes
    -----
    Rosenthal and Henderson, J. Mol. Biol. 333, 721-745 (2003): ln F = ln F₀ + b/4 · k², with the
    amplitudes of the signal, measured · C_ref.
    """
    n = volume.shape[-1]
    power = torch.fft.rfftn(volume.double()).abs().square()
    counts = shell_sums(torch.ones_like(power), n)
    rms = (shell_sums(power, n) / counts).sqrt().numpy()
    with np.errstate(divide="ignore"):
        measured = np.log(rms)
        signal = measured + np.log(signal_share(curves.corrected))
    k = curves.frequency
    used = (k >= 1 / coarsest) & (k <= 1 / resolution) & np.isfinite(signal)
    if used.sum() < LEAST_SHELLS:
        return GuinierPlot(k, measured, signal)
    slope, intercept = np.polyfit(k[used] ** 2, signal[used], 1)
    ends = (float(k[used][0]), float(k[used][-1]))
    return GuinierPlot(k, measured, signal, 4 * float(slope), float(intercept), ends)


def sharpened(
    volume: Tensor, curves: FscCurves, b_factor: float, low_pass: float, pixel_size: float
) -> Tensor:
    """Sharpen a map, weight it by what its halves agree on, and low-pass it.

    Parameters
    ----------
    volume : (n, n, n), of all data
    curves : of its halves
    b_factor : Å²; negative raises the amplitudes
    low_pass : Å
    pixel_size : Å

    Returns
    -------
    (n, n, n) float32: F · exp(-b k²/4) · C_ref below the low-pass

    Notes
    -----
    Rosenthal and Henderson, J. Mol. Biol. 333, 721-745 (2003).
    """
    shape = tuple(volume.shape)
    radius = frequency_radius(shape, pixel_size, dtype=torch.float64)
    share = signal_share(curves.corrected)
    weight = np.interp(radius.numpy(), curves.frequency, share)
    cut_off = bandpass(shape, pixel_size, low_pass=low_pass)
    gain = torch.from_numpy(weight) * cut_off * b_factor_gain(radius, b_factor, low_pass)
    return apply_filter(volume.double(), gain).float()


def b_factor_gain(frequency: Tensor, b_factor: float, low_pass: float) -> Tensor:
    """Give exp(-b k²/4), held constant from a little beyond the low-pass on.

    Parameters
    ----------
    frequency : 1/Å
    b_factor : Å²; negative raises the amplitudes
    low_pass : Å; beyond it nothing is left that needs the gain, which would overflow
    """
    held = frequency.clamp(max=1.5 / low_pass)
    return torch.exp((-0.25 * b_factor * held**2).clamp(max=_MOST_GAIN))
