"""Models from whatever files hold points: models, tables, segmentations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from subtomo.errors import DataError, SettingsError
from subtomo.formats.dynamo_catalogue import read_dynamo_model
from subtomo.formats.particle_formats import PARTICLE_FORMATS, format_of
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import base_name, match_tomogram_names
from subtomo.formats.volumes import VOLUME_SUFFIXES, read_volume, volume_suffix
from subtomo.model import Particles, Tomogram
from subtomo.picking.models.dynamo_models import model_of_dynamo
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.model_file import is_model_file, read_models, same_name
from subtomo.picking.models.models_of_particles import models_of_particles
from subtomo.picking.models.segmentation import SegmentationModel
from subtomo.sources.tomograms import find_volumes, tomogram_name


@dataclass(frozen=True, eq=False)
class ModelInput:
    """Models, and what else came with them.

    Parameters
    ----------
    models : in the order of the files
    tables : other tables of the tables of points, by name
    """

    models: tuple[GeometricModel, ...]
    tables: Mapping[str, Any]


def read_inputs(
    paths: Sequence[Path],
    tomograms: Mapping[str, Tomogram],
    *,
    pixel_size: float | None,
    tomogram: str | None = None,
    named_by: Sequence[str] = (),
) -> ModelInput:
    """Read models from files.

    Parameters
    ----------
    paths : files of models (ours or Dynamo's), tables of points, segmentations, folders of these
    tomograms : those at hand, by name
    pixel_size : Å, of the tomograms that tables were picked in; wins over the tomograms' own
    tomogram : name of that of tables that name none; None: their files'
    named_by : names of further tomograms that a segmentation may be of

    Returns
    -------
    ModelInput
        Tomograms are called as those at hand are; two models of a tomogram have different names.

    Raises
    ------
    SubtomoError
        If a file cannot be read, or two of its models cannot be told apart; it is named.
    """
    context = replace(TableContext.of(tomograms.values()), pixel_size=pixel_size, tomogram=tomogram)
    models: list[GeometricModel] = []
    tables: dict[str, Any] = {}
    for path in paths:
        kind = _kind(path)
        if kind == "models":
            found: Sequence[GeometricModel] = read_models(path)
        elif kind == "segmentations":
            found = _segmentations(path, tomograms, named_by)
        elif kind == "dynamo":
            found = [_of_dynamo(path, context)]
        else:
            particles = read_particles(path, context=context)
            tables = {**particles.tables, **tables}
            found = _of_table(path, particles, context)
        models.extend(_distinct(path, _as_at_hand(found, tomograms), models))
    return ModelInput(tuple(models), tables)


def counts_in_voxels(path: Path) -> bool:
    """Tell whether a file may need the pixel size of its tomogram to be read."""
    return _kind(path) in ("table", "dynamo")


def names_no_tomogram(path: Path) -> bool:
    """Tell whether a file is a table whose tomogram may be told by ``--tomogram``."""
    return _kind(path) == "table" and "tomogram" in format_of(path).uses


def _kind(path: Path) -> Literal["models", "dynamo", "segmentations", "table"]:
    """Tell what a file is: by its content where tables and others share a suffix."""
    name = path.name.lower()
    rows = [row for row in PARTICLE_FORMATS if name.endswith(row.suffixes)]
    if is_model_file(path):
        return "models"
    if path.is_dir():
        return "table" if rows else "segmentations"
    if path.is_file() and any(row.recognises and row.is_that_of(path) for row in rows):
        return "table"
    if path.suffix.lower() in (".json", ".omd"):
        return "models" if path.suffix.lower() == ".json" else "dynamo"
    is_volume = volume_suffix(path).removesuffix(".gz") in VOLUME_SUFFIXES
    return "segmentations" if is_volume else "table"


def _of_dynamo(path: Path, context: TableContext) -> GeometricModel:
    """Make a model of one of Dynamo's; of the tomogram that it names, or of the only one."""
    model = read_dynamo_model(path)
    names = [model.volume] if model.volume else []
    found = match_tomogram_names(names, context.grids).get(model.volume)
    if found is None and len(context.grids) == 1:
        (found,) = context.grids
    tomogram = found or base_name(model.volume or path.stem)
    try:
        return model_of_dynamo(model, tomogram=tomogram, grid=context.grid_of(tomogram, path))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _of_table(path: Path, particles: Particles, context: TableContext) -> Sequence[GeometricModel]:
    def pixel_size_of(tomogram: str) -> float:
        if context.pixel_size is not None:
            return context.pixel_size
        if tomogram in context.grids:
            return context.grids[tomogram].pixel_size
        known = f" ({', '.join(context.grids)})" if context.grids else ""
        raise SettingsError(
            f"{path}: tomogram {tomogram} is not among those given{known}: its pixel size is not "
            "known; add it to --tomograms, or give --pixel-size in Å"
        )

    return models_of_particles(particles, path.stem, pixel_size_of)


def _segmentations(
    path: Path, tomograms: Mapping[str, Tomogram], named_by: Sequence[str]
) -> Sequence[GeometricModel]:
    """Make a model of each volume, of the tomogram that has its name, or of the only one."""
    known = list(dict.fromkeys([*tomograms, *named_by]))
    is_image = bool(volume_suffix(path)) or not path.is_dir()
    found = {tomogram_name(file): file for file in ([path] if is_image else find_volumes(path))}
    names = match_tomogram_names(found, known)
    if len(known) == 1 and len(found) == 1 and not names:
        names = dict.fromkeys(found, known[0])
    return [
        _segmentation(file, name, tomograms.get(names.get(name, "")), names.get(name, name))
        for name, file in found.items()
    ]


def _segmentation(
    path: Path, name: str, tomogram: Tomogram | None, tomogram_name: str
) -> SegmentationModel:
    """Make a model of a volume; it lies where a tomogram of its size does."""
    volume = read_volume(path)
    origin = None
    if tomogram is not None and tomogram.volume.shape == volume.shape:
        origin = tomogram.volume.origin
    return SegmentationModel(
        name=name,
        tomogram=tomogram_name,
        pixel_size=volume.pixel_size,
        path=path.absolute(),
        origin=origin,
    )


def _as_at_hand(
    models: Sequence[GeometricModel], tomograms: Mapping[str, Tomogram]
) -> list[GeometricModel]:
    """Call tomograms as those at hand are called."""
    names = match_tomogram_names([model.tomogram for model in models], tomograms)
    return [
        model.model_copy(update={"tomogram": names.get(model.tomogram, model.tomogram)})
        for model in models
    ]


def _distinct(
    path: Path, models: Sequence[GeometricModel], earlier: Sequence[GeometricModel]
) -> list[GeometricModel]:
    """Name models after their file where an earlier one of the tomogram has their name."""
    taken = {(model.tomogram, model.name) for model in earlier}
    renamed = [
        model.model_copy(update={"name": f"{path.stem}_{model.name}"})
        if (model.tomogram, model.name) in taken
        else model
        for model in models
    ]
    twice = same_name([*earlier, *renamed])
    if twice is not None:
        raise SettingsError(
            f"{path}: {twice.label}: another model of this tomogram has the same name; rename one"
        )
    return renamed
