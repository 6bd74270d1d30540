"""The report of ``subtomo pick lattice``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from subtomo.picking.lattice.figures import draw_picks, draw_scores, draw_spectrum, draw_views
from subtomo.picking.lattice.settings import LatticeSettings
from subtomo.report import Report


def write_report(
    path: Path,
    rows: Mapping[str, Mapping[str, Any]],
    arrays: Mapping[str, Mapping[str, Any]],
    settings: LatticeSettings,
) -> None:
    """Write the numbers and figures of all filaments as one page.

    Parameters
    ----------
    path : of the HTML file
    rows : numbers of each filament, by its name
    arrays : spectra and wall picks of each filament
    settings : of the command
    """
    report = Report(
        "Lattice of the filaments",
        f"Axial repeat and number of protofilaments from the picks in {settings.particles.name}.",
    )
    report.add_section("Results")
    columns = {
        "picks on the wall": "picks_on_wall",
        "length (Å)": "length",
        "radius (Å)": "radius",
        "axial repeat (Å)": "axial_repeat",
        "contrast": "contrast",
        "lead": "lead",
        "start": "start",
        "protofilaments": "protofilaments",
    }
    report.add_table(
        [[name, *(row[key] for key in columns.values())] for name, row in rows.items()],
        columns=["filament", *columns],
        caption="Contrast: power of the layer line over the median of the spectrum; lead: over its "
        "next highest peak. Start: the strongest order on the layer line; negative: left-handed.",
    )
    first, last = settings.protofilaments
    numbers = range(first, last + 1)
    report.add_table(
        [[name, *(row[f"score_{n}"] for n in numbers)] for name, row in rows.items()],
        columns=["score of", *(str(n) for n in numbers)],
        caption="Score of each number of protofilaments; the scores of a filament add up to 1.",
    )
    for name, row in rows.items():
        report.add_section(name)
        report.add_figure(
            draw_views(arrays[name], row),
            "The picks on the wall over the tomogram, from above and along the filament.",
        )
        report.add_figure(
            draw_picks(arrays[name], row), "Picks on the wall, seen from outside; their spacing."
        )
        report.add_figure(
            draw_spectrum(arrays[name], row),
            "Power of the picks. A lattice shows as upright lines of spots; the ring marks the "
            "strongest order on the strongest layer line.",
        )
        report.add_figure(
            draw_scores(arrays[name], row),
            "Power of the density between half and one and a half radii. N protofilaments give the "
            "order N on the equator, and orders N apart on the layer line.",
        )
    report.write(path)
