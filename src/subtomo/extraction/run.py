"""The command ``subtomo extract volumes``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.counts import count_of
from subtomo.extraction.items import box_names, extract_tomogram, output_files
from subtomo.extraction.messages import say_plan
from subtomo.extraction.plan import Extraction, plan_extraction
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.extraction.tables import extracted_table, write_tables
from subtomo.sources.tomograms import tomogram_files

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_WRITES = (
    "particles.star",
    "particles.tbl",
    "particles.doc",
    "dropped.csv",
    "subtomograms",
    "wedge",
)


def run(settings: ExtractVolumesSettings, job: "Job") -> Path:
    """Cut subtomograms; write them, their transfer functions and ``particles.star``.

    Returns
    -------
    Path of ``particles.star``
    """
    plan = plan_extraction(settings)
    payloads = _payloads(plan, settings, job)
    n_boxes = sum(len(rows) for rows in plan.rows.values())
    inputs = [settings.particles, *tomogram_files([*settings.tomograms, *settings.picked_in])]
    needed = 4.0 * plan.box_size**3 * n_boxes
    with job.start(list(payloads), inputs=inputs, bytes_needed=needed, writes=_WRITES):
        say_plan(job, plan, settings)
        outputs = {name: output_files(payload) for name, payload in payloads.items()}
        done = job.map("extract", extract_tomogram, payloads, outputs=outputs)
        boxes = {name: box_names(payloads[name]) for name in done}
        table = extracted_table(plan, boxes, settings)
        path = write_tables(job.folder, table, plan)
        job.log(
            f"{count_of(len(table), 'subtomogram')} of {plan.box_size} voxels: {job.shown(path)}"
        )
    return path


def _payloads(
    plan: Extraction, settings: ExtractVolumesSettings, job: "Job"
) -> dict[str, dict[str, Any]]:
    """Say for each tomogram what its item needs."""
    particles = plan.particles
    numbers = particles.number_in_tomogram
    return {
        name: {
            "settings": settings,
            "folder": job.folder,
            "tomogram": name,
            "box_size": plan.box_size,
            "is_weighted": plan.is_weighted,
            "numbers": numbers[rows].tolist(),
            "positions": particles.position[rows],
            "orientations": particles.orientation[rows],
            "is_oriented": particles.is_oriented[rows],
        }
        for name, rows in plan.rows.items()
    }
