"""The tables that go with boxes: of the particles that have one, and of those left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.extraction.items import transfer_name
from subtomo.extraction.plan import Extraction
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import write_particles
from subtomo.formats.subtomograms import (
    BOX_CENTRE,
    DROP_REASON,
    IMAGE,
    PADDED,
    ROTATED,
    TRANSFER,
)
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles
from subtomo.signal.boxes import box_centres


def extracted_table(
    plan: Extraction, boxes: Mapping[str, Sequence[str]], settings: ExtractVolumesSettings
) -> Particles:
    """Make the table of the particles that have a box, in the order of the input.

    Parameters
    ----------
    plan : of the extraction
    boxes : names of the boxes, by tomogram, of those tomograms that are done
    settings : of the command
    """
    names = np.full(len(plan.particles), "", dtype=object)
    for tomogram, of_tomogram in boxes.items():
        names[plan.rows[tomogram]] = of_tomogram
    rows = np.flatnonzero(names != "")
    kept = plan.particles.select(rows)
    extra = {**kept.extra, IMAGE: names[rows].astype(np.str_)}
    extra.pop(TRANSFER, None)
    if plan.is_weighted:
        files = [transfer_name(name) for name in kept.tomogram.tolist()]
        extra[TRANSFER] = np.array(files, dtype=np.str_)
    centres = _centres(plan, kept, is_exact=settings.subvoxel == "exact")
    extra |= dict(zip(BOX_CENTRE, centres.T.copy(), strict=True))
    extra[ROTATED] = np.full(len(kept), int(settings.rotate))
    extra[PADDED] = plan.is_padded[rows].astype(np.int64)
    return kept.with_columns(box_size=np.full(len(kept), plan.box_size), extra=extra)


def write_tables(folder: Path, table: Particles, plan: Extraction) -> Path:
    """Write ``particles.star``, ``particles.tbl`` of Dynamo, and ``dropped.csv`` with reasons.

    Parameters
    ----------
    folder : of the job
    table : of the particles that have a box
    plan : of the extraction

    Returns
    -------
    Path of ``particles.star``
    """
    context = TableContext.of(plan.tomograms.values())
    path = folder / "particles.star"
    write_particles(path, table, context=context)
    write_particles(path.with_suffix(".tbl"), table, context=context)
    rows = np.flatnonzero(plan.reasons != "")
    dropped_path = folder / "dropped.csv"
    if len(rows):
        dropped = plan.particles.select(rows)
        extra = {**dropped.extra, "row": rows + 1, DROP_REASON: plan.reasons[rows]}
        write_particles(dropped_path, dropped.with_columns(extra=extra))
    else:
        dropped_path.unlink(missing_ok=True)
    return path


def _centres(plan: Extraction, kept: Particles, *, is_exact: bool) -> NDArray[np.float64]:
    """Give the places (n, 3) Å of the boxes' voxels n // 2."""
    centres = kept.position.copy()
    for name in np.unique(kept.tomogram).tolist():
        mine = kept.tomogram == name
        volume = plan.tomograms[name].volume
        centres[mine] = box_centres(volume, kept.position[mine], is_exact=is_exact)
    return centres
