"""The report of ``subtomo pick model``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from subtomo.counts import count_of
from subtomo.model import Particles
from subtomo.picking.models.figures import MOST_ARROWS, draw_sections, draw_space
from subtomo.picking.models.items import TomogramFiles, load_surfaces
from subtomo.picking.models.plan import Plan
from subtomo.report import Report

_MOST_PICTURES = 20


def write_report(
    path: Path,
    plan: Plan,
    files: Mapping[str, TomogramFiles],
    particles: Mapping[str, Particles],
    rows: Mapping[str, list[dict[str, Any]]],
) -> None:
    """Write the numbers and pictures of all tomograms as one page.

    Parameters
    ----------
    path : of the HTML file
    plan : of the job
    files : of each tomogram, by name
    particles : of each tomogram
    rows : numbers of its models
    """
    total = sum(len(table) for table in particles.values())
    report = Report(
        "Particles from models",
        f"{count_of(total, 'particle')} of {count_of(len(plan.models), 'model')} in "
        f"{count_of(len(rows), 'tomogram')}.",
    )
    report.add_section("Models")
    report.add_table(_table(rows), columns=_COLUMNS)
    if plan.orientation_models:
        guides = [[m.tomogram, m.name, m.type, len(m.points)] for m in plan.orientation_models]
        report.add_section("Models that orient the points")
        report.add_table(guides, columns=["tomogram", "model", "type", "points"])
    for name in list(rows)[:_MOST_PICTURES]:
        report.add_section(name)
        surfaces = load_surfaces(files[name].surfaces)
        models = [model for model in plan.models if model.tomogram == name]
        orienting = [model for model in plan.orientation_models if model.tomogram == name]
        points = np.concatenate([model.positions() for model in [*models, *orienting]])
        tomogram = plan.tomograms.get(name)
        report.add_figure(draw_space(surfaces, points, particles[name]), _IN_SPACE)
        if surfaces or tomogram is not None:
            sections = draw_sections(
                surfaces,
                points,
                particles[name],
                pixel_size=models[0].pixel_size,
                volume=None if tomogram is None else tomogram.volume,
            )
            report.add_figure(sections, _IN_SECTIONS)
    if len(rows) > _MOST_PICTURES:
        report.add_text(f"Pictures of the first {_MOST_PICTURES} of {len(rows)} tomograms.")
    report.write(path)


_COLUMNS = [
    "tomogram",
    "model",
    "type",
    "points",
    "particles",
    "oriented",
    "median spacing (Å)",
    "oriented by a surface",
    "median distance from it (Å)",
]

_IN_SPACE = (
    "Points that were clicked (yellow), surfaces (green, coarser than they are), particles and "
    f"their z axes (red, at most {MOST_ARROWS})."
)

_IN_SECTIONS = (
    "The same, cut by two planes through a particle: surfaces as lines, points and particles "
    "(rings) less than two and a half voxels away; where the tomogram was given, the mean of these "
    "slices, smoothed."
)


def _table(rows: Mapping[str, list[dict[str, Any]]]) -> list[list[Any]]:
    """Make a line of each model."""
    fields = ("name", "type", "points", "particles", "oriented", "spacing")
    more = ("oriented_by_surface", "distance")
    return [
        [name, *(row.get(field) for field in (*fields, *more))]
        for name, of_tomogram in rows.items()
        for row in of_tomogram
    ]
