"""The report of ``subtomo pick clean``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Particles
from subtomo.picking.cleaning.figures import draw_counts, draw_places
from subtomo.report import Report

_MOST_FIGURES = 6
_MOST_ROWS = 50


def write_report(
    path: Path,
    picks: Particles,
    dropped_by: NDArray[np.str_],
    results: Mapping[str, Mapping[str, Any]],
    *,
    title: str,
) -> None:
    """Write what each filter dropped, and where, as one page.

    Parameters
    ----------
    path : of the HTML file
    picks : all that were read
    dropped_by : (n,) name of the filter, empty for picks that are kept
    results : number of ``picks`` and of those ``dropped`` by each filter, by tomogram
    title : what was cleaned
    """
    report = Report(title, "Filters act one after another, each on what those before it kept.")
    report.add_section("Picks")
    dropped = total_dropped(results)
    n_left = len(picks) - sum(dropped.values())
    report.add_key_figures({"picks": f"{len(picks)}", "kept": f"{n_left}"})
    if len(picks):
        report.add_figure(draw_counts(len(picks), dropped), "Picks left after each filter.")
    shown = list(results)[:_MOST_ROWS]
    report.add_table(
        [
            [name, results[name]["picks"], *results[name]["dropped"].values(), _left(results[name])]
            for name in shown
        ],
        columns=["tomogram", "picks", *(f"dropped: {name}" for name in dropped), "kept"],
        caption="" if len(shown) == len(results) else f"The first {len(shown)} of {len(results)}.",
    )
    report.add_section("Places")
    for name in list(results)[:_MOST_FIGURES]:
        rows = picks.tomogram == name
        report.add_figure(
            draw_places(picks.select(rows), dropped_by[rows], dropped),
            f"{name}: picks from above and from the side.",
        )
    if len(results) > _MOST_FIGURES:
        report.add_text(f"The first {_MOST_FIGURES} of {len(results)} tomograms are drawn.")
    report.write(path)


def total_dropped(results: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Add up over the tomograms what each filter dropped."""
    total: dict[str, int] = {}
    for result in results.values():
        for name, count in result["dropped"].items():
            total[name] = total.get(name, 0) + count
    return total


def _left(result: Mapping[str, Any]) -> int:
    return int(result["picks"] - sum(result["dropped"].values()))
