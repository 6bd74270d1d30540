"""Lists of volumes of Dynamo (``.vll``): tomograms, and what is said of each below it.

A line is the path of a tomogram; below it ``* key = value`` is a property, ``> path`` a table or
model of its particles, ``! path`` models to import, and ``#`` a comment.

Source: https://wiki.dynamo.biozentrum.unibas.ch/w/index.php/Volume_list_file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.atomic import replacing
from subtomo.formats.dynamo_table import read_dynamo_table, write_dynamo_table
from subtomo.formats.numbered_particles import map_beside
from subtomo.formats.paths import find_file
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import read_text
from subtomo.formats.tomogram_names import base_name, require_different_files
from subtomo.model import Particles, VoxelGrid


@dataclass(frozen=True)
class DynamoVolume:
    """One tomogram of a list.

    Parameters
    ----------
    path : as it is written
    properties : by key, as text: label, index, ftype, ytilt, apix, defocus ...
    particles : paths of tables and models of its particles
    models : paths of models to import
    """

    path: str
    properties: dict[str, str] = field(default_factory=dict)
    particles: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


def read_vll(path: Path) -> list[DynamoVolume]:
    """Read a list of volumes.

    Parameters
    ----------
    path : ``.vll``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a property or source stands before the first tomogram, or a property is not
        ``key = value``.
    """
    text = read_text(path, "a list of volumes")
    volumes: list[DynamoVolume] = []
    for at, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line[0] not in "*>!":
            volumes.append(DynamoVolume(line))
        elif not volumes:
            raise FormatError(
                f"{path}, line {at}: {line[:60]!r} stands before any tomogram; expected the path "
                "of a tomogram first"
            )
        else:
            volumes[-1] = _with_line(volumes[-1], line, f"{path}, line {at}")
    return volumes


def write_vll(path: Path, volumes: Iterable[DynamoVolume]) -> None:
    """Write a list of volumes, replaced in one step."""
    lines = []
    for volume in volumes:
        lines.append(volume.path)
        lines += [f"* {key} = {value}" for key, value in volume.properties.items()]
        lines += [f"> {source}" for source in volume.particles]
        lines += [f"! {model}" for model in volume.models]
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def tomogram_map_of(volumes: Sequence[DynamoVolume], path: Path) -> dict[int, str]:
    """Give the tomograms by their index, or where it is not said by their place from 1.

    Parameters
    ----------
    volumes : of the list
    path : of the list, for messages

    Raises
    ------
    FormatError
        If an index is no whole number, or comes twice.
    """
    found: dict[int, str] = {}
    for place, volume in enumerate(volumes, 1):
        index = volume.properties.get("index", str(place))
        if not (index.isascii() and index.isdigit()) or int(index) in found:
            raise FormatError(
                f"{path}: tomogram {volume.path} has index {index}; expected a whole number that "
                "no other has"
            )
        found[int(index)] = volume.path
    return found


def read_vll_particles(path: Path, context: TableContext) -> Particles:
    """Read the tables of a list of volumes, each of the tomogram above it.

    Parameters
    ----------
    path : ``.vll``; a relative name is looked for beside it, then in the working directory
    context : voxels of the tomograms; where it knows none, those of ``* apix`` count

    Raises
    ------
    MissingFileError
        If the list or a table does not exist.
    FormatError
        If the list or a table cannot be read, or a source is a model.
    SettingsError
        If the voxels of a tomogram are not known.
    """
    tables = []
    volumes = read_vll(path)
    if volumes and not any(volume.particles for volume in volumes):
        raise FormatError(
            f"{path}: names no table of particles; expected '> TABLE.tbl' below a tomogram"
        )
    for volume in volumes:
        name = base_name(volume.path)
        of_volume = replace(_with_pixel_size(context, volume, path), tomogram=name)
        for source in volume.particles:
            table = find_file(source, path)
            if table is None:
                raise MissingFileError(
                    f"{path}: the table {source} of tomogram {name} does not exist"
                )
            if table.suffix.lower() != ".tbl":
                raise FormatError(
                    f"{path}: {source} of tomogram {name} is a model; expected tables (.tbl): "
                    "export its points from Dynamo, or import the catalogue"
                )
            tables.append(read_dynamo_table(table, of_volume))
    return Particles.concatenate(tables)


def write_vll_particles(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a list of volumes, and beside it a table for each tomogram.

    Parameters
    ----------
    path : ``.vll``; the tables are called as it and the tomogram
    particles : of any number of tomograms
    context : voxels of the tomograms

    Raises
    ------
    SettingsError
        If the voxels of a tomogram are not known.
    """
    tables = _tables(path, particles)
    volumes = []
    for place, (name, table) in enumerate(tables.items(), 1):
        apix = f"{context.grid_of(name, path).pixel_size:.12g}"
        properties = {"index": str(place), "apix": apix}
        volumes.append(DynamoVolume(name, properties, (table.name,)))
    for place, (name, table) in enumerate(tables.items(), 1):
        of_volume = replace(context, tomogram_map={place: name})
        write_dynamo_table(table, particles.of_tomogram(name), of_volume)
    write_vll(path, volumes)


def tables_and_maps(path: Path, particles: Particles) -> list[Path]:
    """List the tables that are written beside a list of volumes, and their maps of tomograms.

    Raises
    ------
    DataError
        If two tomograms would have the same table.
    """
    tables = _tables(path, particles).values()
    return [file for table in tables for file in (table, *map_beside(table, particles))]


def _tables(path: Path, particles: Particles) -> dict[str, Path]:
    """Name the table of each tomogram."""
    names = np.unique(particles.tomogram).tolist()
    files = require_different_files(names, base_name)
    return {name: path.with_name(f"{path.stem}_{file}.tbl") for name, file in files.items()}


def _with_line(volume: DynamoVolume, line: str, place: str) -> DynamoVolume:
    """Add what a line says of a tomogram."""
    value = line[1:].strip()
    if line[0] == ">":
        return replace(volume, particles=(*volume.particles, value))
    if line[0] == "!":
        return replace(volume, models=(*volume.models, value))
    key, equals, text = value.partition("=")
    if not (equals and key.strip()):
        raise FormatError(f"{place}: is {line[:60]!r}; expected '* key = value'")
    return replace(volume, properties={**volume.properties, key.strip(): text.strip()})


def _with_pixel_size(context: TableContext, volume: DynamoVolume, path: Path) -> TableContext:
    """Add the voxels that a list tells, where the context knows none."""
    name = base_name(volume.path)
    apix = volume.properties.get("apix")
    if apix is None or name in context.grids or context.pixel_size is not None:
        return context
    try:
        grid = VoxelGrid(float(apix), context.size_px)
    except ValueError:
        raise FormatError(
            f"{path}: apix of tomogram {name} is {apix}; expected its pixel size in Å"
        ) from None
    return replace(context, grids={**context.grids, name: grid})
