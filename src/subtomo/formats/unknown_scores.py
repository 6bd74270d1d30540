"""Scores in formats that have no word for one that is not known."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def written_scores(score: FloatArray, default: float = 0.0) -> FloatArray:
    """Give scores without NaN.

    Parameters
    ----------
    score : (n,) NaN where unknown
    default : what the format says of a particle that nobody scored

    Returns
    -------
    (n,) all the default where none is known; else unknown ones are the lowest known score, or the
    default if that is lower, so that none becomes the best
    """
    is_known = ~np.isnan(score)
    lowest = min(default, float(score[is_known].min())) if is_known.any() else default
    return np.nan_to_num(np.where(is_known, score, lowest))


def read_scores(score: FloatArray, default: float = 0.0) -> FloatArray:
    """Give scores (n,) as they stand, or NaN where all are the default, which says nothing."""
    return score if np.any(score != default) else np.full(len(score), np.nan)


def are_said(score: FloatArray, default: float = 0.0) -> bool:
    """Tell whether scores are read as they were written: all unknown, or all known and telling."""
    return np.array_equal(read_scores(written_scores(score, default), default), score, True)
