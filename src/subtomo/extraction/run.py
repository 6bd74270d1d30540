"""The command ``subtomo extract volumes``."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.extraction.items import box_name, extract_tomogram, output_files, transfer_name
from subtomo.extraction.plan import Extraction, plan_extraction
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import write_particles
from subtomo.formats.subtomograms import BOX_CENTRE, IMAGE, ROTATED, TRANSFER
from subtomo.model import Particles

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: ExtractVolumesSettings, job: "Job") -> Path:
    """Cut subtomograms; write them, their transfer functions and ``particles.star``.

    Parameters
    ----------
    settings : of the command
    job : its folder, ledger and executor

    Returns
    -------
    Path of ``particles.star``

    Raises
    ------
    SubtomoError
        Where the input cannot be used, before anything is written.
    """
    plan = plan_extraction(settings)
    numbers = _numbers(plan)
    payloads = {
        name: {
            "settings": settings,
            "folder": job.folder,
            "tomogram": name,
            "box_size": plan.box_size,
            "is_weighted": plan.is_weighted,
            "numbers": [int(numbers[row]) for row in rows],
            "positions": plan.particles.position[rows],
            "orientations": plan.particles.orientation[rows],
        }
        for name, rows in plan.rows.items()
    }
    n_boxes = sum(len(rows) for rows in plan.rows.values())
    inputs = [settings.particles, *(path for path in settings.tomograms if path.is_file())]
    with job.start(list(payloads), inputs=inputs, bytes_needed=4.0 * plan.box_size**3 * n_boxes):
        _say_plan(job, plan, settings)
        outputs = {name: output_files(payload) for name, payload in payloads.items()}
        results = job.map("extract", extract_tomogram, payloads, outputs=outputs)
        path = job.folder / "particles.star"
        table = _table(plan, numbers, results, settings)
        write_particles(path, table, {name: t.frame for name, t in plan.tomograms.items()})
        job.log(
            f"{count_of(len(table), 'subtomogram')} of {plan.box_size} voxels: {job.shown(path)}"
        )
    return path


def _numbers(plan: Extraction) -> NDArray[np.int64]:
    """Count the particles of each tomogram from 1, in the order of the table: (n,)."""
    numbers = np.zeros(len(plan.particles), dtype=np.int64)
    for name in np.unique(plan.particles.tomogram):
        mine = np.flatnonzero(plan.particles.tomogram == name)
        numbers[mine] = np.arange(1, len(mine) + 1)
    return numbers


def _say_plan(job: "Job", plan: Extraction, settings: ExtractVolumesSettings) -> None:
    """Say what is left out, filled up, and not known."""
    if plan.unknown:
        job.warn(f"{plan.unknown} particles are of tomograms that were not given: left out")
    if plan.outside:
        reason = "reach beyond" if settings.border == "skip" else "lie wholly outside"
        job.warn(f"{plan.outside} particles left out: their boxes {reason} their tomograms")
    if plan.padded:
        job.log(f"{plan.padded} boxes reach beyond their tomograms and are filled with their mean")
    unweighted = [name for name in plan.rows if plan.weightings[name] == "none"]
    if unweighted:
        job.warn(
            f"{len(unweighted)} tomograms have neither a tilt series nor --tilt-range: their boxes "
            "get no transfer function, and averages will not be corrected for the missing wedge"
        )


def _table(
    plan: Extraction,
    numbers: NDArray[np.int64],
    done: Iterable[str],
    settings: ExtractVolumesSettings,
) -> Particles:
    """Make the table of the particles that have a box, in the order of the input."""
    rows = np.sort(np.concatenate([plan.rows[name] for name in done]))
    kept = plan.particles.select(rows)
    names = kept.tomogram.tolist()
    extra = dict(kept.extra)
    extra[IMAGE] = np.array(
        [box_name(name, int(numbers[row])) for name, row in zip(names, rows, strict=True)]
    )
    extra.pop(TRANSFER, None)
    if plan.is_weighted:
        extra[TRANSFER] = np.array([transfer_name(name) for name in names])
    extra |= dict(zip(BOX_CENTRE, kept.position.T.copy(), strict=True))
    extra[ROTATED] = np.full(len(kept), int(settings.rotate))
    return kept.with_columns(box_size=np.full(len(kept), plan.box_size), extra=extra)
