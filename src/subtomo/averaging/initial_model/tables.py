"""The particles' table after the last alignment."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.initial_model.inputs import ModelInputs
from subtomo.averaging.initial_model.settings import InitialModelSettings
from subtomo.averaging.sums import ParticleSums
from subtomo.formats.particles import write_particles
from subtomo.formats.subtomograms import (
    BOX_CENTRE,
    IMAGE,
    ROTATED,
    TRANSFER,
    box_centres,
    frames_of_table,
    with_files_named_from,
)
from subtomo.model import Particles

SCORE = "subtomoAlignmentScore"
"""Column with the correlation coefficient of a particle with the model."""
CLASS = "rlnClassNumber"
"""Column with the number of the model, from 1."""


@dataclass(frozen=True, eq=False)
class AlignedRows:
    """What the last alignment came to.

    Parameters
    ----------
    classes : (n,) from 0
    orientations : (n, 4) quaternions, model to tomogram
    shifts_px : (n, 3) voxels of the boxes, x, y, z, from the positions
    scores : (n,)
    sums : of each class
    """

    classes: NDArray[np.int64]
    orientations: NDArray[np.float64]
    shifts_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    sums: list[ParticleSums]


def aligned_name(particles: Particles, row: int) -> str:
    """Name of a turned box, below the output folder."""
    number = int(particles.number_in_tomogram[row])
    return f"aligned/{particles.tomogram[row]}/{number:06d}.mrc"


def write_tables(
    folder: Path, inputs: ModelInputs, settings: InitialModelSettings, rows: AlignedRows
) -> None:
    """Write particles.star with the poses, and aligned.star with the turned boxes where asked.

    Parameters
    ----------
    folder : of the job
    inputs : the particles
    settings : of the command
    rows : the last alignment
    """
    particles = inputs.particles
    extra = dict(particles.extra)
    extra |= dict(zip(BOX_CENTRE, box_centres(particles).T.copy(), strict=True))
    extra[SCORE] = np.round(rows.scores, 6)
    if settings.classes > 1:
        extra[CLASS] = rows.classes + 1
    aligned = particles.with_columns(
        position=particles.position + rows.shifts_px * inputs.files.box.pixel_size,
        orientation=rows.orientations,
        extra=extra,
    )
    frames = frames_of_table(settings.particles)
    path = folder / "particles.star"
    write_particles(path, with_files_named_from(aligned, settings.particles, path), frames)
    if settings.return_aligned:
        names = [aligned_name(particles, row) for row in range(len(particles))]
        of_box = (TRANSFER, *BOX_CENTRE)
        of_turned = {name: one for name, one in extra.items() if name not in of_box}
        of_turned |= {IMAGE: np.array(names), ROTATED: np.ones(len(particles), dtype=np.int64)}
        write_particles(folder / "aligned.star", aligned.with_columns(extra=of_turned), frames)
