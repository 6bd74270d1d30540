"""The command ``subtomo average``."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from subtomo.averaging.apply_alignment.run import run_apply_alignment
from subtomo.averaging.inputs import AverageInputs, check_search, read_inputs
from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.reference import HalfMaps
from subtomo.averaging.report import RoundSummary, write_report
from subtomo.averaging.resolution import resolution_of, write_curves
from subtomo.averaging.rounds import chunks_of, run_rounds
from subtomo.averaging.settings import AverageSettings
from subtomo.counts import count_of
from subtomo.errors import DataError
from subtomo.formats.particles import write_particles
from subtomo.formats.subtomograms import (
    BOX_CENTRE,
    box_centres,
    frames_of_table,
    with_files_named_from,
)
from subtomo.formats.volumes import write_volume
from subtomo.model import Particles, Volume
from subtomo.signal.device import compute_device
from subtomo.signal.filters import apply_filter, bandpass

if TYPE_CHECKING:
    from subtomo.averaging.alignment import Poses
    from subtomo.jobs.job import Job

SCORE = "subtomoAlignmentScore"
"""Column with the correlation coefficient of a particle with its half's reference."""


def run(settings: AverageSettings, job: "Job") -> Path:
    """Average subtomograms, aligning them first where asked, or turn them as the table says.

    Returns
    -------
    Path of ``average.mrc``
    """
    if settings.apply_alignment:
        return run_apply_alignment(settings, job)
    device = compute_device(settings.device)
    inputs = read_inputs(settings)
    if settings.align:
        check_search(inputs.box, settings.initial_low_pass, settings.max_shift)
    frames_of_table(settings.particles)
    stages = ["average", *(f"round_{i + 1}" for i in range(settings.rounds) if settings.align)]
    n_chunks = len(chunks_of(inputs))
    items = [f"{stage}, chunk {i + 1}" for stage in stages for i in range(n_chunks)]
    files = [settings.particles, *([settings.mask] if settings.mask else [])]
    starts_again = job.starts_again()
    with job.start(items, inputs=files, bytes_needed=60.0 * inputs.box.size**3 * n_chunks):
        rounds = job.folder / "rounds"  # one that is there counts as done
        stale = [rounds / f"{stage}.npz" for stage in stages if not settings.resume]
        for file in [*stale, *(rounds.rglob("*.npz") if starts_again else ())]:
            file.unlink(missing_ok=True)
        if inputs.transfers is None:
            job.warn(
                "the particles have no transfer functions (rlnCtfImage): the average is not "
                "corrected for the missing wedge"
            )
        summaries = []
        for name, poses, maps in run_rounds(job, inputs, settings, device):
            if not maps.whole.any():
                raise DataError(
                    f"{settings.particles}: the average is 0 everywhere; expected boxes and "
                    "transfer functions that are not: extract them again"
                )
            summaries.append(RoundSummary(name, resolution_of(maps.curves), poses))
            job.log(f"{name}: resolution {summaries[-1].resolution:.1f} Å (FSC 0.143)")
        measured_under = mask_in_words(settings, maps.mask)
        job.log(measured_under)
        particles = refined_particles(inputs, poses, settings)
        _write_maps(job.folder, inputs, maps)
        write_curves(job.folder / "fsc.csv", maps.curves)
        _write_table(job.folder / "particles.star", particles, settings)
        write_report(job.folder / "report.html", inputs, particles, maps, summaries, measured_under)
        path = job.folder / "average.mrc"
        job.log(f"average of {count_of(len(particles), 'particle')}: {job.shown(path)}")
    return path


def refined_particles(
    inputs: AverageInputs, poses: "Poses", settings: AverageSettings
) -> Particles:
    """Give the particles their refined poses; their boxes stay where they were cut.

    Parameters
    ----------
    inputs : the particles
    poses : after the last round
    settings : of the command

    Returns
    -------
    Particles, in the order of the table
    """
    particles = inputs.particles
    extra = dict(particles.extra)
    extra |= dict(zip(BOX_CENTRE, box_centres(particles).T.copy(), strict=True))
    if settings.align:
        extra[SCORE] = np.round(poses.score, 6)
    return particles.with_columns(
        position=particles.position + poses.shift_px * inputs.box.pixel_size,
        orientation=poses.orientation,
        extra=extra,
    )


def _write_table(path: Path, particles: Particles, settings: AverageSettings) -> None:
    """Write the particles, their files named from the new table's folder."""
    named = with_files_named_from(particles, settings.particles, path)
    write_particles(path, named, frames_of_table(settings.particles))


def _write_maps(folder: Path, inputs: AverageInputs, maps: HalfMaps) -> None:
    """Write half maps, the average as it is and low-passed at its resolution, and the mask."""
    box = inputs.box
    low_pass = bandpass((box.size,) * 3, box.pixel_size, low_pass=resolution_of(maps.curves))
    volumes = {
        "half1": maps.halves[0],
        "half2": maps.halves[1],
        "average_unfiltered": maps.whole,
        "average": apply_filter(maps.whole, low_pass),
        "mask": maps.mask,
    }
    for name, volume in volumes.items():
        write_volume(folder / f"{name}.mrc", Volume(volume.numpy(), box.pixel_size))
