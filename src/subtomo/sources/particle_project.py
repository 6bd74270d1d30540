"""Particles and the tilt series that they are seen on: what extraction starts from."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import some_of
from subtomo.errors import DataError, StarError, SubtomoError, SubtomoWarning
from subtomo.formats.paths import is_remote
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.star import StarTable
from subtomo.formats.tilt_images import split_image_name
from subtomo.model import TiltSeries

TOMOGRAM = "rlnTomoName"
PARTICLE = "rlnTomoParticleName"
OPTICS_GROUP = "rlnOpticsGroup"
_MOST_DIFFERENT = 1e-3  # RELION 5, commit 73f0a3c0


@dataclass(frozen=True, eq=False)
class ParticleProject:
    """Particles and their tilt series, as RELION's tables give them.

    Parameters
    ----------
    particles : rows in the order of the file, only those of known tomograms
        ``rlnTomoParticleName`` and ``rlnOpticsGroup`` are there.
    optics : a row an optics group
    tilt_series : by name, in the order of the table of tomograms
        Without ``images``; their names are absolute, such as ``000001@/data/stack.mrcs``, or
        addresses. Tomograms without particles have no ``image_size_px``, and those whose images are
        at an address have none until these are opened.
    tomograms_file, trajectories_file : as an optimisation set should name them
    trajectories : (tilt, 3) Å by particle name, added to its position; None where nothing moves
    dropped : number of particles left out, by name of an unknown tomogram
    inputs : files that the tables were read from
    skipped : why tomograms that were asked for, or parts of them, are left out, by name
    is_generated : whether the tables came from no file and go with the output
    """

    particles: StarTable
    optics: StarTable
    tilt_series: dict[str, TiltSeries]
    tomograms_file: str
    trajectories_file: str | None = None
    trajectories: dict[str, NDArray[np.float64]] | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    skipped: dict[str, SubtomoError] = field(default_factory=dict)
    is_generated: bool = False

    def __len__(self) -> int:
        return len(self.particles)

    @property
    def tomogram(self) -> NDArray[np.str_]:
        """Name of each particle's tomogram, (n,)."""
        return self.particles.text(TOMOGRAM)

    @property
    def particle_name(self) -> NDArray[np.str_]:
        """Name of each particle, (n,)."""
        return self.particles.text(PARTICLE)

    def rows_by_tomogram(self) -> dict[str, NDArray[np.intp]]:
        """Rows of the particles of each tomogram that has some, in the order of the tomograms."""
        names = list(self.tilt_series)
        number_of = {name: number for number, name in enumerate(names)}
        number = np.array([number_of[name] for name in self.tomogram.tolist()], dtype=np.intp)
        order = np.argsort(number, kind="stable")
        found, start = np.unique(number[order], return_index=True)
        parts = np.split(order, start[1:])
        return {names[n]: rows for n, rows in zip(found.tolist(), parts, strict=True)}

    def files_read(self) -> list[Path]:
        """List the tables, and the files on disk that hold images of series with particles."""
        names = [
            name for each in self.rows_by_tomogram() for name in self.tilt_series[each].image_names
        ]
        files = dict.fromkeys(split_image_name(name)[1] for name in names if not is_remote(name))
        return [*self.inputs, *(path for path in map(Path, files) if path.is_file())]

    def trajectories_of(self, rows: NDArray[np.intp]) -> NDArray[np.float64] | None:
        """Give the motion (m, tilt, 3) in Å of particles of one tilt series; None if none moves."""
        if self.trajectories is None:
            return None
        return np.stack([self.trajectories[name] for name in self.particle_name[rows].tolist()])


def make_particle_project(
    particles: StarTable,
    optics: StarTable | None,
    tilt_series: Mapping[str, TiltSeries],
    *,
    tomograms_file: str,
    optics_group_names: Mapping[str, str] | None = None,
    trajectories_file: str | None = None,
    trajectories: dict[str, NDArray[np.float64]] | None = None,
) -> ParticleProject:
    """Put the tables of a project together and check that they fit.

    Parameters
    ----------
    particles : with ``rlnTomoName``
    optics : the optics groups; if None they are made: one for each name in ``optics_group_names``
    tilt_series : by name
    tomograms_file, trajectories_file, trajectories : as in ``ParticleProject``
    optics_group_names : of a tilt series; its own name where there is none

    Raises
    ------
    StarError
        If a column is missing, a group is not there, or a particle's tilt series and optics group
        disagree.
    DataError
        If there are no particles, none is of a known tomogram, or one has no trajectory.

    Warns
    -----
    SubtomoWarning
        If particles are dropped because their tomogram is unknown.

    Notes
    -----
    Groups and names are made as RELION 5, commit 73f0a3c0, does: groups in order of appearance,
    names TOMOGRAM/N with N counted from 1 in each tomogram.
    """
    particles.require([TOMOGRAM])
    known, dropped = _known(particles, tilt_series)
    particles = particles.select(known)
    if optics is None:
        particles, optics = _with_new_optics(particles, tilt_series, optics_group_names or {})
    elif OPTICS_GROUP not in particles:
        particles = _with_only_group(particles, optics)
    if PARTICLE not in particles:
        particles = _with_column(particles, PARTICLE, _new_names(particles.text(TOMOGRAM)))
    project = ParticleProject(
        particles=particles,
        optics=optics,
        tilt_series=dict(tilt_series),
        tomograms_file=tomograms_file,
        trajectories_file=trajectories_file,
        trajectories=trajectories,
        dropped=dropped,
    )
    _check_optics(project)
    if trajectories is not None:
        _check_trajectories(project, trajectories)
    return project


def optics_rows(project: ParticleProject) -> NDArray[np.intp]:
    """Give the row of each particle's optics group.

    Raises
    ------
    StarError
        If a group is not in the table of groups, or is there twice.
    """
    project.optics.require([OPTICS_GROUP], why="in data_optics")
    groups = project.optics.integers(OPTICS_GROUP)
    wanted = project.particles.integers(OPTICS_GROUP)
    values, rows = np.unique(groups, return_index=True)
    if len(values) < len(groups):
        twice = np.setdiff1d(np.arange(len(groups)), rows)[0]
        raise StarError(
            f"{project.optics.place(twice)}: {OPTICS_GROUP} {groups[twice]} comes twice"
        )
    found = np.searchsorted(values, wanted).clip(max=max(len(values) - 1, 0))
    unknown = np.flatnonzero(values[found] != wanted) if len(values) else np.arange(len(wanted))
    if len(unknown):
        raise StarError(
            f"{project.particles.place(unknown[0])}: {OPTICS_GROUP} is {wanted[unknown[0]]}, which "
            f"data_optics does not list; it lists {', '.join(map(str, groups.tolist())) or 'none'}"
        )
    of_particle: NDArray[np.intp] = rows[found]
    return of_particle


def _known(
    particles: StarTable, tilt_series: Mapping[str, TiltSeries]
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Tell which particles are of known tomograms, and count the others."""
    if not len(particles):
        raise DataError(f"{particles.source}: the table of particles is empty; expected rows")
    names, inverse, counts = np.unique(
        particles.text(TOMOGRAM), return_inverse=True, return_counts=True
    )
    is_known = np.array([name in tilt_series for name in names.tolist()], dtype=bool)
    dropped = {
        str(name): int(count)
        for name, count, known in zip(names, counts, is_known, strict=True)
        if not known
    }
    known: NDArray[np.bool_] = is_known[inverse]
    if not known.any():
        raise DataError(
            f"{particles.source}: no particle is of a tomogram in the table of tomograms; found "
            f"particles of {some_of(dropped)}, tomograms {some_of(tilt_series)}"
        )
    if dropped:
        warnings.warn(
            f"{particles.source}: {sum(dropped.values())} of {len(particles)} particles are left "
            f"out: the table of tomograms does not list {some_of(dropped)}",
            SubtomoWarning,
            stacklevel=4,
        )
    return known, dropped


def _with_new_optics(
    particles: StarTable, tilt_series: Mapping[str, TiltSeries], group_names: Mapping[str, str]
) -> tuple[StarTable, StarTable]:
    """Make an optics group for each name of one, in order of appearance."""
    tomograms = particles.text(TOMOGRAM).tolist()
    first: dict[str, TiltSeries] = {}
    for tomogram in dict.fromkeys(tomograms):
        first.setdefault(group_names.get(tomogram, tomogram), tilt_series[tomogram])
    numbers = {name: number for number, name in enumerate(first, start=1)}
    of_tomogram = {name: numbers[group_names.get(name, name)] for name in dict.fromkeys(tomograms)}
    values = [_values_of(series) for series in first.values()]
    optics = {tag: np.array([value[tag] for value in values]) for tag in values[0]}
    optics |= {
        OPTICS_GROUP: np.array(list(numbers.values())),
        "rlnOpticsGroupName": np.array(list(numbers)),
    }
    groups = np.array([of_tomogram[name] for name in tomograms])
    return (
        _with_column(particles, OPTICS_GROUP, groups),
        StarTable(optics, source=particles.source),
    )


def _values_of(series: TiltSeries) -> dict[str, float]:
    """Give what an optics group says of a tilt series, in RELION's order."""
    return {
        "rlnVoltage": series.acquisition.voltage,
        "rlnSphericalAberration": series.acquisition.spherical_aberration,
        "rlnAmplitudeContrast": series.acquisition.amplitude_contrast,
        TILT_SERIES_PIXEL_SIZE: series.pixel_size,
    }


def _with_only_group(particles: StarTable, optics: StarTable) -> StarTable:
    """Put all particles in the one optics group that there is."""
    if len(optics) != 1:
        particles.require([OPTICS_GROUP], why=f"data_optics lists {len(optics)} groups")
    group = int(optics.integers(OPTICS_GROUP)[0])
    return _with_column(particles, OPTICS_GROUP, np.full(len(particles), group))


def _new_names(tomogram: NDArray[np.str_]) -> NDArray[np.str_]:
    """Name particles TOMOGRAM/N."""
    counts: dict[str, int] = {}
    names = []
    for name in tomogram.tolist():
        counts[name] = counts.get(name, 0) + 1
        names.append(f"{name}/{counts[name]}")
    return np.array(names, dtype=np.str_)


def _with_column(table: StarTable, tag: str, values: NDArray[Any]) -> StarTable:
    columns = {**table.columns, tag: values}
    return StarTable(columns, source=table.source, lines=table.lines)


def _check_optics(project: ParticleProject) -> None:
    """Compare what tilt series and optics groups both say."""
    project.optics.require([TILT_SERIES_PIXEL_SIZE], why="in data_optics")
    rows = optics_rows(project)
    first_of: dict[tuple[str, int], int] = {}
    for particle, pair in enumerate(zip(project.tomogram.tolist(), rows.tolist(), strict=True)):
        first_of.setdefault(pair, particle)
    for tag in _values_of(next(iter(project.tilt_series.values()))):
        if tag not in project.optics:
            continue
        told = project.optics.numbers(tag)
        for (tomogram, row), particle in first_of.items():
            value = _values_of(project.tilt_series[tomogram])[tag]
            if not abs(told[row] - value) <= _MOST_DIFFERENT:
                raise StarError(
                    f"{project.particles.place(particle)}: inconsistent values between optics and "
                    f"tomograms tables: {tag} is {told[row]:g} in optics group "
                    f"{project.optics.columns[OPTICS_GROUP][row]} and {value:g} for tomogram "
                    f"{tomogram}; expected the same within {_MOST_DIFFERENT:g}"
                )


def _check_trajectories(
    project: ParticleProject, trajectories: Mapping[str, NDArray[np.float64]]
) -> None:
    """Every particle must move on every tilt."""
    pairs = zip(project.particle_name.tolist(), project.tomogram.tolist(), strict=True)
    for particle, (name, tomogram) in enumerate(pairs):
        n_tilts = len(project.tilt_series[tomogram])
        if name not in trajectories:
            raise DataError(
                f"{project.trajectories_file}: no trajectory of particle {name} "
                f"({project.particles.place(particle)}); expected a block data_{name}"
            )
        if len(trajectories[name]) != n_tilts:
            raise DataError(
                f"{project.trajectories_file}: the trajectory of particle {name} has "
                f"{len(trajectories[name])} rows, tilt series {tomogram} {n_tilts} tilts; expected "
                "one row a tilt"
            )
