"""The command ``subtomo reconstruct stacks``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.averaging.reconstruction.groups import Portion
from subtomo.averaging.reconstruction.report import ReconstructedParticles
from subtomo.averaging.reconstruction.stacks_handedness import (
    contradicts,
    handedness_evidence,
)
from subtomo.averaging.reconstruction.stacks_items import back_project_stacks
from subtomo.averaging.reconstruction.stacks_plan import StackReconstruction, plan_stacks
from subtomo.averaging.reconstruction.stacks_portion import StackPortion
from subtomo.averaging.reconstruction.stacks_settings import ReconstructStacksSettings
from subtomo.averaging.reconstruction.work import Work, reconstruct
from subtomo.signal.device import compute_device
from subtomo.sources.optics_aberrations import optics_aberrations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: ReconstructStacksSettings, job: "Job") -> Path:
    """Reconstruct maps from stacks of extracted images.

    Returns
    -------
    Path of ``merged.mrc``
    """
    plan = plan_stacks(settings)
    device = compute_device(settings.device)
    work = _work(plan, settings)
    job.log(work.particles.summary)
    for doubt in work.particles.notes:
        job.warn(doubt)
    return reconstruct(job, settings, work, _inputs(settings, plan), device)


def _inputs(settings: ReconstructStacksSettings, plan: StackReconstruction) -> list[Path]:
    """Name the tables that are read."""
    project = plan.stacks.project
    tables = (settings.particles, Path(project.particles.source), Path(project.tomograms_file))
    return list(dict.fromkeys(path.absolute() for path in tables))


def _doubts_on_handedness(plan: StackReconstruction) -> list[str]:
    """Say so where the images were made with another handedness than is taken now."""
    portions = [portion for group in plan.groups for portion in group]
    evidence = handedness_evidence(plan.stacks, portions)
    if not contradicts(evidence):
        return []
    tilt_series = plan.stacks.project.tilt_series
    signs = {-tilt_series[portion.tomogram].handedness for portion in portions}
    advice = f"give --handedness {signs.pop()}" if len(signs) == 1 else "change rlnTomoHand"
    text = (
        f"{int((evidence < 0).sum())} of {len(evidence)} particles looked at were multiplied by "
        "CTFs of the other handedness: their defocus changes with height the other way round than "
        f"rlnTomoHand and the projections of the tilt series say; {advice}"
    )
    return [text]


def _work(plan: StackReconstruction, settings: ReconstructStacksSettings) -> Work:
    """Say what is done with the particles of the plan."""
    stacks = plan.stacks
    aberrations = optics_aberrations(stacks.project.optics, magnification=False)

    def prepare(portion: Portion, path: Path) -> tuple[StackPortion, Any]:
        rows = portion.rows
        payload = StackPortion(
            path=path,
            tilt_series=stacks.project.tilt_series[portion.tomogram],
            aberrations=aberrations[portion.optics_row],
            is_premultiplied=bool(stacks.is_premultiplied[rows[0]]),
            box_size=stacks.box_size,
            pixel_size=stacks.pixel_size,
        )
        of_series = stacks.of_series(portion.tomogram, rows)
        payload.write(of_series, plan.half[rows])
        return payload, [replace(payload, path=Path()), of_series, plan.half[rows]]

    return Work(
        particles=ReconstructedParticles(
            orientation=stacks.poses.orientation,
            half=plan.half,
            tomogram=stacks.project.tomogram,
            n_images=stacks.image_count,
            box_size=stacks.box_size,
            notes=_doubts_on_handedness(plan),
        ),
        groups=plan.groups,
        halves=plan.halves,
        pixel_size=stacks.pixel_size,
        operations=plan.operations,
        mask=plan.mask,
        item=back_project_stacks,
        shared={"settings": settings},
        prepare=prepare,
    )
