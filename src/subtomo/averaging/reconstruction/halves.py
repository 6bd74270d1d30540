"""The halves of a project's particles: in its table, or made here."""

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.halves import draw_halves
from subtomo.averaging.reconstruction.settings import MapSettings
from subtomo.errors import DataError, SettingsError, StarError
from subtomo.sources.particle_poses import HALF
from subtomo.sources.particle_project import ParticleProject


def choose_halves(
    project: ParticleProject, in_table: NDArray[np.int64], settings: MapSettings
) -> NDArray[np.int64]:
    """Give the half of each particle.

    Parameters
    ----------
    project : the particles
    in_table : (n,) their halves in the table, 0 for all where it has none
    settings : ``split`` says how

    Returns
    -------
    (n,) 1 or 2; 0 for all where the table has none and none were asked for

    Raises
    ------
    StarError
        If only some particles have a half in the table.
    DataError
        If one of the halves is empty.
    SettingsError
        If there are none, and an option acts on nothing but what halves are needed for.
    """
    if settings.split == "rows":
        half = np.arange(len(project)) % 2 + 1
    elif settings.split == "random":
        half = draw_halves(project.tomogram, settings.seed)
    else:
        _check_table(project, in_table)
        half = in_table
    if not half.any():
        _refuse_options_of_resolution(project, settings)
    counts = [int((half == which).sum()) for which in (1, 2)]
    if max(counts) and not min(counts):
        raise DataError(
            f"{project.particles.source}: the halves have {counts[0]} and {counts[1]} "
            "particles; expected at least one each: give --split rows or --split random"
        )
    return half


def _check_table(project: ParticleProject, half: NDArray[np.int64]) -> None:
    """All particles have a half or none has."""
    bad = np.flatnonzero(half == 0)
    if len(bad) and HALF in project.particles:
        place = project.particles.place(bad[0])
        raise StarError(f"{place}: {HALF} is 0; expected 1 or 2, or another --split than table")


def _refuse_options_of_resolution(project: ParticleProject, settings: MapSettings) -> None:
    """Without halves there is no resolution, and nothing that needs one."""
    for option in settings.options_of_resolution:
        raise SettingsError(
            f"{option} has no effect without halves, and {project.particles.source} has none "
            f"({HALF}); give --split rows or --split random, or leave {option} out"
        )
