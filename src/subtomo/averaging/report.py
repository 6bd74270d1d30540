"""The report of an average."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtomo.averaging.alignment import Poses
from subtomo.averaging.figures import fsc_figure, orientations_figure, slices_figure
from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.reference import HalfMaps
from subtomo.averaging.resolution import resolution_of
from subtomo.counts import count_of
from subtomo.geometry.rotations import angular_distance
from subtomo.model import Particles
from subtomo.report import Report
from subtomo.signal.filters import apply_filter, bandpass


@dataclass(frozen=True, eq=False)
class RoundSummary:
    """What a round came to.

    Parameters
    ----------
    name : of the round
    resolution : Å
    poses : of all particles after it
    """

    name: str
    resolution: float
    poses: Poses


def write_report(
    path: Path,
    inputs: AverageInputs,
    particles: Particles,
    maps: HalfMaps,
    rounds: Sequence[RoundSummary],
    mask_in_words: str,
) -> None:
    """Write slices, projections, resolution, views and rounds of an average.

    Parameters
    ----------
    path : the HTML file
    inputs : the particles before
    particles : after
    maps : of the last round
    rounds : all of them, the average with the given poses first
    mask_in_words : which mask the resolution is measured under
    """
    box, resolution = inputs.box, resolution_of(maps.curves)
    low_pass = bandpass((box.size,) * 3, box.pixel_size, low_pass=resolution)
    counts = [int((particles.half == half).sum()) for half in (1, 2)]
    report = Report(
        "Average",
        f"{count_of(len(particles), 'particle')} of "
        f"{count_of(len(np.unique(particles.tomogram)), 'tomogram')} "
        f"(halves of {counts[0]} and {counts[1]}), {resolution:.1f} Å at FSC 0.143.",
    )
    report.add_section("Average")
    average = apply_filter(maps.whole, low_pass).numpy()
    report.add_figure(
        slices_figure(average, box.pixel_size),
        f"The average, low-pass filtered at {resolution:.1f} Å; protein is bright.",
    )
    report.add_section("Resolution")
    report.add_figure(
        fsc_figure(maps.curves),
        "Half maps against each other, corrected for the mask by phase randomisation; "
        f"{mask_in_words}.",
    )
    report.add_section("Particles")
    report.add_figure(
        orientations_figure(particles.orientation),
        "Where the beam of the untilted image came from, as the particle sees it.",
    )
    if len(rounds) > 1:
        report.add_section("Rounds")
        report.add_table(
            _rows(inputs, rounds),
            ["round", "resolution (Å)", "median turn (°)", "median shift (Å)", "median score"],
            "Turns and shifts from the poses of the table.",
        )
    report.write(path)


def _rows(inputs: AverageInputs, rounds: Sequence[RoundSummary]) -> list[list[object]]:
    """One row a round."""
    rows: list[list[object]] = []
    for one in rounds:
        turn = angular_distance(one.poses.orientation, inputs.particles.orientation)
        shift = np.linalg.norm(one.poses.shift_px, axis=1) * inputs.box.pixel_size
        has_score = np.isfinite(one.poses.score).all()
        score = float(np.median(one.poses.score)) if has_score else ""
        rows.append(
            [one.name, one.resolution, float(np.median(turn)), float(np.median(shift)), score]
        )
    return rows
