"""The commands ``subtomo portal export`` and ``subtomo portal export-copick``."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subtomo.counts import count_of, size_of
from subtomo.formats.relion_star import write_relion_star
from subtomo.formats.star import StarTable
from subtomo.formats.tilt_images import split_image_name
from subtomo.jobs.content import content_digest
from subtomo.sources.copick.portal_project import open_copick_portal_project
from subtomo.sources.generated_tables import stack_names, write_tomogram_tables
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.portal.project import open_portal_project
from subtomo.workflows.portal_export.settings import (
    ExportCopickSettings,
    ExportPortalSettings,
)
from subtomo.workflows.portal_export.stacks import copy_stack

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

PARTICLES_FILE = "particles.star"
OPTIMISATION_SET_FILE = "optimisation_set.star"


def run(settings: ExportPortalSettings | ExportCopickSettings, job: "Job") -> Path:
    """Write a RELION project that needs the portal no more.

    Parameters
    ----------
    settings : of the command
    job : its folder, ledger and executor

    Returns
    -------
    Path of ``optimisation_set.star``

    Raises
    ------
    SubtomoError
        Where nothing can be used, before anything is written.
    """
    project = _open(settings)
    stacks = {} if settings.stars_only else _payloads(project, job.folder)
    n_bytes = sum(payload["n_bytes"] for payload in stacks.values())
    items = list(stacks) or list(project.tilt_series)
    particles = count_of(len(project), "particle")
    tomograms = count_of(len(project.tilt_series), "tomogram")
    size = f", {size_of(n_bytes)} of images" if stacks else ""
    job.log(f"{particles} of {tomograms}{size}")
    for name, error in project.skipped.items():
        job.leave_out("open", name, error)
    with job.start(items, bytes_needed=n_bytes):
        if stacks:
            done = job.map(
                "copy",
                copy_stack,
                stacks,
                contents={name: content_digest(one["address"]) for name, one in stacks.items()},
                outputs={name: [one["path"]] for name, one in stacks.items()},
            )
            project = _with_stacks(project, done)
        path = _write_tables(project, job.folder, with_addresses=settings.stars_only)
        job.log(f"project of {count_of(len(project), 'particle')}: {job.shown(path)}")
    return path


def _open(settings: ExportPortalSettings | ExportCopickSettings) -> ParticleProject:
    """Read what the portal has; MRC files are copied rather than OME-Zarr images."""
    wanted = {"need_ctf": settings.ctf, "prefer_mrc": not settings.stars_only}
    if isinstance(settings, ExportPortalSettings):
        return open_portal_project(settings, **wanted)
    return open_copick_portal_project(settings, **wanted)


def _payloads(project: ParticleProject, folder: Path) -> dict[str, dict[str, Any]]:
    """Give each stack where it is and where it goes; tomograms may share one."""
    payloads = {}
    for name, path in stack_names(project).items():
        series = project.tilt_series[name]
        indices = [split_image_name(image)[0] for image in series.image_names]
        width, height = series.image_size_px or (0, 0)
        payloads[path.stem] = {
            "address": split_image_name(series.image_names[0])[1],
            "path": folder / path,
            "pixel_size": series.pixel_size,
            "n_bytes": 4.0 * (max(indices) + 1) * width * height,
        }
    return payloads


def _with_stacks(project: ParticleProject, done: Collection[str]) -> ParticleProject:
    """Keep the tomograms whose stacks are there."""
    kept = {name for name, path in stack_names(project).items() if path.stem in done}
    is_kept = np.isin(project.tomogram, list(kept))
    return replace(
        project,
        particles=project.particles.select(is_kept),
        tilt_series={name: one for name, one in project.tilt_series.items() if name in kept},
    )


def _write_tables(project: ParticleProject, folder: Path, *, with_addresses: bool) -> Path:
    """Write all tables; names in them start in the folder."""
    tomograms = write_tomogram_tables(folder, project, called="", with_addresses=with_addresses)
    blocks = {"optics": project.optics, "particles": project.particles}
    write_relion_star(folder / PARTICLES_FILE, blocks)
    files = {"rlnTomoParticlesFile": PARTICLES_FILE, "rlnTomoTomogramsFile": tomograms}
    columns = {tag: np.array([name]) for tag, name in files.items()}
    path = folder / OPTIMISATION_SET_FILE
    write_relion_star(path, {"": StarTable(columns, is_loop=False)})
    return path
