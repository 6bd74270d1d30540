"""The tables that an extraction of stacks writes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.extraction.stacks.plan import Portion, StackExtraction
from subtomo.extraction.stacks.settings import StackSettings
from subtomo.formats.relion_tomograms import STAR_FILE
from subtomo.formats.star import read_star
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


def hidden_from_relion(tomograms_file: Path) -> str | None:
    """Name the first tilt-series file that RELION would not find from the working directory.

    Parameters
    ----------
    tomograms_file : the table that the optimisation set names

    Returns
    -------
    The file as the table names it; None if RELION finds all of them
    """
    table = next(iter(read_star(tomograms_file).values()))
    if STAR_FILE not in table:
        return None
    names = table.text(STAR_FILE).tolist()
    return next((name for name in names if not Path(name).exists()), None)
