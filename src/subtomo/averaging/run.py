"""The command ``subtomo average``."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from subtomo.averaging.apply_alignment.run import run_apply_alignment
from subtomo.averaging.inputs import (
    AverageInputs,
    empty_average,
    read_inputs,
    warn_without_transfers,
)
from subtomo.averaging.map_files import write_half_maps
from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.poses import ClassPoses
from subtomo.averaging.reference import make_maps
from subtomo.averaging.report import write_report
from subtomo.averaging.resolution import resolution_of, write_curves
from subtomo.averaging.settings import AverageSettings
from subtomo.averaging.stages import chunks_of, remove_stages, run_stage
from subtomo.counts import count_of
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

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_STAGE = "average"
_MASK_RESOLUTION = 60.0  # Å of the low-pass before a mask is made, and at most so many voxels
_COARSEST_MASK_PX = 8.0


def run(settings: AverageSettings, job: "Job") -> Path:
    """Average subtomograms with the poses of their table, or turn them as it says.

    Returns
    -------
    Path of ``average.mrc``
    """
    if settings.apply_alignment:
        return run_apply_alignment(settings, job)
    device = compute_device(settings.device)
    inputs = read_inputs(settings)
    frames_of_table(settings.particles)
    half = np.asarray(inputs.particles.half)
    n_chunks = len(chunks_of(half))
    items = [f"{_STAGE}, chunk {i + 1}" for i in range(n_chunks)]
    files = [settings.particles, *([settings.mask] if settings.mask else [])]
    starts_again = job.starts_again()
    with job.start(items, inputs=files, bytes_needed=60.0 * inputs.box.size**3 * n_chunks):
        if not settings.resume:
            remove_stages(job.folder, [_STAGE], all_of_them=starts_again)
        warn_without_transfers(job, inputs.transfers)
        return _average(job, inputs, settings, device)


def _average(job: "Job", inputs: AverageInputs, settings: AverageSettings, device: str) -> Path:
    """Add the particles up, and write maps, table and report."""
    box, half = inputs.box, np.asarray(inputs.particles.half)
    poses = ClassPoses.at(inputs.particles.orientation, np.ones((len(half), 1)))
    sums = run_stage(job, _STAGE, inputs, half, poses, None, device).sums[0]
    maps = make_maps(
        sums,
        box,
        inputs.symmetry,
        regularisation=settings.regularisation,
        mask=inputs.mask,
        mask_resolution=min(_MASK_RESOLUTION, _COARSEST_MASK_PX * box.pixel_size),
        wide_mask=True,
        seed=settings.seed,
    )
    if not maps.whole.any():
        raise empty_average(settings.particles)
    measured_under = mask_in_words(settings, maps.mask)
    job.log(f"resolution {resolution_of(maps.curves):.1f} Å (FSC 0.143); {measured_under}")
    write_half_maps(job.folder, maps, box.pixel_size)
    write_volume(job.folder / "mask.mrc", Volume(maps.mask.numpy(), box.pixel_size))
    write_curves(job.folder / "fsc.csv", maps.curves)
    particles = _averaged_particles(inputs)
    path = job.folder / "particles.star"
    named = with_files_named_from(particles, settings.particles, path)
    write_particles(path, named, frames_of_table(settings.particles))
    write_report(job.folder / "report.html", inputs, particles, maps, measured_under)
    path = job.folder / "average.mrc"
    job.log(f"average of {count_of(len(particles), 'particle')}: {job.shown(path)}")
    return path


def _averaged_particles(inputs: AverageInputs) -> Particles:
    """Give the particles with their halves and the places of their boxes."""
    particles = inputs.particles
    centres = dict(zip(BOX_CENTRE, box_centres(particles).T.copy(), strict=True))
    return particles.with_columns(extra={**particles.extra, **centres})
