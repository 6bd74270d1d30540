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
            "precision": f"{whole['precision']:.3f}",
            "recall": f"{whole['recall']:.3f}",
            "F1": f"{whole['f1']:.3f}",
            f"F-beta, β = {beta:g}": f"{whole['f_beta']:.3f}",
            "position error, median (Å)": f"{whole['position_error_median']:.2f}",
            "angular error, median (°)": f"{whole['angular_error_median']:.2f}",
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
    shown = rows[:_MOST_ROWS]
    report.add_table(
        [_cells(row) for row in shown],
        columns=[_heading(name, beta) for name in whole],
        caption="" if len(shown) == len(rows) else f"The first {len(shown)} of {len(rows)} rows.",
    )
    report.write(path)


def _cells(row: Mapping[str, Any]) -> list[Any]:
    """Values of a part; that of all picks is called so."""
    first, *others = row.values()
    return [first if first or row["class"] else "all", *others]


def _heading(name: str, beta: float) -> str:
    """Name a column in words, with the unit."""
    if name in ("f1", "f_beta"):
        return "F1" if name == "f1" else f"F-beta, β = {beta:g}"
    unit = ""
    if "error" in name:
        unit = " (Å)" if name.startswith("position") else " (°)"
    return name.replace("_", " ") + unit
