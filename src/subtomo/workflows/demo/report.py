"""The demo's report."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from subtomo.averaging.figures import slices_figure
from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.picking.evaluation import evaluate_picks
from subtomo.picking.figures import draw_orientations, draw_picks, draw_scores
from subtomo.report import Report
from subtomo.simulation.presets import PRESETS
from subtomo.workflows.demo.comparison import in_box, outer_diameter
from subtomo.workflows.demo.figures import draw_beside_truth, draw_correlations
from subtomo.workflows.demo.findings import Findings, beyond_template
from subtomo.workflows.demo.settings import DemoSettings
from subtomo.workflows.demo.steps import TARGET, TEMPLATE_LOW_PASS

_SIGMA = "subtomoSigma"


def write_report(
    path: Path, findings: Findings, settings: DemoSettings, seconds: Mapping[str, float]
) -> Path:
    """Write the demo's page.

    Parameters
    ----------
    path : of the HTML file
    findings : what was found
    settings : of the demo
    seconds : that each step took
    """
    level = settings.level or PRESETS[settings.preset]["noise"]
    report = Report(
        "subtomo demo: from tilt series to an average",
        f"Two simulated tilt series with several kinds of particle at noise level {level}; "
        f"one kind, '{TARGET}', is picked by its template, aligned, averaged and compared with "
        "the truth.",
    )
    _add_summary(report, findings)
    _add_picks(report, findings)
    _add_average(report, findings)
    _add_settings(report, settings, seconds)
    return report.write(path)


def _add_summary(report: Report, findings: Findings) -> None:
    numbers = findings.numbers()
    orientation_error = numbers["median orientation error, aligned (degrees)"]
    half_map_resolution = numbers["resolution, FSC 0.143 of the half maps (Å)"]
    report.add_section("Summary")
    report.add_key_figures(
        {
            "F1 of the picks": f"{findings.picked.f1:.3f}",
            "median orientation error": f"{orientation_error:.1f}°",
            "median position error": f"{numbers['median position error, aligned (Å)']:.1f} Å",
            "resolution, half maps at 0.143": f"{half_map_resolution:.1f} Å",
            "resolution, truth at 0.5": f"{findings.density.resolution:.1f} Å",
        }
    )
    rows = [[name, float(value)] for name, value in numbers.items()]
    report.add_table(rows, ["figure", "value"])


def _add_picks(report: Report, findings: Findings) -> None:
    """Show the first tomogram's picks, the scores and the orientations."""
    report.add_section(
        "Picks",
        f"The template was low-pass filtered to {TEMPLATE_LOW_PASS:g} Å before picking. A pick is "
        "true if it lies within half the particle's radius of a true particle.",
    )
    density = read_volume(findings.folders.simulation / "truth" / "densities" / f"{TARGET}.mrc")
    diameter = outer_diameter(density)
    name = str(findings.picks.tomogram[0])
    mine = findings.picks.tomogram == name
    tomogram = read_volume(findings.folders.binned / "tomograms" / f"{name}.mrc")
    figure = draw_picks(
        tomogram,
        findings.picks.select(mine),
        diameter=diameter,
        is_true=findings.picked.is_true[mine],
        missed=findings.truth.select(~findings.picked.is_found).of_tomogram(name),
    )
    report.add_figure(
        figure,
        f"{name}, binned to {tomogram.pixel_size:g} Å; slices of five voxels, protein bright.",
    )
    _add_scores(report, findings, name, diameter)
    report.add_figure(
        draw_orientations(findings.aligned.orientation),
        "Where the particles' own z axes point in the tomograms, after local alignment.",
    )


def _add_scores(report: Report, findings: Findings, name: str, diameter: float) -> None:
    """Show the scores of all peaks of one tomogram with the threshold."""
    folder = findings.folders.picks
    peaks = read_particles(folder / "scores" / f"{name}_{TARGET}_peaks.csv")
    thresholds = np.genfromtxt(
        folder / "thresholds.csv", delimiter=",", names=True, dtype=None, encoding="utf-8"
    )
    row = np.atleast_1d(thresholds)[list(np.atleast_1d(thresholds)["tomogram"]).index(name)]
    judged = evaluate_picks(peaks, findings.truth.of_tomogram(name), radius=diameter / 4)
    figure = draw_scores(
        np.asarray(peaks.extra[_SIGMA], dtype=np.float64),
        float(row["threshold_sigma"]),
        is_true=judged.is_true,
    )
    report.add_figure(
        figure,
        f"Scores of all peaks in {name}. The threshold is where noise with the tomogram's spectrum "
        "is expected to give one false pick.",
    )


def _add_average(report: Report, findings: Findings) -> None:
    """Show the average, the truth beside it, and the resolution."""
    report.add_section("Average")
    folders = findings.folders
    average = read_volume(folders.average / "average.mrc")
    density = read_volume(folders.simulation / "truth" / "densities" / f"{TARGET}.mrc").load()
    data = average.load()
    truth = in_box(torch.from_numpy(density), len(data)).numpy()
    report.add_figure(
        slices_figure(data, average.pixel_size),
        "The average, low-pass filtered at its resolution; protein is bright.",
    )
    report.add_figure(
        draw_beside_truth(data, truth, average.pixel_size),
        "Central slices of the average and of the density that was simulated.",
    )
    caption = (
        "Fourier shell correlation: the half maps against each other and the average against the "
        "truth, each under a mask and corrected for it by phase randomisation."
    )
    if findings.control is not None:
        caption += (
            " Noise alone, picked and averaged the same way, stays at or below "
            f"{beyond_template(findings.control):.3f} beyond the template's low-pass."
        )
    report.add_figure(
        draw_correlations(findings.halves, findings.density, findings.control, TEMPLATE_LOW_PASS),
        caption,
    )


def _add_settings(report: Report, settings: DemoSettings, seconds: Mapping[str, float]) -> None:
    """Tabulate settings and times."""
    report.add_section("Settings and times")
    words = {"None": "not given", "True": "yes", "False": "no"}
    rows = [
        [name, words.get(str(value), str(value))]
        for name, value in settings.model_dump(mode="json").items()
    ]
    report.add_table(rows, ["setting", "value"], "Each step's own settings are in its job.json.")
    times = [[name, float(value)] for name, value in seconds.items()]
    report.add_table(times, ["step", "seconds"])
