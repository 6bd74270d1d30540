"""The command ``subtomo reconstruct`` from tilt series, whatever their source."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.reconstruction.groups import Portion
from subtomo.averaging.reconstruction.items import back_project_group
from subtomo.averaging.reconstruction.plan import Reconstruction, plan_reconstruction
from subtomo.averaging.reconstruction.report import ReconstructedParticles
from subtomo.averaging.reconstruction.settings import ReconstructionSettings
from subtomo.averaging.reconstruction.work import Work, reconstruct
from subtomo.counts import count_of
from subtomo.formats.atomic import replacing
from subtomo.signal.device import compute_device
from subtomo.sources.optics_aberrations import optics_aberrations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: ReconstructionSettings, job: "Job") -> Path:
    """Reconstruct maps from tilt series.

    Returns
    -------
    Path of ``merged.mrc``
    """
    plan = plan_reconstruction(settings)
    device = compute_device(settings.device)
    work = _work(plan, settings)
    job.log(work.particles.summary)
    if plan.n_unseen:
        job.warn(f"{count_of(plan.n_unseen, 'particle')} left out: visible on no image")
    for name, error in plan.project.skipped.items():
        job.leave_out("open", name, error)
    return reconstruct(job, settings, work, plan.project.files_read(), device)


def _work(plan: Reconstruction, settings: ReconstructionSettings) -> Work:
    """Say what is done with the particles of the plan."""
    aberrations = optics_aberrations(
        plan.project.optics, magnification=settings.anisotropic_magnification
    )

    def prepare(portion: Portion, path: Path) -> tuple[dict[str, Any], Any]:
        particles = _particles(plan, portion)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **particles)
        payload = {
            "tilt_series": plan.project.tilt_series[portion.tomogram],
            "aberrations": aberrations[portion.optics_row],
        }
        return {**payload, "particles": path}, [payload, particles]

    return Work(
        particles=ReconstructedParticles(
            orientation=plan.poses.orientation,
            half=plan.poses.half,
            tomogram=plan.project.tomogram,
            n_images=plan.n_images,
            box_size=settings.box_size,
        ),
        groups=plan.groups,
        halves=plan.halves,
        pixel_size=plan.pixel_size * settings.bin,
        operations=plan.operations,
        mask=plan.mask,
        item=back_project_group,
        shared={"settings": settings, "pixel_size": plan.pixel_size},
        prepare=prepare,
        first_half_weight=settings.relion_compatible,
    )


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
