"""The report of ``subtomo pick compare``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from subtomo.model import Particles
from subtomo.picking.comparison.figures import draw_errors, draw_precision_and_recall
from subtomo.picking.evaluation import Evaluation, precision_and_recall
from subtomo.report import Report

_MOST_ROWS = 50
_KEY_FIGURES = {  # and how many digits are shown
    **dict.fromkeys(("precision", "recall", "f1", "f_beta"), 3),
    **dict.fromkeys(("position_error_median", "angular_error_median", "axis_error_median"), 2),
}
_HEADINGS = {
    "f1": "F1",
    "position_error_median": "median error of position (Å)",
    "angular_error_median": "median error of orientation (°)",
    "axis_error_median": "median error of z axis (°)",
}


def write_report(
    path: Path,
    picks: Particles,
    truth: Particles,
    found: Evaluation,
    rows: Sequence[Mapping[str, Any]],
    *,
    radius: float,
    beta: float,
    title: str,
) -> None:
    """Write the figures and numbers of a comparison as one page.

    Parameters
    ----------
    path : of the HTML file
    picks, truth : tables
    found : how they compare
    rows : numbers of all picks, first, and of parts
    radius : Å
    beta : of F-beta
    title : what is compared
    """
    report = Report(title, f"A pick is true up to {radius:g} Å from a particle of its own.")
    report.add_section("Result")
    whole = rows[0]
    report.add_key_figures(
        {
            _heading(name, beta): f"{whole[name]:.{digits}f}"
            for name, digits in _KEY_FIGURES.items()
            if np.isfinite(whole[name])
        }
    )
    if len(found.pairs):
        report.add_figure(draw_errors(found), "Errors of the picks that have a particle.")
    if len(picks) and len(truth) and np.isfinite(picks.score).all():
        report.add_figure(
            draw_precision_and_recall(*precision_and_recall(picks, truth, radius=radius)),
            "Precision and recall when the threshold on the score falls; classes play no part.",
        )
    report.add_section("Parts")
    shown = [{**row, "tomogram": row["tomogram"] or "all"} for row in rows[:_MOST_ROWS]]
    columns = [
        name
        for name in whole
        if not name.endswith("_rms") and (name != "class" or any(row["class"] for row in rows))
    ]
    report.add_table(
        [[row[name] for name in columns] for row in shown],
        columns=[_heading(name, beta) for name in columns],
        caption="" if len(shown) == len(rows) else f"The first {len(shown)} of {len(rows)} rows.",
    )
    report.write(path)


def _heading(name: str, beta: float) -> str:
    """Name a number in words, with the unit."""
    return f"F-beta, β = {beta:g}" if name == "f_beta" else _HEADINGS.get(name, name)
