"""A project of particles from whichever source the settings name."""

from pydantic import BaseModel

from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.settings import LocalSource


def open_project(source: BaseModel) -> ParticleProject:
    """Read the tables of a source; no pixel is read.

    Parameters
    ----------
    source : settings that inherit from one of the sources in :mod:`subtomo.sources.settings`

    Raises
    ------
    SubtomoError
        If a table cannot be used.
    """
    if isinstance(source, LocalSource):
        return open_local_project(source)
    raise TypeError(f"{type(source).__name__} is not a source")
