"""The command ``subtomo reconstruct`` from tilt series, whatever their source."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.reconstruction.ending import finish_reconstruction
from subtomo.averaging.reconstruction.group_sums import GroupTask, PortionTask
from subtomo.averaging.reconstruction.groups import Portion
from subtomo.averaging.reconstruction.items import back_project_group
from subtomo.averaging.reconstruction.maps import MapOptions
from subtomo.averaging.reconstruction.plan import Reconstruction, plan_reconstruction, sum_bytes
from subtomo.averaging.reconstruction.report import ReconstructedParticles
from subtomo.averaging.reconstruction.settings import ReconstructionSettings
from subtomo.averaging.reconstruction.stages import (
    TEMPORARY,
    MapPlan,
    add_up_and_write,
    remove_sums,
)
from subtomo.counts import count_of
from subtomo.formats.atomic import replacing
from subtomo.jobs.content import content_digest
from subtomo.signal.device import compute_device
from subtomo.sources.optics_aberrations import optics_aberrations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: ReconstructionSettings, job: "Job") -> Path:
    """Reconstruct maps from tilt series.

    Parameters
    ----------
    settings : of the command
    job : its folder, ledger and executor

    Returns
    -------
    Path of ``merged.mrc``

    Raises
    ------
    SubtomoError
        Where the input cannot be used, before anything is written.
    """
    plan = plan_reconstruction(settings)
    device = compute_device(settings.device)
    names = [f"group {number}" for number in range(1, len(plan.groups) + 1)]
    n_bytes = _bytes_needed(plan, settings)
    particles = ReconstructedParticles(
        orientation=plan.poses.orientation,
        half=plan.poses.half,
        n_tomograms=len({portion.tomogram for group in plan.groups for portion in group}),
        n_images=plan.n_images,
        box_size=settings.box_size,
    )
    job.log(particles.summary)
    if plan.n_unseen:
        job.warn(f"{count_of(plan.n_unseen, 'particle')} left out: visible on no image")
    for name, error in plan.project.skipped.items():
        job.leave_out("open", name, error)
    inputs = plan.project.files_read()
    with job.start([*names, "maps"], inputs=inputs, bytes_needed=n_bytes):
        folder = job.folder / TEMPORARY
        if not settings.resume:
            remove_sums(folder)
        payloads = dict(zip(names, _payloads(plan, settings, folder, device), strict=True))
        maps = MapPlan(
            pixel_size=plan.pixel_size * settings.bin,
            operations=plan.operations,
            options=MapOptions(
                crop_size=settings.crop_size,
                taper_px=settings.taper,
                snr=settings.snr,
                first_half_weight=settings.relion_compatible,
            ),
            keep_volumes=settings.keep_volumes,
        )
        add_up_and_write(job, back_project_group, payloads, maps)
        return finish_reconstruction(job, particles, settings, plan.mask)


def _bytes_needed(plan: Reconstruction, settings: ReconstructionSettings) -> float:
    """Estimate what the sums of the groups take, and the maps."""
    n_halves = len(plan.halves)
    maps = 4.0 * settings.box_size**3 * (n_halves + 1) * (4 if settings.keep_volumes else 2)
    return len(plan.groups) * sum_bytes(settings.box_size, n_halves) + maps


def _payloads(
    plan: Reconstruction, settings: ReconstructionSettings, folder: Path, device: str
) -> Iterator[dict[str, Any]]:
    """Give each group what it needs of the tables; the particles in files."""
    aberrations = optics_aberrations(
        plan.project.optics, magnification=settings.anisotropic_magnification
    )
    for number, group in enumerate(plan.groups, start=1):
        tasks, contents = [], []
        for index, portion in enumerate(group, start=1):
            path = folder / f"particles_{number}_{index}.npz"
            particles = _particles(plan, portion)
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **particles)
            payload = {
                "tilt_series": plan.project.tilt_series[portion.tomogram],
                "aberrations": aberrations[portion.optics_row],
            }
            contents.append([payload, particles])
            payload = {**payload, "particles": path}
            tasks.append(PortionTask(portion.tomogram, len(portion.rows), payload))
        task = GroupTask(
            path=folder / f"sums_{number}_{content_digest(contents)}.npz",
            halves=plan.halves,
            box_size=settings.box_size,
            device=device,
            portions=tasks,
            backup=settings.backup,
        )
        yield {"settings": settings, "pixel_size": plan.pixel_size, "task": task}


def _particles(plan: Reconstruction, portion: Portion) -> dict[str, NDArray[Any]]:
    """Give what an item must know of its particles."""
    rows = portion.rows
    pixel_size = plan.project.tilt_series[portion.tomogram].pixel_size
    arrays = {
        "positions": plan.poses.position_px[rows] * pixel_size,
        "orientations": plan.poses.orientation[rows],
        "halves": plan.poses.half[rows],
        "numbers": plan.numbers[rows],
    }
    trajectories = plan.project.trajectories_of(rows)
    if trajectories is not None:
        arrays["trajectories"] = trajectories
    return arrays
