"""What a filter says of picks, and filters one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles

UNKNOWN = " is unknown"
"""In the reason of a pick that goes because what a filter looks at is not known."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a filter says of picks.

    Parameters
    ----------
    is_kept : (n,)
    reason : (n,) text, why a pick goes; looked at only where it does
    measures : (n,) each, by name of the column: what the filter looked at
    """

    is_kept: NDArray[np.bool_]
    reason: NDArray[np.str_]
    measures: dict[str, NDArray[Any]] = field(default_factory=dict)


class Filter(Protocol):
    """One rule for the picks of one tomogram."""

    @property
    def name(self) -> str:
        """The rule in a word or two, as the table of dropped picks has it."""

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks.

        Parameters
        ----------
        picks : those that no earlier filter dropped, of one tomogram
        rows : (n,) their rows in the table that was read, from 1, for reasons that name a pick
        """


@dataclass(frozen=True, eq=False)
class Cleaned:
    """What filters, one after another, say of picks.

    Parameters
    ----------
    dropped_by : (n,) name of the filter that dropped a pick; empty for those kept
    reason : (n,) text, likewise
    measures : (n,) each, by name of the column; NaN or empty where a pick was not measured
    """

    dropped_by: NDArray[np.str_]
    reason: NDArray[np.str_]
    measures: dict[str, NDArray[Any]]


def apply_filters(picks: Particles, filters: Sequence[Filter], rows: NDArray[np.int64]) -> Cleaned:
    """Let filters judge picks, each those that the ones before kept.

    Parameters
    ----------
    picks : of one tomogram
    filters : in order
    rows : (n,) rows of the picks in the table that was read, from 1
    """
    n = len(picks)
    dropped_by, reason = np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    measures: dict[str, NDArray[Any]] = {}
    left = np.arange(n)
    for each in filters:
        verdict = each(picks.select(left), rows[left])
        for name, values in verdict.measures.items():
            blank: Any = "" if values.dtype.kind == "U" else np.nan
            kind = values.dtype if values.dtype.kind == "U" else np.float64
            measures[name] = np.full(n, blank, dtype=kind)
            measures[name][left] = values
        gone = left[~verdict.is_kept]
        dropped_by[gone] = each.name
        reason[gone] = verdict.reason[~verdict.is_kept]
        left = left[verdict.is_kept]
    return Cleaned(dropped_by.astype(np.str_), reason.astype(np.str_), measures)


def reasons(template: str, *values: NDArray[Any]) -> NDArray[np.str_]:
    """Fill a sentence with each row's numbers.

    Examples
    --------
    >>> reasons("score {:.3g} is below 0.5", np.array([0.25])).tolist()
    ['score 0.25 is below 0.5']
    """
    rows = zip(*(value.tolist() for value in values), strict=True)
    return np.array([template.format(*row) for row in rows], dtype=np.str_)


def in_range(
    values: NDArray[np.float64],
    low: float | None,
    high: float | None,
    what: str,
    unit: str = "",
    *,
    lacking: str = "",
) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Keep values from a lowest to a highest one; those that are unknown go.

    Parameters
    ----------
    values : (n,), NaN where unknown
    low, high : limits, which are kept themselves; None: no limit
    what, unit : for the reasons
    lacking : what a pick lacks whose value is unknown, for the reason

    Returns
    -------
    is_kept, reason : (n,)
    """
    is_kept = np.isfinite(values)
    unknown = f"{what}{UNKNOWN}" + (f": no {lacking}" if lacking else "")
    reason = np.full(len(values), unknown, dtype=object)
    for limit, is_beyond, word in ((low, np.less, "below"), (high, np.greater, "above")):
        if limit is not None:
            gone = is_beyond(values, limit)
            text = f"{what} {{:.4g}}{unit} is {word} {limit:g}{unit}"
            reason[gone] = reasons(text, values[gone])
            is_kept &= ~gone
    return is_kept, reason.astype(np.str_)
