"""The command ``subtomo reconstruct stacks``."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.averaging.reconstruction.ending import finish_reconstruction
from subtomo.averaging.reconstruction.group_sums import GroupTask, PortionTask
from subtomo.averaging.reconstruction.groups import Portion
from subtomo.averaging.reconstruction.maps import MapOptions
from subtomo.averaging.reconstruction.plan import sum_bytes
from subtomo.averaging.reconstruction.report import ReconstructedParticles
from subtomo.averaging.reconstruction.stacks_handedness import (
    contradicts,
    handedness_evidence,
)
from subtomo.averaging.reconstruction.stacks_items import back_project_stacks
from subtomo.averaging.reconstruction.stacks_plan import StackReconstruction, plan_stacks
from subtomo.averaging.reconstruction.stacks_portion import StackPortion
from subtomo.averaging.reconstruction.stacks_settings import ReconstructStacksSettings
from subtomo.averaging.reconstruction.stages import (
    TEMPORARY,
    MapPlan,
    add_up_and_write,
    remove_sums,
)
from subtomo.jobs.content import content_digest
from subtomo.signal.device import compute_device
from subtomo.sources.optics_aberrations import optics_aberrations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: ReconstructStacksSettings, job: "Job") -> Path:
    """Reconstruct maps from stacks of extracted images.

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
    plan = plan_stacks(settings)
    device = compute_device(settings.device)
    names = [f"group {number}" for number in range(1, len(plan.groups) + 1)]
    inputs, n_bytes = _inputs(settings, plan), _bytes_needed(plan)
    particles = ReconstructedParticles(
        orientation=plan.stacks.poses.orientation,
        half=plan.half,
        n_tomograms=plan.n_tomograms,
        n_images=plan.stacks.image_count,
        box_size=plan.stacks.box_size,
        notes=_doubts_on_handedness(plan),
    )
    job.log(particles.summary)
    for doubt in particles.notes:
        job.warn(doubt)
    with job.start([*names, "maps"], inputs=inputs, bytes_needed=n_bytes):
        folder = job.folder / TEMPORARY
        if not settings.resume:
            remove_sums(folder)
        payloads = dict(zip(names, _payloads(plan, settings, folder, device), strict=True))
        maps = MapPlan(
            pixel_size=plan.stacks.pixel_size,
            operations=plan.operations,
            options=MapOptions(
                crop_size=settings.crop_size, taper_px=settings.taper, snr=settings.snr
            ),
            keep_volumes=settings.keep_volumes,
        )
        add_up_and_write(job, back_project_stacks, payloads, maps)
        return finish_reconstruction(job, particles, settings, plan.mask)


def _inputs(settings: ReconstructStacksSettings, plan: StackReconstruction) -> list[Path]:
    """Name the tables that are read."""
    project = plan.stacks.project
    tables = (settings.particles, Path(project.particles.source), Path(project.tomograms_file))
    return list(dict.fromkeys(path.absolute() for path in tables))


def _bytes_needed(plan: StackReconstruction) -> float:
    """Estimate what the sums of the groups take, and the maps."""
    size, n_halves = plan.stacks.box_size, len(plan.halves)
    return len(plan.groups) * sum_bytes(size, n_halves) + 4.0 * size**3 * (4 * n_halves + 8)


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


def _payloads(
    plan: StackReconstruction, settings: ReconstructStacksSettings, folder: Path, device: str
) -> Iterator[dict[str, Any]]:
    """Give each group what it needs of the tables; the particles in files."""
    aberrations = optics_aberrations(plan.stacks.project.optics, magnification=False)

    def task_of(portion: Portion, path: Path) -> tuple[PortionTask, str]:
        rows, stacks = portion.rows, plan.stacks
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
        content = [replace(payload, path=Path()), of_series, plan.half[rows]]
        return PortionTask(portion.tomogram, len(rows), payload), content_digest(content)

    for number, group in enumerate(plan.groups, start=1):
        portions, contents = zip(
            *(
                task_of(portion, folder / f"particles_{number}_{index}.npz")
                for index, portion in enumerate(group, start=1)
            ),
            strict=True,
        )
        task = GroupTask(
            path=folder / f"sums_{number}_{content_digest(contents)}.npz",
            halves=plan.halves,
            box_size=plan.stacks.box_size,
            device=device,
            portions=portions,
            backup=settings.backup,
        )
        yield {"settings": settings, "task": task}
