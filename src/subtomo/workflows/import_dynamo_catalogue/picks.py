"""The models and tables of a catalogue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from subtomo.errors import DataError, FormatError, MissingFileError
from subtomo.formats.dynamo_catalogue import DynamoModel, read_dynamo_model
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles
from subtomo.picking.models.dynamo_models import TYPES, model_of_dynamo
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.workflows.import_dynamo_catalogue.settings import ImportDynamoCatalogueSettings
from subtomo.workflows.import_dynamo_catalogue.volumes import CatalogueVolume, find_in_catalogue

_MODEL = ".omd"
_TABLE = ".tbl"


@dataclass(frozen=True, eq=False)
class CataloguePicks:
    """What was picked in the tomograms of a catalogue.

    Parameters
    ----------
    models : geometric models, names told apart in each tomogram
    particles : of all tables
    doubts : what could not be read, in words
    """

    models: tuple[GeometricModel, ...]
    particles: Particles
    doubts: tuple[str, ...]


def catalogue_picks(
    volumes: Sequence[CatalogueVolume], settings: ImportDynamoCatalogueSettings
) -> CataloguePicks:
    """Read the models and tables of a catalogue; a model that cannot be read is left out.

    Raises
    ------
    MissingFileError
        If a file does not exist.
    FormatError
        If a table cannot be read, or a source is neither a table nor a model.
    """
    models: list[GeometricModel] = []
    tables: list[Particles] = []
    doubts: list[str] = []
    for one in volumes:
        used: set[str] = set()
        for file in _files(one, settings):
            if file.suffix.lower() == _TABLE:
                tables.append(_table(file, one, settings))
                continue
            try:
                found = read_dynamo_model(file)
            except FormatError as error:
                doubts.append(f"left out: {error}")
                continue
            name = _free_name(file.stem, used)
            used.add(name)
            models.append(_model(found, name, file, one, settings, doubts))
    particles = Particles.concatenate(tables)
    if settings.box_size:
        particles = particles.with_columns(box_size=np.full(len(particles), settings.box_size))
    return CataloguePicks(tuple(models), particles, tuple(doubts))


def _files(one: CatalogueVolume, settings: ImportDynamoCatalogueSettings) -> Iterator[Path]:
    """Give the files of tables and models of a tomogram; a folder stands for its models."""
    for name in (*one.volume.particles, *one.volume.models):
        found = find_in_catalogue(name, settings.catalogue, settings.look_in)
        if found is None:
            raise MissingFileError(
                f"{settings.catalogue}: {name} of {one.volume.path} is not found; give its folder "
                "with --look-in"
            )
        if found.is_dir():
            yield from sorted(found.glob(f"*{_MODEL}"))
        elif found.suffix.lower() in (_MODEL, _TABLE):
            yield found
        else:
            raise FormatError(
                f"{settings.catalogue}: {name} of {one.volume.path} is neither a table ({_TABLE}) "
                f"nor a model ({_MODEL}); convert it, or leave it out"
            )


def _table(file: Path, one: CatalogueVolume, settings: ImportDynamoCatalogueSettings) -> Particles:
    """Read a table of one tomogram."""
    tomogram = one.tomogram
    context = TableContext(
        grids={tomogram.name: tomogram.grid},
        tomogram=tomogram.name,
        is_one_based=settings.one_based,
    )
    return read_particles(file, format_name="dynamo", context=context)


def _model(
    found: DynamoModel,
    name: str,
    file: Path,
    one: CatalogueVolume,
    settings: ImportDynamoCatalogueSettings,
    doubts: list[str],
) -> GeometricModel:
    """Make the geometric model; general points where its type cannot be made."""

    def made(model: DynamoModel) -> GeometricModel:
        return model_of_dynamo(
            model,
            tomogram=one.tomogram.name,
            grid=one.tomogram.grid,
            name=name,
            is_one_based=settings.one_based,
            box_size=settings.box_size,
        )

    if found.kind not in TYPES:
        doubts.append(f"{file}: is of no known type of model; its points become a general model")
    if found.kind == "dipoleSet" and found.dipoles is None:
        doubts.append(f"{file}: tells no norths of its dipoles; its points become a general model")
    try:
        return made(found)
    except DataError as error:
        doubts.append(f"{file}: {error}; its points become a general model")
        return made(replace(found, kind="general"))


def _free_name(name: str, used: set[str]) -> str:
    """Give a name that no other model of the tomogram has."""
    if name not in used:
        return name
    return next(f"{name}_{n}" for n in range(2, len(used) + 3) if f"{name}_{n}" not in used)
