"""How high a score must be so that few false positives are expected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcinv

_MOST_PEAKS = 100  # whose heights fix the tail: to 10 % in the slope
_TAIL = 0.25  # of the peaks at most: the lower ones do not follow the tail
_LEAST_PEAKS = 10


@dataclass(frozen=True)
class NoiseTail:
    """How many peaks of pure noise are higher than a given height.

    The tail is exponential in the square of the height: what a maximum over many correlated
    Gaussian scores has locally, with the slope left free.

    Parameters
    ----------
    n_positions : voxels of noise that were searched
    n_peaks : of them higher than ``height``
    height : σ
    slope : mean of (u² - height²) / 2 over those peaks; 1 for Gaussian scores far out
    """

    n_positions: int
    n_peaks: int
    height: float
    slope: float

    def false_positives(self, height: float, n_positions: float) -> float:
        """Expect so many noise peaks above a height (σ) among so many positions."""
        rate = self.n_peaks / self.n_positions
        return float(n_positions * rate * np.exp(-(height**2 - self.height**2) / (2 * self.slope)))

    def threshold(self, false_positives: float, n_positions: float) -> float:
        """Height in σ above which so many noise peaks are expected."""
        excess = np.log(n_positions * self.n_peaks / self.n_positions / false_positives)
        return float(np.sqrt(max(0.0, self.height**2 + 2 * self.slope * excess)))


def fit_noise_tail(heights: NDArray[np.floating], n_positions: int) -> NoiseTail | None:
    """Fit the tail to the heights of a noise search's peaks.

    Parameters
    ----------
    heights : (n,) σ, in any order
    n_positions : voxels searched

    Returns
    -------
    NoiseTail, or None where no more than ten peaks are positive: too few to tell

    Notes
    -----
    Peaks over threshold, by maximum likelihood: the mean excess of an exponential variable.
    """
    w = np.sort(np.asarray(heights, dtype=np.float64))[::-1]
    w = w[w > 0][: _MOST_PEAKS + 1] ** 2 / 2
    if len(w) < 10:
        return None
    return NoiseTail(
        n_positions, len(w) - 1, float(np.sqrt(2 * w[-1])), float((w[:-1] - w[-1]).mean())
    )


def gaussian_threshold(false_positives: float, n_scores: float) -> float:
    """Height in σ that so many of independent Gaussian scores exceed.

    Parameters
    ----------
    false_positives : expected number, more than 0
    n_scores : positions times rotations

    Notes
    -----
    Rickgauer, Grigorieff and Denk, eLife 6, e25648 (2017): 1/N = erfc(θ / (σ √2)) / 2 for one false
    positive. Scores of neighbouring positions and rotations are correlated, so that this errs on
    the high side.

    Examples
    --------
    >>> round(gaussian_threshold(1, 1e9), 2)
    6.0
    """
    share = min(0.5, false_positives / max(1.0, n_scores))
    return float(np.sqrt(2) * erfcinv(2 * share))
