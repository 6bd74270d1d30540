"""The tables that an extraction of stacks writes."""

from collections.abc import Iterable

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
        apply_offsets=settings.apply_offsets,
        apply_orientations=settings.apply_orientations,
    )
    tables = extraction_tables(
        plan.project,
        plan.poses,
        [row for portion in finished for row in portion.rows.tolist()],
        options,
        image_names=_image_names(plan, folder.as_posix()),
        visible=plan.visible,
    )
    write_extraction_tables(folder, plan.project, tables)


def _image_names(plan: StackExtraction, folder: str) -> NDArray[np.str_]:
    """Name the images from the working directory, as RELION does."""
    return np.array([f"{folder}/{name}_stack2d.mrcs" for name in plan.names.tolist()])
