"""The numbers of a comparison, of all picks and of parts of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles
from subtomo.picking.evaluation import Evaluation

FloatArray = NDArray[np.float64]


def score_rows(
    picks: Particles, truth: Particles, found: Evaluation, *, beta: float, per_class: bool
) -> Iterator[dict[str, Any]]:
    """Give the numbers of all picks, then of each class if asked, then of each tomogram.

    Parameters
    ----------
    picks, truth : tables
    found : how they compare
    beta : of F-beta
    per_class : give the numbers of the classes

    Yields
    ------
    dict
        ``tomogram``, ``class``: of the part, empty for all; counts ``picks``, ``truth``,
        ``matched``; ``precision``, ``recall``, ``f1``, ``f_beta``; the median and the root mean
        square of the ``position_error`` (Å) and of ``angular_error`` and ``axis_error`` (degrees);
        NaN where nothing tells.
    """
    yield _row("", "", found, beta)
    if per_class:
        for name in np.union1d(picks.class_name, truth.class_name).tolist():
            part = _part(found, picks.class_name == name, truth.class_name == name)
            yield _row("", name, part, beta)
    for name in np.union1d(picks.tomogram, truth.tomogram).tolist():
        part = _part(found, picks.tomogram == name, truth.tomogram == name)
        yield _row(name, "", part, beta)


def _part(found: Evaluation, of_picks: NDArray[Any], of_truth: NDArray[Any]) -> Evaluation:
    """Keep the pairs, picks and true particles of one part."""
    rows = of_picks[found.pairs[:, 0]]
    return replace(
        found,
        pairs=found.pairs[rows],
        n_picks=int(of_picks.sum()),
        n_truth=int(of_truth.sum()),
        position_error=found.position_error[rows],
        orientation_error=found.orientation_error[rows],
        axis_error=found.axis_error[rows],
    )


def _row(tomogram: str, class_name: str, found: Evaluation, beta: float) -> dict[str, Any]:
    """Numbers of one part."""
    row: dict[str, Any] = {
        "tomogram": tomogram,
        "class": class_name,
        "picks": found.n_picks,
        "truth": found.n_truth,
        "matched": len(found.pairs),
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "f_beta": found.f_beta(beta),
    }
    errors = {
        "position_error": found.position_error,
        "angular_error": found.orientation_error,
        "axis_error": found.axis_error,
    }
    for name, values in errors.items():
        known = values[np.isfinite(values)]
        row[f"{name}_median"] = float(np.median(known)) if len(known) else float("nan")
        row[f"{name}_rms"] = float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")
    return row
