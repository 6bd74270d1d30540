"""The command ``subtomo extract stacks``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.extraction.stacks.items import extract_portion
from subtomo.extraction.stacks.plan import (
    Portion,
    StackExtraction,
    plan_extraction,
)
from subtomo.extraction.stacks.settings import StackSettings
from subtomo.extraction.stacks.tables import hidden_from_relion, write_tables
from subtomo.jobs.content import content_digest
from subtomo.model import Aberrations
from subtomo.signal.device import compute_device
from subtomo.sources.optics_aberrations import optics_aberrations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: StackSettings, job: "Job") -> Path:
    """Cut particle images; write them, ``particles.star`` and ``optimisation_set.star``.

    Returns
    -------
    Path of ``particles.star``
    """
    compute_device(settings.device)
    plan = plan_extraction(settings)
    payloads = _payloads(plan, settings, job.folder)
    bytes_needed = _bytes_needed(plan, settings)
    _say_plan(job, plan, settings)
    inputs = plan.project.files_read()
    with job.start(
        list(payloads), inputs=inputs, bytes_needed=bytes_needed, writes=_tables_written(plan)
    ):
        results = job.map(
            "extract",
            extract_portion,
            payloads,
            contents=_contents(payloads),
            outputs=_outputs(payloads, settings),
        )
        finished = [plan.portions[item] for item in results]
        write_tables(plan, finished, settings)
        _warn_of_relion(job, plan)
    return job.folder / "particles.star"


def _payloads(
    plan: StackExtraction, settings: StackSettings, folder: Path
) -> dict[str, dict[str, Any]]:
    """Give each item what it needs of the tables."""
    aberrations = optics_aberrations(
        plan.project.optics, magnification=settings.anisotropic_magnification
    )
    _check_magnification(settings, aberrations)
    poses = plan.poses
    turns = poses.orientation if settings.apply_orientations else poses.subtomogram

    def payload(portion: Portion) -> dict[str, Any]:
        series = plan.project.tilt_series[portion.tomogram]
        return {
            "settings": settings,
            "folder": folder,
            "tilt_series": series,
            "aberrations": aberrations[portion.optics_row],
            "positions": plan.poses.position_px[portion.rows] * series.pixel_size,
            "trajectories": plan.project.trajectories_of(portion.rows),
            "names": plan.names[portion.rows].tolist(),
            "turns": turns[portion.rows],
        }

    return {item: payload(portion) for item, portion in plan.portions.items()}


def _check_magnification(settings: StackSettings, aberrations: list[Aberrations]) -> None:
    """Refuse to take frequencies from matrices where no factor depends on them."""
    acts = (
        settings.premultiply_ctf
        or settings.pseudo_subtomograms
        or any(any(group.odd) for group in aberrations)
    )
    if settings.anisotropic_magnification and not acts:
        raise SettingsError(
            "--anisotropic-magnification has no effect with --no-ctf where the optics groups have "
            "no odd aberrations (rlnOddZernike); leave one of them out"
        )


def _contents(payloads: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Say what each item is computed from, beside the settings."""
    return {
        item: content_digest({k: v for k, v in payload.items() if k not in ("settings", "folder")})
        for item, payload in payloads.items()
    }


def _outputs(payloads: dict[str, dict[str, Any]], settings: StackSettings) -> dict[str, list[Path]]:
    """List the files that each item writes."""
    return {
        item: [
            payload["folder"] / f"{name}{ending}"
            for name in payload["names"]
            for ending in settings.endings
        ]
        for item, payload in payloads.items()
    }


def _tables_written(plan: StackExtraction) -> list[str]:
    """Name the tables; the plan has looked whether an image that is read would be replaced."""
    tables = ["particles.star", "optimisation_set.star", "motion.star"]
    return [*tables, "tomograms.star", "tiltseries"] if plan.project.is_generated else tables


def _bytes_needed(plan: StackExtraction, settings: StackSettings) -> float:
    """Say about what the results take on disk."""
    size = settings.final_size
    if settings.pseudo_subtomograms:
        n_particles = sum(len(portion.rows) for portion in plan.portions.values())
        return 4.0 * size**3 * len(settings.endings) * n_particles
    return plan.image_count * size**2 * (2.0 if settings.float16 else 4.0)


def _say_plan(job: "Job", plan: StackExtraction, settings: StackSettings) -> None:
    """Say how much there is to do and what is left out."""
    n_kept = sum(len(portion.rows) for portion in plan.portions.values())
    n_tomograms = len({portion.tomogram for portion in plan.portions.values()})
    job.log(
        f"{count_of(n_kept, 'particle')} of {count_of(n_tomograms, 'tomogram')}, "
        f"{count_of(plan.image_count, 'image')}"
    )
    left_out = len(plan.visible) - n_kept
    if left_out:
        least = settings.min_frames
        few = "no image" if least == 1 else f"fewer than {least} images (--min-frames)"
        job.warn(f"{count_of(left_out, 'particle')} left out: visible on {few}")
    for name, error in plan.project.skipped.items():
        job.leave_out("open", name, error)


def _warn_of_relion(job: "Job", plan: StackExtraction) -> None:
    """Warn if RELION, which starts names at the working directory, would miss the tilt series."""
    if plan.project.is_generated:
        return
    tomograms = Path(plan.project.tomograms_file)
    hidden = hidden_from_relion(tomograms)
    if hidden is not None:
        job.warn(
            f"RELION would not find {hidden}, which {tomograms} names, from this folder; to go "
            "on with RELION, extract from the folder where that name starts"
        )
