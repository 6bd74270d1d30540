"""A RELION project on disk."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from subtomo.errors import SettingsError
from subtomo.formats.optimisation_set import read_optimisation_set
from subtomo.formats.relion_particles import particles_block
from subtomo.formats.relion_tomograms import TomogramEntry, read_tomograms_star
from subtomo.formats.relion_trajectories import read_trajectories
from subtomo.formats.star import StarTable, read_star
from subtomo.formats.star_contents import refuse_contents
from subtomo.model import TiltSeries
from subtomo.sources.particle_project import TOMOGRAM, ParticleProject, make_particle_project
from subtomo.sources.settings import LocalSource

_OPTICS_GROUP_NAME = "rlnOpticsGroupName"


def open_local_project(source: LocalSource) -> ParticleProject:
    """Read the tables of a RELION project; images are looked for, and no pixel is read.

    Parameters
    ----------
    source : which files

    Raises
    ------
    MissingFileError
        If a table, or an image of a tomogram with particles, does not exist.
    StarError, DataError, ShapeError
        If a table cannot be used, or tables and images do not fit together.

    Warns
    -----
    SubtomoWarning
        If particles are dropped because their tomogram is unknown.
    """
    files = _files(source)
    particles, optics = _read_particles(Path(files["particles"]))
    particles.require([TOMOGRAM])
    tilt_series, group_names = table_tilt_series(
        files["tomograms"],
        set(particles.text(TOMOGRAM).tolist()),
        source.tiltseries_relative_dir,
    )
    trajectories = files.get("trajectories")
    project = make_particle_project(
        particles,
        optics,
        tilt_series,
        tomograms_file=files["tomograms"],
        optics_group_names=group_names,
        trajectories_file=trajectories,
        trajectories=None if trajectories is None else read_trajectories(trajectories),
    )
    inputs = [Path(name) for name in files.values()]
    if source.optimisation_set_starfile is not None:
        inputs.append(source.optimisation_set_starfile)
    return replace(project, inputs=tuple(inputs))


def table_tilt_series(
    path: str | Path, images_of: Collection[str] | None, relative_dir: Path | None
) -> tuple[dict[str, TiltSeries], dict[str, str]]:
    """Read the tilt series of a table of tomograms.

    Parameters
    ----------
    path : of the table
    images_of : names of the tomograms whose images are looked for; of all if None
    relative_dir : the only folder where relative names start, if given

    Returns
    -------
    tilt_series : by name, without images but with their size where they were looked for
    group_names : names of their optics groups, of those that have one

    Raises
    ------
    MissingFileError, StarError, DataError, ShapeError
        As ``read_tomograms_star``.
    """
    entries = read_tomograms_star(path, images_of=images_of, relative_dir=relative_dir)
    tilt_series = {entry.name: _without_images(entry) for entry in entries}
    group_names = {
        entry.name: entry.extra[_OPTICS_GROUP_NAME]
        for entry in entries
        if _OPTICS_GROUP_NAME in entry.extra
    }
    return tilt_series, group_names


def _files(source: LocalSource) -> dict[str, str]:
    """Name the tables: each option wins over the optimisation set."""
    given = {
        "particles": source.particles_starfile,
        "tomograms": source.tomograms_starfile,
        "trajectories": source.trajectories_starfile,
    }
    files = {what: str(path) for what, path in given.items() if path is not None}
    optimisation_set = source.optimisation_set_starfile
    if optimisation_set is None:
        return files
    named = read_optimisation_set(optimisation_set, without=set(files))
    for what in given:
        path = getattr(named, what)
        if path is not None:
            files[what] = _relative_to_here(path)
        elif what not in files and what != "trajectories":
            raise SettingsError(
                f"{optimisation_set} names no table of {what}; give --{what}-starfile"
            )
    return files


def _relative_to_here(path: Path) -> str:
    """Name a file from the working directory, as RELION's programs do, if it lies in there."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _read_particles(path: Path) -> tuple[StarTable, StarTable | None]:
    """Read the particles and their optics groups."""
    blocks = read_star(path)
    refuse_contents(path, blocks, "a table of particles", "particles.star")
    return blocks[particles_block(path, blocks)], blocks.get("optics")


def _without_images(entry: TomogramEntry) -> TiltSeries:
    """Keep the size of the images and let go of the open files."""
    return replace(entry.tilt_series, images=None)
