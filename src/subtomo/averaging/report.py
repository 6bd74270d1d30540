"""The report of an average."""

from pathlib import Path

import numpy as np

from subtomo.averaging.figures import fsc_figure, orientations_figure, slices_figure
from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.reference import HalfMaps
from subtomo.averaging.resolution import resolution_of
from subtomo.counts import count_of
from subtomo.model import Particles
from subtomo.report import Report
from subtomo.signal.filters import apply_filter, bandpass


def write_report(
    path: Path,
    inputs: AverageInputs,
    particles: Particles,
    maps: HalfMaps,
    mask_in_words: str,
) -> None:
    """Write slices, projections, resolution and views of an average.

    Parameters
    ----------
    path : the HTML file
    inputs : the particles before
    particles : after
    maps : of them
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
    report.write(path)
