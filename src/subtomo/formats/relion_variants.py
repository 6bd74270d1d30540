"""Particles in the STAR files of RELION 3.1, 4, 5 and Warp, in the context of their tomograms."""

from pathlib import Path

import numpy as np

from subtomo.formats.relion_particles import read_relion_particles, write_relion_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles


def read_relion(path: Path, context: TableContext) -> Particles:
    """Read any of them, as ``read_relion_particles``.

    Parameters
    ----------
    path : the file
    context : ``frames`` for centred coordinates; ``pixel_size`` wins over what the file says

    Raises
    ------
    MissingFileError, StarError, SettingsError
        As ``read_relion_particles``.
    """
    return read_relion_particles(
        path, frames=context.frames or None, coordinate_pixel_size=context.pixel_size
    )


def write_relion5(path: Path, particles: Particles, context: TableContext) -> None:
    """Write centred coordinates, with those of RELION 4 beside.

    Raises
    ------
    SettingsError
        If the size of a tomogram is not known.
    """
    names = np.unique(particles.tomogram).tolist()
    frames = {name: context.frame_of(name, path) for name in names}
    write_relion_particles(path, particles, frames)
