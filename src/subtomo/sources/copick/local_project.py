"""A particle project made of a copick project's picks and a table of tomograms on disk."""

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of, some_of
from subtomo.errors import DataError, SubtomoError, SubtomoWarning
from subtomo.formats.copick_picks import PickSet
from subtomo.model import TiltSeries
from subtomo.sources.copick.choice import Choice, choice_of
from subtomo.sources.copick.config import read_copick_config
from subtomo.sources.copick.particles import particles_of_picks
from subtomo.sources.copick.project_files import CopickFiles
from subtomo.sources.copick.run_map import read_run_map, tomograms_of_runs
from subtomo.sources.copick.settings import CopickLocalSource
from subtomo.sources.local_project import table_tilt_series
from subtomo.sources.particle_project import ParticleProject, make_particle_project

FloatArray = NDArray[np.float64]
_MOST_DIFFERENT = 0.02  # of sizes, which rounding to coarse voxels leaves


def open_copick_local_project(source: CopickLocalSource) -> ParticleProject:
    """Read picks and the tilt series that they are seen on; no pixel is read.

    Parameters
    ----------
    source : what is meant

    Raises
    ------
    MissingFileError, FormatError
        If a file is missing or damaged.
    SettingsError
        If the map of runs contradicts the table of tomograms, or two runs mean the same tomogram.
    DataError
        If no picks are meant, or none of them is of a known tomogram.
    SubtomoError
        With ``strict``, at the first file of picks or run that cannot be used.
    """
    config = read_copick_config(source.copick_config)
    files = CopickFiles(config, source.copick_config)
    sets, skipped = meant_picks(files, choice_of(source))
    tilt_series, _ = table_tilt_series(
        source.tomograms_starfile, (), source.tiltseries_relative_dir
    )
    runs = dict.fromkeys(picks.run for picks in sets)
    tomograms, unknown = tomograms_of_runs(runs, tilt_series, read_run_map(source.copick_run_map))
    for run, reason in unknown.items():
        skipped[f"run {run}"] = DataError(f"{source.tomograms_starfile}: run {run}: {reason}")
    placed = []
    for picks in sets:
        if picks.run in tomograms:
            name = tomograms[picks.run]
            try:
                placed.append((name, _size(files, picks, tilt_series[name]), picks))
            except DataError as error:
                skipped[f"run {picks.run} {picks}"] = error
    if skipped and (source.strict or not placed):
        raise next(iter(skipped.values()))
    particles = particles_of_picks(placed, skipped)
    tilt_series, group_names = table_tilt_series(
        source.tomograms_starfile, set(tomograms.values()), source.tiltseries_relative_dir
    )
    project = make_particle_project(
        particles,
        None,
        tilt_series,
        tomograms_file=str(source.tomograms_starfile),
        optics_group_names=group_names,
    )
    inputs = (source.copick_config, source.tomograms_starfile)
    return replace(project, inputs=inputs, skipped=skipped)


def meant_picks(
    files: CopickFiles, choice: Choice
) -> tuple[list[PickSet], dict[str, SubtomoError]]:
    """Read the picks that are meant, run by run.

    Returns
    -------
    picks : in the order of their runs
    failures : why some files could not be read

    Raises
    ------
    DataError
        If there are none, or no run has a name that is asked for; the message says what there is.
    """
    runs = files.runs()
    names = [run for run in runs if choice.has_run(run)]
    sets, failures = files.picks(names, choice)
    if not sets and failures:
        raise next(iter(failures.values()))
    if not sets:
        raise DataError(f"no picks fit {choice}{_what_there_is(files, names)}")
    for pattern in choice.runs:
        if not any(pattern.fits(run) for run in runs):
            raise DataError(
                f"--copick-run-names {pattern.text}: no such run; the project has {some_of(runs)}"
            )
    return sets, failures


def _what_there_is(files: CopickFiles, runs: list[str]) -> str:
    """Say which picks runs have."""
    if not runs:
        there = files.runs()
        return f" in the runs that are meant; the project has {some_of(there)}"
    found: dict[str, None] = {}
    for run in runs:
        found |= {
            f"{name}:{user}/{session}": None for *_, (name, user, session) in files.pick_names(run)
        }
    return f" in {count_of(len(runs), 'run')}; there are {some_of(found)}"


def _size(files: CopickFiles, picks: PickSet, series: TiltSeries) -> FloatArray:
    """Give the size of the tomogram that was picked in: its own, else as the table says."""
    size = files.tomogram_size(picks.run, picks.voxel_spacing)
    in_table = series.tomogram_size_px
    if size is None and in_table is None:
        raise DataError(
            f"{picks.place}: neither the copick project has a tomogram of run {picks.run} nor the "
            "table of tomograms its size (rlnTomoSizeX, Y, Z): the centre of the picks is not known"
        )
    told = None if in_table is None else np.array(in_table) * series.pixel_size
    if size is None:
        return np.asarray(told)
    if told is not None and np.any(np.abs(size - told) > _MOST_DIFFERENT * told):
        warnings.warn(
            f"run {picks.run}: its tomogram is {_text(size)} Å large, that of {series.name} in the "
            f"table of tomograms {_text(told)} Å; their centres are taken for the same point",
            SubtomoWarning,
            stacklevel=3,
        )
    return size


def _text(size: FloatArray) -> str:
    return " x ".join(f"{n:.0f}" for n in size)
