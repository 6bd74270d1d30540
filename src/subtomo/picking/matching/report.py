"""The report of ``subtomo pick match``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from subtomo.counts import count_of
from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.model import Particles
from subtomo.picking.figures import draw_orientations, draw_picks
from subtomo.picking.matching.figures import draw_score_slices, draw_threshold
from subtomo.picking.matching.inputs import Search
from subtomo.picking.matching.items import column, peaks_path, score_path
from subtomo.picking.matching.selection import Threshold
from subtomo.picking.matching.threshold import Calibration
from subtomo.report import Report

_MOST_FIGURES = 6
_MOST_ROWS = 100
_COLUMNS = (
    *("tomogram", "template", "positions", "mean score", "σ of all scores", "threshold (σ)"),
    *("threshold (score)", "false picks expected of noise", "picks"),
)


def write_report(
    path: Path,
    searches: list[Search],
    statistics: Mapping[str, Mapping[str, float]],
    thresholds: Mapping[str, Threshold],
    noise: Mapping[str, Calibration],
    picks: Particles,
) -> None:
    """Write thresholds with the peaks they cut, and slices of scores and tomograms with the picks.

    Parameters
    ----------
    path : of the HTML file; the maps and peaks lie in ``scores`` beside it
    searches : in the order of the report
    statistics, thresholds, noise : of each search that was finished, by its stem
    picks : of all
    """
    done = [search for search in searches if search.stem in thresholds]
    report = Report("Template matching", _summary(done, picks))
    report.add_section("Searches")
    report.add_key_figures({"searches": f"{len(done)}", "picks": f"{len(picks)}"})
    rows = [_row(s, statistics[s.stem], thresholds[s.stem], picks) for s in done[:_MOST_ROWS]]
    cut = "" if len(done) <= _MOST_ROWS else f"The first {_MOST_ROWS} of {len(done)}."
    report.add_table(rows, columns=_COLUMNS, caption=cut)
    for search in done[:_MOST_FIGURES]:
        _add_search(
            report,
            path.parent,
            search,
            statistics[search.stem],
            thresholds[search.stem],
            noise.get(search.stem),
            _of(search, picks),
        )
    if len(done) > _MOST_FIGURES:
        report.add_text(f"The first {_MOST_FIGURES} of {len(done)} searches are drawn.")
    report.write(path)


def _summary(searches: list[Search], picks: Particles) -> str:
    """Say in one sentence what was done."""
    tomograms = {search.tomogram.name for search in searches}
    templates = {search.name for search in searches}
    return (
        f"{count_of(len(templates), 'template')} in {count_of(len(tomograms), 'tomogram')}: "
        f"{count_of(len(picks), 'pick')}."
    )


def _row(
    search: Search, found: Mapping[str, float], threshold: Threshold, picks: Particles
) -> list[object]:
    """Make a search's row of the table."""
    return [
        search.tomogram.name,
        search.name,
        int(found["n_positions"]),
        found["mean"],
        found["deviation"],
        threshold.sigma,
        threshold.score,
        threshold.false_positives,
        len(_of(search, picks)),
    ]


def _of(search: Search, picks: Particles) -> Particles:
    """Take the picks of one search."""
    return picks.select(
        (picks.tomogram == search.tomogram.name) & (picks.class_name == search.name)
    )


def _add_search(
    report: Report,
    folder: Path,
    search: Search,
    found: Mapping[str, float],
    threshold: Threshold,
    noise: Calibration | None,
    picks: Particles,
) -> None:
    """Add the figures of one search."""
    report.add_section(f"{search.tomogram.name}, {search.name}")
    sigma = column(read_particles(peaks_path(folder, search)))
    if len(sigma):
        report.add_figure(
            draw_threshold(
                sigma,
                threshold,
                deviation=found["deviation"],
                n_positions=found["n_positions"],
                noise=noise,
            ),
            "Peaks of the score map, at least the least distance apart, and where picks begin.",
        )
    diameter = search.template.diameter
    report.add_figure(
        draw_score_slices(
            read_volume(score_path(folder, search)),
            picks,
            diameter=diameter,
            sigma=found["deviation"],
        ),
        "Slices of the score map; the circles are picks that reach into them.",
    )
    report.add_figure(
        draw_picks(search.volume, picks, diameter=diameter),
        "The same slices of the tomogram, five voxels thick.",
    )
    if len(picks):
        report.add_figure(
            draw_orientations(np.asarray(picks.orientation)), "Directions of the picks' z axes."
        )
