"""Where picks end, from the scores of known particles and of all peaks."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

_FEWEST_ABOVE = 5  # peaks above a score that say anything of their number
_STEPS = 400


def choose_threshold(known: NDArray[np.float64], peaks: NDArray[np.float64]) -> float:
    """Choose the score with the highest expected F1.

    Parameters
    ----------
    known : (n,) scores of particles that the fit did not see
    peaks : (m,) scores of all peaks of the tomograms

    Notes
    -----
    Scores of particles are taken as Gaussian. There cannot be more particles than peaks above any
    score over the share of particles above it; the least of these bounds is taken as their number.
    """
    mean, sd = float(np.median(known)), max(float(np.std(known, ddof=1)), 1e-3)
    heights = np.sort(np.asarray(peaks, dtype=np.float64))
    steps = np.linspace(mean - 3 * sd, mean + 1.5 * sd, _STEPS)
    above = len(heights) - np.searchsorted(heights, steps)
    share = norm.sf(steps, mean, sd)
    usable = above >= _FEWEST_ABOVE
    if not usable.any():
        return mean - sd
    number = float((above[usable] / share[usable]).min())
    right = np.minimum(number * share, above)
    return float(steps[np.argmax(2 * right / (above + number))])
