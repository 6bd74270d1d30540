"""How high a score must be so that few false positives are expected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import erfcinv

_MOST_PEAKS = 200  # whose heights fix the tail; the higher, the less is extrapolated
_LEAST_PEAKS = 10
_LOWEST = 3.3  # σ; below it peaks run into one another
_EXPONENT, _EXPONENT_SPREAD = 6.0, 2.0  # what is assumed of the exponent where peaks are few
_EXPONENTS = np.linspace(1, 9.5, 86)  # above 10.9 the number would rise with the height


@dataclass(frozen=True)
class NoiseTail:
    """How many peaks of pure noise are higher than a given height.

    Heights are those of `gaussian_height`. The number of peaks above a height u is taken to be
    ``density · positions · u^exponent · exp(-u² / 2)``; both constants are measured.

    Parameters
    ----------
    density : of peaks, by position
    n_peaks : that it was measured with
    exponent : how many independent directions the scores change in, less one

    Notes
    -----
    The leading term for a Gaussian random field in d dimensions has the exponent d - 1 (Adler, "The
    Geometry of Random Fields" (1981), theorem 6.3.1). Of the search's three coordinates and three
    angles fewer count where the scores change little with some or where steps are so coarse that
    neighbours are independent, and more where voxels are as fine as the noise.
    """

    density: float
    n_peaks: int
    exponent: float = _EXPONENT

    @property
    def lowest(self) -> float:
        """Height below which the formula does not hold."""
        return _LOWEST

    def false_positives(self, height: float, n_positions: float) -> float:
        """Expect so many noise peaks above a height among so many positions."""
        shape = _excursions(max(height, _LOWEST), self.exponent)
        return float(self.density * n_positions * shape)

    def threshold(self, false_positives: float, n_positions: float) -> float:
        """Height above which so many noise peaks are expected; 3.3 at least."""

        def surplus(height: float) -> float:
            return self.false_positives(height, n_positions) - false_positives

        highest = 38.0  # where exp(-u² / 2) leaves what floats can hold
        return float(brentq(surplus, _LOWEST, highest)) if surplus(_LOWEST) > 0 else _LOWEST


@dataclass(frozen=True)
class Calibration:
    """What a search in noise found.

    Parameters
    ----------
    tail : how many peaks noise gives, or None where too few were found to tell
    n_positions : searched
    peaks : the highest of them, σ
    """

    tail: NoiseTail | None
    n_positions: int
    peaks: list[float]


def fit_noise_tail(heights: NDArray[np.floating], n_positions: int) -> NoiseTail | None:
    """Measure the density of a noise search's peaks.

    Parameters
    ----------
    heights : (n,) of `gaussian_height`, in any order
    n_positions : voxels searched

    Returns
    -------
    NoiseTail, or None where fewer than ten peaks are high enough to tell

    Notes
    -----
    The exponent is the likeliest one for the heights above the lowest of the peaks used, with a
    normal distribution of 6 ± 2 assumed beforehand.
    """
    high = np.sort(np.asarray(heights, dtype=np.float64))[::-1]
    high = high[high > _LOWEST]
    n = min(_MOST_PEAKS, len(high))
    if n < _LEAST_PEAKS:
        return None
    level = float(high[n]) if n < len(high) else _LOWEST
    exponent = _likeliest_exponent(high[:n], level)
    return NoiseTail(n / (n_positions * _excursions(level, exponent)), n, exponent)


def _likeliest_exponent(heights: NDArray[np.float64], level: float) -> float:
    """Find the exponent of the number of peaks from their heights above a level."""
    logarithms = np.log(heights).sum() - len(heights) * np.log(level)
    # the density of the heights is the number's derivative, over the number above the level
    slopes = np.log(heights[:, None] - _EXPONENTS / heights[:, None]).sum(axis=0)
    before = -0.5 * ((_EXPONENTS - _EXPONENT) / _EXPONENT_SPREAD) ** 2
    return float(_EXPONENTS[np.argmax(_EXPONENTS * logarithms + slopes + before)])


def gaussian_height(score: NDArray[np.floating] | float, deviation: float) -> NDArray[np.float64]:
    """Turn correlation coefficients into heights of a Gaussian variable that is as rarely as high.

    Parameters
    ----------
    score : correlation coefficients, their mean taken off
    deviation : standard deviation of all scores of the search

    Returns
    -------
    Same shape
        σ for small scores, more for large ones: coefficients end at 1, so that their tail is
        thinner than a Gaussian's.

    Notes
    -----
    In noise the chance to exceed r falls as (1 - r²)^(1 / 2σ²), since r² is Beta-distributed.
    """
    score = np.asarray(score, dtype=np.float64)
    share = np.clip(score**2, 0, 1 - 1e-12)
    return np.asarray(np.sign(score) * np.sqrt(-np.log1p(-share)) / deviation)


def score_at(height: float, deviation: float) -> float:
    """Correlation coefficient, over the mean, of a `gaussian_height`."""
    return float(np.sqrt(-np.expm1(-((height * deviation) ** 2))))


def _excursions(height: float, exponent: float) -> float:
    """Shape of the number of peaks above a height."""
    return float(height**exponent * np.exp(-(height**2) / 2))


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
