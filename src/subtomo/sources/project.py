"""A project of particles from whichever source the settings name."""

from dataclasses import replace

import numpy as np
from pydantic import BaseModel

from subtomo.errors import DataError
from subtomo.sources.image_sizes import with_image_sizes
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.settings import (
    CopickDataPortalSource,
    CopickLocalSource,
    DataPortalSource,
    LocalSource,
)


def open_project(source: BaseModel, *, need_ctf: bool = True) -> ParticleProject:
    """Read the tables of a source; no pixel is read.

    Parameters
    ----------
    source : settings that inherit from one of the sources in :mod:`subtomo.sources.settings`
    need_ctf : whether tilt series without CTF cannot be used
        A remote source leaves them out; of a project on disk they are the caller's to refuse.

    Returns
    -------
    ParticleProject
        ``skipped`` says what of the source could not be used; the caller should tell.

    Raises
    ------
    SubtomoError
        If a table cannot be used, or a remote source does not answer.
    """
    match source:
        case LocalSource():
            return _with_sizes(open_local_project(source))
        case DataPortalSource():
            from subtomo.sources.portal.project import open_portal_project

            return open_portal_project(source, need_ctf=need_ctf)
        case CopickLocalSource():
            from subtomo.sources.copick.local_project import open_copick_local_project

            return _with_sizes(open_copick_local_project(source))
        case CopickDataPortalSource():
            from subtomo.sources.copick.portal_project import open_copick_portal_project

            return open_copick_portal_project(source, need_ctf=need_ctf)
    raise TypeError(f"{type(source).__name__} is not a source")


def list_source(source: BaseModel) -> str:
    """Say which runs and objects a source has that match, with counts; no pixel is read.

    Parameters
    ----------
    source : one with ``list_matches``

    Returns
    -------
    text in lines

    Raises
    ------
    SubtomoError
        If nothing matches, or the source does not answer.
    """
    match source:
        case DataPortalSource():
            from subtomo.sources.portal.listing import list_portal

            return list_portal(source)
        case CopickLocalSource() | CopickDataPortalSource():
            from subtomo.sources.copick.listing import list_copick

            return list_copick(source)
    raise TypeError(f"{type(source).__name__} has nothing to list")


def _with_sizes(project: ParticleProject) -> ParticleProject:
    """Look up the sizes of images that a table names by their addresses.

    Tilt series whose images do not answer are left out with their particles.
    """
    used = project.rows_by_tomogram()
    without = [name for name in used if not project.tilt_series[name].image_names]
    if without:
        raise DataError(
            f"{project.tomograms_file}: tomogram {without[0]} names no tilt images; expected a "
            "column rlnMicrographName in its table of tilts: add it"
        )
    known, failures = with_image_sizes({name: project.tilt_series[name] for name in used})
    if failures and not known:
        raise next(iter(failures.values()))
    tilt_series = {
        name: known.get(name, one)
        for name, one in project.tilt_series.items()
        if name not in failures
    }
    particles = project.particles
    if failures:
        particles = particles.select(~np.isin(project.tomogram, list(failures)))
    skipped = {**project.skipped, **failures}
    return replace(project, particles=particles, tilt_series=tilt_series, skipped=skipped)
