"""The command ``subtomo convert particles``."""

from pathlib import Path

import click
import numpy as np

from subtomo.counts import count_of, some_of
from subtomo.errors import MissingFileError, OutputError, SettingsError
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.particle_formats import format_of
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.table_losses import what_is_lost
from subtomo.jobs.kept_inputs import same_place
from subtomo.model import Particles
from subtomo.workflows.convert_particles.contexts import (
    check_options,
    outside,
    reading_context,
    unknown_tomograms,
    writing_context,
)
from subtomo.workflows.convert_particles.settings import ConvertParticlesSettings

_M_READS = "_data.star"


def run(settings: ConvertParticlesSettings) -> None:
    """Read a table, write it in another format, and say what that cannot hold.

    Parameters
    ----------
    settings : of the command

    Raises
    ------
    SubtomoError
        Where the table cannot be read or the format needs what is not known, before anything is
        written.
    """
    if not settings.input.exists():
        raise MissingFileError(f"{settings.input}: no such file; expected a table of particles")
    read = format_of(settings.input, settings.input_format)
    written = format_of(settings.output, settings.output_format, is_output=True)
    check_options(settings, read, written)
    context = reading_context(settings)
    particles = read_particles(settings.input, format_name=read.name, context=context)
    if settings.tomograms:
        _require_known(settings.input, unknown_tomograms(particles, context), context)
    _require_free(settings, particles, read, written)
    write_particles(
        settings.output,
        particles,
        format_name=written.name,
        context=writing_context(settings, context),
    )
    _tell(settings, particles, read, written)
    for line in outside(particles, context):
        click.secho(f"warning: {settings.input}: {line}", fg="yellow", err=True)


def _tell(
    settings: ConvertParticlesSettings,
    particles: Particles,
    read: ParticleFormat,
    written: ParticleFormat,
) -> None:
    """Say what was read and written, and what is lost."""
    tomograms = count_of(len(np.unique(particles.tomogram)), "tomogram")
    click.echo(
        f"{settings.input}: {count_of(len(particles), 'particle')} in {tomograms} ({read.title})"
    )
    files = written.files(settings.output, particles)
    for line in _lost(files, written, settings):
        click.echo(f"lost: {line}")
    if written.name == "warp" and not settings.output.name.endswith(_M_READS):
        click.echo(f"note: M reads only files whose names end in {_M_READS}")
    if files:
        click.echo(f"{some_of(files)}: written ({written.title})")
    else:
        click.echo(f"{settings.output}: nothing is written, there are no particles")


def _lost(
    files: dict[Path, Particles], written: ParticleFormat, settings: ConvertParticlesSettings
) -> list[str]:
    """Say what is lost, and in which files where not in all."""
    lost: dict[str, list[str]] = {}
    for file, of_file in files.items():
        for line in what_is_lost(of_file, written, settings.group_id):
            lost.setdefault(line, []).append(file.name)
    return [
        line if len(names) == len(files) else f"{line} ({', '.join(names)})"
        for line, names in lost.items()
    ]


def _require_free(
    settings: ConvertParticlesSettings,
    particles: Particles,
    read: ParticleFormat,
    written: ParticleFormat,
) -> None:
    """Refuse to write over a file that is read, or over any without ``--overwrite``."""
    given = (settings.input, *read.with_it(settings.input, particles), *settings.tomograms)
    inputs = [*given, settings.tomogram_map] if settings.tomogram_map else [*given]
    for file in written.written(settings.output, particles):
        is_within = settings.input.resolve().is_relative_to(file.resolve())
        if is_within or any(same_place(file, path) and path.exists() for path in inputs):
            raise OutputError(f"{file}: is an input, and would be replaced; choose another name")
        if file.exists() and not settings.overwrite:
            raise OutputError(f"{file}: is there already; choose another name, or give --overwrite")


def _require_known(path: Path, unknown: list[str], context: TableContext) -> None:
    """Refuse a table of other tomograms than those given."""
    if unknown:
        known = ", ".join(dict.fromkeys([*context.grids, *context.frames]))
        raise SettingsError(
            f"{path}: is of tomogram {unknown[0]}, which is not among those given ({known}): give "
            "it too (--tomograms), or name the table's (--tomogram, --tomogram-map)"
        )
