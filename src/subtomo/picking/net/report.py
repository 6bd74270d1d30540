"""The reports of ``subtomo pick net train`` and ``subtomo pick net apply``."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from subtomo.model import Particles, Tomogram
from subtomo.picking.figures import draw_picks, draw_scores
from subtomo.picking.net.curve import Epoch
from subtomo.picking.net.figures import draw_course
from subtomo.picking.net.references import References
from subtomo.picking.net.saved_net import SavedNet
from subtomo.report import Report

_MOST_FIGURES = 4


def write_training_report(folder: Path, net: SavedNet, references: References) -> None:
    """Write ``report.html`` from the course in ``training.csv``.

    Parameters
    ----------
    folder : of the training
    net : its result
    references : what it learned from
    """
    epochs = read_curve(folder / "training.csv")
    report = Report("Training of a net", f"The {net.network} network, from a few picks.")
    report.add_section("Picks")
    rows = []
    for number, name in enumerate(("background", *references.class_names)):
        is_class = references.label == number
        held_out = int((is_class & references.is_held_out).sum())
        rows.append([name, int(is_class.sum()) - held_out, held_out])
    report.add_table(rows, columns=["class", "learned from", "held out"])
    report.add_section("Course")
    report.add_figure(draw_course(epochs), "Loss, and precision and recall of the picks held out.")
    report.add_table(
        [[name, value] for name, value in zip(net.class_names, net.thresholds, strict=True)],
        columns=["class", "threshold"],
    )
    report.write(folder / "report.html")


def read_curve(path: Path) -> list[Epoch]:
    """Read the course of a training."""
    with path.open(newline="") as file:
        rows = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
    return [Epoch(int(number), loss, precision, recall) for number, loss, precision, recall in rows]


def write_picks_report(
    path: Path,
    tomograms: Sequence[Tomogram],
    tables: Mapping[str, Particles],
    net: SavedNet,
) -> None:
    """Write where the picks are and how they score, as one page.

    Parameters
    ----------
    path : of the HTML file
    tomograms : that were scored
    tables : of picks, by tomogram
    net : that scored them
    """
    report = Report("Picks of a net", f"The {net.network} network.")
    report.add_section("Picks")
    report.add_table(
        [
            [name, *(int((table.class_name == kind).sum()) for kind in net.class_names)]
            for name, table in tables.items()
        ],
        columns=["tomogram", *net.class_names],
    )
    for tomogram in list(tomograms)[:_MOST_FIGURES]:
        table = tables.get(tomogram.name)
        if table is None or not len(table):
            continue
        report.add_section(tomogram.name)
        size = float(np.median(table.box_size)) * tomogram.volume.pixel_size / 1.5
        report.add_figure(
            draw_picks(tomogram.volume, table, diameter=size), "Slices with the picks in them."
        )
        for kind, threshold in zip(net.class_names, net.thresholds, strict=True):
            heights = table.score[table.class_name == kind]
            if len(heights) > 1:
                report.add_figure(
                    draw_scores(heights, threshold, title=kind), "Scores of the picks."
                )
    report.write(path)
