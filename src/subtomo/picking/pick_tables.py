"""Tables of picks, read and written with what the options and the tomograms say of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.formats.particle_formats import format_of
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, Tomogram
from subtomo.picking.table_settings import PickTableSettings
from subtomo.picking.voxel_options import require_use
from subtomo.sources.tomograms import open_tomograms


@dataclass(frozen=True, eq=False)
class PickTables:
    """Tables of picks and the tomograms that were given for them.

    Parameters
    ----------
    tables : in the order of the files
    tomograms : by name; their values unread
    """

    tables: list[Particles]
    tomograms: dict[str, Tomogram]

    @property
    def names(self) -> list[str]:
        """Names of the tomograms that have picks, sorted."""
        return sorted({name for table in self.tables for name in table.tomogram.tolist()})


def open_pick_tables(
    paths: Sequence[Path], settings: PickTableSettings, also_used: Collection[str] = ()
) -> PickTables:
    """Read tables of picks; their tomograms are called as those that were given.

    Parameters
    ----------
    paths : tables of any format
    settings : with the tomograms and the pixel sizes
    also_used : names of the options on voxels that the command itself looks at

    Raises
    ------
    SettingsError
        If the pixel sizes or the size do not fit the tables or act on none, what a table needs was
        not given, or all tables name their tomograms and ``--tomogram`` cannot act.
    FormatError, MissingFileError
        If a file cannot be read.
    """
    if (
        len(settings.pixel_size) not in (0, 1, len(paths))
        or min(settings.pixel_size, default=0) < 0
    ):
        given = ", ".join(f"{size:g}" for size in settings.pixel_size)
        raise SettingsError(
            f"--pixel-size is {given} for {len(paths)} tables; expected one positive number, or "
            "one for each table"
        )
    require_use(settings, paths, also_used)
    require_unnamed(settings.tomogram, paths, settings.input_format)
    opened = open_tomograms(settings.tomograms) if settings.tomograms else []
    context = replace(TableContext.of(opened), tomogram=settings.tomogram)
    tables = [
        read_particles(
            path,
            context=_counting_in(context, settings.pixel_size_of(i)).with_size(
                settings.tomogram_size
            ),
            format_name=settings.input_format,
        )
        for i, path in enumerate(paths)
    ]
    return PickTables(tables, {tomogram.name: tomogram for tomogram in opened})


def require_unnamed(
    tomogram: str | None, paths: Sequence[Path], format_name: str | None = None
) -> None:
    """Refuse the name of a tomogram where all tables name their own.

    Parameters
    ----------
    tomogram : ``--tomogram``; None: not given
    paths : of the tables
    format_name : of their format, where it was given

    Raises
    ------
    SettingsError
        Which names the first table.
    """
    if tomogram is not None and not any(
        "tomogram" in format_of(path, format_name).uses for path in paths
    ):
        raise SettingsError(
            f"--tomogram {tomogram} has no effect: {paths[0] if paths else 'no table'} names its "
            "tomograms; leave it out"
        )


def not_shared(tables: Mapping[str, Particles]) -> str:
    """Say in words that no two tables are of one tomogram; nothing where two are.

    Parameters
    ----------
    tables : by name; those without picks do not count
    """
    names = {
        table: np.unique(picks.tomogram).tolist() for table, picks in tables.items() if len(picks)
    }
    every = [name for own in names.values() for name in own]
    if len(names) < 2 or len(set(every)) < len(every):
        return ""
    listed = "; ".join(f"{table}: {some_of(own)}" for table, own in names.items())
    return (
        f"no two tables have picks of the same tomogram ({listed}): give --tomogram NAME for those "
        "that name none, or --tomograms, which matches names that differ in folder or suffix"
    )


def require_classes(tables: Mapping[str, Particles]) -> None:
    """Refuse tables of picks without any class, for ``--per-class``.

    Parameters
    ----------
    tables : by the name that a message calls them; those without picks need none

    Raises
    ------
    SettingsError
        Naming the first.
    """
    for name, picks in tables.items():
        if len(picks) and not (picks.class_name != "").any():
            raise SettingsError(
                f"{name}: no pick has a class (class_name), so that --per-class cannot tell them "
                "apart; leave it out, or name the classes"
            )


def write_pick_table(
    folder: Path, stem: str, particles: Particles, tomograms: dict[str, Tomogram]
) -> Path:
    """Write a table: STAR where the tomograms of all its particles are known, else CSV.

    Parameters
    ----------
    folder, stem : of the file
    particles : the table
    tomograms : that were given, by name

    Returns
    -------
    Path of the file
    """
    is_star = bool(tomograms) and set(np.unique(particles.tomogram).tolist()) <= set(tomograms)
    path = folder / f"{stem}{'.star' if is_star else '.csv'}"
    write_particles(path, particles, context=TableContext.of(tomograms.values()))
    return path


def voxel_size(tables: PickTables, settings: PickTableSettings, option: str) -> float:
    """Give the pixel size of the first table's voxels, for options in voxels.

    Raises
    ------
    SettingsError
        If it is not known, or the tomograms have several.
    """
    given = settings.pixel_size_of(0)
    if given is not None:
        return given
    sizes = sorted({round(t.volume.pixel_size, 4) for t in tables.tomograms.values()})
    if len(sizes) != 1:
        found = f"tomograms have {', '.join(f'{s:g}' for s in sizes)} Å" if sizes else "unknown"
        raise SettingsError(
            f"{option} counts in voxels of the first table, of unclear pixel size ({found}): "
            "give --pixel-size in Å, or the distance in Å"
        )
    return sizes[0]


def _counting_in(context: TableContext, pixel_size: float | None) -> TableContext:
    """Let voxels have the size that was given, rather than the tomograms'."""
    if pixel_size is None:
        return context
    return replace(context, grids={}, pixel_size=pixel_size)
