"""Filters by score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles
from subtomo.picking.cleaning.verdict import Verdict, in_range, reasons


@dataclass(frozen=True)
class ScoreRange:
    """Keep picks with a score in a range.

    Parameters
    ----------
    low, high : limits, kept themselves; None: no limit
    """

    low: float | None = None
    high: float | None = None
    name: str = "score"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks; an unknown score goes."""
        return Verdict(*in_range(picks.score, self.low, self.high, "score"))


@dataclass(frozen=True)
class BestScores:
    """Keep so many picks of a tomogram, those with the best scores.

    Parameters
    ----------
    n : picks kept; of equal scores the first in the table
    """

    n: int
    name: str = "best scores"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks; unknown scores come last."""
        rank = np.empty(len(picks), dtype=np.int64)
        rank[score_order(picks.score)] = np.arange(1, len(picks) + 1)
        return Verdict(
            rank <= self.n,
            reasons(f"score {{:.4g}} is number {{}} of the tomogram, beyond {self.n}",
                    picks.score, rank),
        )  # fmt: skip


def score_order(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order rows (n,) from the best score down; equal ones as they stand, unknown ones last."""
    return np.argsort(np.where(np.isnan(score), np.inf, -score), kind="stable")
