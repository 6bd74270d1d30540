"""What an alignment writes: maps of each class, and the tables of particles."""

from pathlib import Path

import numpy as np

from subtomo.averaging.inputs import AverageInputs
from subtomo.averaging.reconstruction.postprocess import (
    Postprocessed,
    postprocess_measured,
    write_postprocessed,
)
from subtomo.averaging.reconstruction.resolution import HalfMapResolution
from subtomo.averaging.reference import HalfMaps
from subtomo.averaging.refinement.rounds import RoundResult
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.averaging.resolution import resolution_of
from subtomo.formats.particles import write_particles
from subtomo.formats.subtomograms import (
    BOX_CENTRE,
    box_centres,
    frames_of_table,
    with_files_named_from,
)
from subtomo.model import Particles

SCORE = "subtomoAlignmentScore"
"""Column with the correlation coefficient of a particle with its half's reference."""
PROBABILITY = "subtomoClassProbability"
"""Column with the probability of a particle's class, where there are several."""
CLASS_NUMBER = "rlnClassNumber"
"""Column with the number of a particle's class, from 1, where there are several."""


def class_names(settings: AlignSettings) -> list[str]:
    """Name the classes: after their references, or by number.

    Parameters
    ----------
    settings : of the command
    """
    numbered = [f"class{number}" for number in range(1, settings.n_classes + 1)]
    stems = [path.stem for path in settings.reference]
    return stems if len(set(stems)) == settings.n_classes > 1 else numbered


def class_folder(folder: Path, settings: AlignSettings, which: int) -> Path:
    """Name the folder of a class: the job's own where there is only one.

    Parameters
    ----------
    folder : of the job
    settings : of the command
    which : class, from 0
    """
    return folder if settings.n_classes == 1 else folder / class_names(settings)[which]


def sharpen_and_write(
    folder: Path, maps: HalfMaps, pixel_size: float, settings: AlignSettings
) -> Postprocessed:
    """Sharpen the average, measure it locally, and write what came of it.

    Parameters
    ----------
    folder : where
    maps : of one class
    pixel_size : Å
    settings : of the command
    """
    found = HalfMapResolution(maps.mask, maps.curves, resolution_of(maps.curves))
    result = postprocess_measured(found, *maps.halves, maps.whole, pixel_size, settings)
    write_postprocessed(folder, result, pixel_size)
    return result


def aligned_particles(
    inputs: AverageInputs, result: RoundResult, settings: AlignSettings
) -> Particles:
    """Give the particles their poses in their likeliest class; their boxes stay where they are.

    Parameters
    ----------
    inputs : the particles
    result : of the last round
    settings : of the command

    Returns
    -------
    Particles, in the order of the table; duplicates among them
    """
    particles, poses = inputs.particles, result.poses
    best = poses.of_best()
    extra = dict(particles.extra)
    extra |= dict(zip(BOX_CENTRE, box_centres(particles).T.copy(), strict=True))
    extra[SCORE] = np.round(best.score, 6)
    columns = {}
    if settings.n_classes > 1:
        extra[PROBABILITY] = np.round(poses.probability.max(axis=1), 4)
        extra[CLASS_NUMBER] = poses.best + 1
        columns["class_name"] = np.array(class_names(settings))[poses.best]
    position = particles.position + best.shift_px * inputs.box.pixel_size
    return particles.with_columns(
        position=position, orientation=best.orientation, extra=extra, **columns
    )


def write_tables(folder: Path, particles: Particles, result: RoundResult, table: Path) -> None:
    """Write the particles, and those that were left out, their files named from the folder.

    Parameters
    ----------
    folder : of the job
    particles : all of them, aligned
    result : of the last round
    table : that they were read from
    """
    chosen = {"particles": result.is_kept}
    if not result.is_kept.all():
        chosen["duplicates"] = ~result.is_kept
    for name, rows in chosen.items():
        path = folder / f"{name}.star"
        named = with_files_named_from(particles.select(rows), table, path)
        write_particles(path, named, frames_of_table(table))
