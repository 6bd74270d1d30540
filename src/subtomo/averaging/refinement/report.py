"""The report of an alignment: what every round came to, and the maps of the last."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.angular_search import count_rotations
from subtomo.averaging.figures import fsc_figure, orientations_figure, slices_figure
from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.poses import Poses
from subtomo.averaging.reconstruction.figures import guinier_figure, sharpening_in_words
from subtomo.averaging.reconstruction.local_figure import local_resolution_figure
from subtomo.averaging.reconstruction.postprocess import Postprocessed
from subtomo.averaging.refinement.figures import changes_figure, curves_figure, scores_figure
from subtomo.averaging.refinement.results import class_names
from subtomo.averaging.refinement.rounds import RoundResult
from subtomo.averaging.refinement.schedule import angles_of_round
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.averaging.resolution import THRESHOLD, resolution_of
from subtomo.counts import count_of
from subtomo.geometry.rotations import angular_distance
from subtomo.report import Report
from subtomo.signal.filters import apply_filter, bandpass

_MOST_DIRECTIONS = 5000


def write_report(
    path: Path,
    inputs: AverageInputs,
    rounds: Sequence[RoundResult],
    sharpened: Sequence[Postprocessed | None],
    settings: AlignSettings,
) -> None:
    """Write what the rounds came to, and maps and resolution of each class.

    Parameters
    ----------
    path : the HTML file
    inputs : the particles before
    rounds : all of them, the average with the given poses first
    sharpened : of each class, what was made of its last maps; None where it is lost
    settings : of the command
    """
    last = rounds[-1]
    kept = last.is_kept
    counts = [int((inputs.particles.half[kept] == half).sum()) for half in (1, 2)]
    n_tomograms = len(np.unique(inputs.particles.tomogram[kept]))
    classes = f", {settings.n_classes} classes" if settings.n_classes > 1 else ""
    report = Report(
        "Alignment",
        f"{count_of(int(kept.sum()), 'particle')} of {count_of(n_tomograms, 'tomogram')} "
        f"(halves of {counts[0]} and {counts[1]}){classes}, {last.resolution:.1f} Å at FSC 0.143.",
    )
    _add_rounds(report, inputs, rounds, settings)
    for which, result in enumerate(sharpened):
        if result is not None:
            _add_class(report, inputs, last, which, result, settings)
    report.write(path)


def _add_rounds(
    report: Report,
    inputs: AverageInputs,
    rounds: Sequence[RoundResult],
    settings: AlignSettings,
) -> None:
    """Tabulate and draw the rounds."""
    report.add_section("Rounds")
    states = [given_poses(inputs), *(one.poses.of_best() for one in rounds[1:])]
    changes = [_changes(*pair, inputs) for pair in itertools.pairwise(states)]
    rows: list[list[object]] = [[rounds[0].name, _resolutions(rounds[0]), "", "", "", ""]]
    for number, (one, (turn, shift)) in enumerate(zip(rounds[1:], changes, strict=True), start=1):
        is_search = number <= settings.rounds
        rows.append(
            [
                one.name,
                _resolutions(one),
                count_rotations(angles_of_round(settings, number)) if is_search else "",
                float(np.median(turn)) if is_search else "",
                float(np.median(shift)) if is_search else "",
                float(np.median(one.poses.of_best().score)),
            ]
        )
    report.add_table(
        rows,
        [
            "round",
            "resolution (Å)",
            "rotations tried",
            "median turn (°)",
            "median shift (Å)",
            "median score",
        ],
        "Turns and shifts from the poses of the round before.",
    )
    searches = [one.name for one in rounds[1 : settings.rounds + 1]]
    report.add_figure(
        changes_figure(changes[: settings.rounds], searches),
        "How far particles turned and moved: median, and the half of them in the middle.",
    )
    if settings.n_classes == 1:
        curves = [(one.name, maps.curves) for one in rounds for maps in one.maps if maps]
        report.add_figure(
            curves_figure(curves, THRESHOLD),
            "Half maps against each other after each round; the last under a wider mask.",
        )
    names = np.array(class_names(settings))[rounds[-1].poses.best]
    report.add_figure(
        scores_figure(rounds[-1].poses.of_best().score, names),
        "Correlation of the particles with the reference of their half and class.",
    )


def _add_class(
    report: Report,
    inputs: AverageInputs,
    last: RoundResult,
    which: int,
    result: Postprocessed,
    settings: AlignSettings,
) -> None:
    """Show a class: its map, resolution and particles."""
    maps, pixel_size = last.maps[which], inputs.box.pixel_size
    assert maps is not None, "a class that has a sharpened map has one"
    mine = last.is_kept & (last.poses.best == which)
    name = class_names(settings)[which]
    size = float(last.poses.probability[last.is_kept, which].sum())
    title = "Average" if settings.n_classes == 1 else f"{name}: {size:.0f} particles"
    report.add_section(title)
    resolution = resolution_of(maps.curves)
    low_pass = bandpass(tuple(maps.whole.shape), pixel_size, low_pass=resolution)
    report.add_figure(
        slices_figure(apply_filter(maps.whole, low_pass).numpy(), pixel_size),
        f"average.mrc: low-pass filtered at {resolution:.1f} Å; protein is bright.",
    )
    report.add_figure(
        slices_figure(result.sharpened.numpy(), pixel_size),
        f"postprocess.mrc: {sharpening_in_words(result.b_factor)}, weighted by what the halves "
        f"agree on and low-passed at {result.low_pass:.1f} Å.",
    )
    report.add_figure(
        fsc_figure(maps.curves),
        "Half maps against each other, corrected for the mask by phase randomisation; "
        f"{mask_in_words(settings, maps.mask)}.",
    )
    if result.guinier.b_factor is not None:
        report.add_figure(
            guinier_figure(result.guinier, result.b_factor, resolution),
            "Amplitudes of the masked map, with the fitted line (guinier.csv).",
        )
    if result.local is not None:
        report.add_figure(
            local_resolution_figure(
                result.local.filtered.numpy(),
                result.local.resolution.numpy(),
                maps.mask.numpy(),
                pixel_size,
            ),
            "Resolution around every voxel, where there is density (locres.mrc): where the halves' "
            f"correlation in a Gaussian window {result.local.options.window:.0f} Å wide falls "
            f"below {result.local.options.threshold:g}.",
        )
    if mine.any():
        shown = last.poses.of_best().orientation[mine][:: -(-int(mine.sum()) // _MOST_DIRECTIONS)]
        report.add_figure(
            orientations_figure(shown),
            "Where the beam of the untilted image came from, as the particle sees it.",
        )


def given_poses(inputs: AverageInputs) -> Poses:
    """Poses as the table has them."""
    n = len(inputs.particles)
    return Poses(inputs.particles.orientation, np.zeros((n, 3)), np.full(n, np.nan))


def _changes(
    before: Poses, after: Poses, inputs: AverageInputs
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each particle turned (degrees) and moved (Å)."""
    moved = np.linalg.norm(after.shift_px - before.shift_px, axis=1) * inputs.box.pixel_size
    return angular_distance(before.orientation, after.orientation), moved


def _resolutions(result: RoundResult) -> str:
    """List the resolution of each class."""
    found = ("–" if one is None else f"{resolution_of(one.curves):.1f}" for one in result.maps)
    return ", ".join(found)
