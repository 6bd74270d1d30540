"""The tables that an extraction of stacks writes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.extraction.stacks.plan import Portion, StackExtraction
from subtomo.extraction.stacks.settings import StackSettings
from subtomo.sources.output_tables import (
    OutputOptions,
    extraction_tables,
    write_extraction_tables,
)


def write_tables(
    plan: StackExtraction, finished: Iterable[Portion], settings: StackSettings
) -> None:
    """Write ``particles.star`` and ``optimisation_set.star`` in the output folder.

    Parameters
    ----------
    plan : what was to be extracted
    finished : the portions that were
    settings : of the command
    """
    folder = settings.output_dir.expanduser()
    options = OutputOptions(
        binning=settings.bin,
        image_size=settings.final_size,
        is_premultiplied=settings.premultiply_ctf,
        dimension=3 if settings.pseudo_subtomograms else 2,
        apply_offsets=settings.apply_offsets,
        apply_orientations=settings.apply_orientations,
    )
    tables = extraction_tables(
        plan.project,
        plan.poses,
        [row for portion in finished for row in portion.rows.tolist()],
        options,
        **_files(plan, folder.as_posix(), settings),
    )
    write_extraction_tables(folder, plan.project, tables)


def _files(plan: StackExtraction, folder: str, settings: StackSettings) -> dict[str, Any]:
    """Name the files from the working directory, as RELION does; of images, say the tilts."""

    def named(ending: str) -> NDArray[np.str_]:
        return np.array([f"{folder}/{name}{ending}" for name in plan.names.tolist()])

    if settings.pseudo_subtomograms:
        return {"image_names": named("_data.mrc"), "ctf_names": named("_weights.mrc")}
    return {"image_names": named("_stack2d.mrcs"), "visible": plan.visible}
