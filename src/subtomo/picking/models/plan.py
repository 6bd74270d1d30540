"""What ``subtomo pick model`` will do, checked before anything is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from subtomo.counts import some_of
from subtomo.errors import DataError, SettingsError
from subtomo.formats.given_once import require_given_once
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import require_different_files
from subtomo.model import Tomogram
from subtomo.picking.models.covered_model import CoveredModel
from subtomo.picking.models.free_angle_model import FreeAngleModel
from subtomo.picking.models.general import GeneralModel
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.inputs import (
    ModelInput,
    counts_in_voxels,
    names_no_tomogram,
    read_inputs,
)
from subtomo.picking.models.markers import with_markers
from subtomo.picking.models.parameters import check_parameters, with_parameters
from subtomo.picking.models.placing import is_inside
from subtomo.picking.models.settings import PickModelSettings
from subtomo.sources.tomograms import open_tomograms


@dataclass(frozen=True, eq=False)
class Plan:
    """Models that particles are made of, and models that orient them.

    Parameters
    ----------
    models : in the order of the inputs, with the parameters of the command
    orientation_models : likewise, of ``--orient-by``
    tomograms : that were given, by name
    tables : other tables of the tables of points, by name
    """

    models: tuple[GeometricModel, ...]
    orientation_models: tuple[GeometricModel, ...]
    tomograms: Mapping[str, Tomogram]
    tables: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """Tomograms that have models, in the order of the models."""
        return list(dict.fromkeys(model.tomogram for model in self.models))


def make_plan(settings: PickModelSettings) -> Plan:
    """Read everything, and refuse what cannot be done.

    Raises
    ------
    SubtomoError
        Which says the file, the model or the option.
    """
    require_given_once(settings.inputs)
    require_given_once(settings.orient_by)
    _check_what_tables_lack(settings)
    tomograms = _tomograms(settings)
    read = read_inputs(
        settings.inputs,
        tomograms,
        pixel_size=settings.pixel_size,
        tomogram=settings.tomogram,
    )
    orienting = _orienting(settings, tomograms, read)
    models = _prepared(read.models, settings, settings.model_type, tomograms)
    guides = _prepared(orienting.models, settings, settings.orientation_model_type, tomograms)
    remedy = "--orientation-model-type" if guides else "--model-type"
    check_parameters([*models, *guides], settings.parameters(), remedy)
    _check_options(models, guides, settings)
    _check_guides(models, guides)
    require_different_files(model.tomogram for model in models)
    for model in [*models, *guides]:
        _check_place(model, tomograms)
        model.check()
    for model in models:
        model.check_number()
    return Plan(tuple(models), tuple(guides), tomograms, read.tables)


def _check_what_tables_lack(settings: PickModelSettings) -> None:
    """Refuse a pixel size, or the name of a tomogram, that no input asks for."""
    given = [*settings.inputs, *settings.orient_by]
    if settings.markers is not None:
        given.append(settings.markers)
    if settings.pixel_size is not None and not any(counts_in_voxels(path) for path in given):
        raise SettingsError(
            "--pixel-size has no effect: files of models and volumes have their own; leave it out"
        )
    if settings.tomogram is not None and not any(names_no_tomogram(path) for path in given):
        raise SettingsError(
            f"--tomogram {settings.tomogram} has no effect: all inputs name their tomograms; "
            "leave it out"
        )


def _tomograms(settings: PickModelSettings) -> dict[str, Tomogram]:
    if not settings.tomograms:
        return {}
    return {t.name: t for t in open_tomograms(settings.tomograms)}


def _orienting(
    settings: PickModelSettings, tomograms: Mapping[str, Tomogram], read: ModelInput
) -> ModelInput:
    """Read --orient-by; its segmentations may be of the tomograms of the points."""
    return read_inputs(
        settings.orient_by,
        tomograms,
        pixel_size=settings.pixel_size,
        tomogram=settings.tomogram,
        named_by=[model.tomogram for model in read.models],
    )


def _prepared(
    models: Iterable[GeometricModel],
    settings: PickModelSettings,
    kind: str | None,
    tomograms: Mapping[str, Tomogram],
) -> list[GeometricModel]:
    """Read models as a type, with the options and the markers."""
    prepared = with_parameters(models, kind, settings.parameters())
    if settings.markers is not None:
        context = replace(
            TableContext.of(tomograms.values()),
            pixel_size=settings.pixel_size,
            tomogram=settings.tomogram,
        )
        markers = read_particles(settings.markers, context=context)
        prepared = with_markers(prepared, markers, settings.markers)
    return [_with_angles_and_shift(model, settings) for model in prepared]


def _with_angles_and_shift(model: GeometricModel, settings: PickModelSettings) -> GeometricModel:
    update: dict[str, Any] = {}
    if settings.in_plane is not None and isinstance(model, FreeAngleModel):
        update = {"in_plane": settings.in_plane, "seed": settings.seed}
    if settings.shift_along_normal and isinstance(model, CoveredModel):
        update["shift_along_normal"] = settings.shift_along_normal
    return model.model_copy(update=update) if update else model


def _check_options(
    models: list[GeometricModel], guides: list[GeometricModel], settings: PickModelSettings
) -> None:
    """Refuse options that nothing among the models can follow."""
    if not models:
        return
    kinds = f"models of type {', '.join(sorted({model.type for model in models}))}"
    has_general = any(isinstance(model, GeneralModel) for model in models)
    has_normals = any(isinstance(model, CoveredModel) for model in models)
    has_free_angle = any(isinstance(model, FreeAngleModel) for model in models)
    is_oriented = bool(settings.orient_by) and has_general
    if settings.orient_by and not has_general:
        raise SettingsError(
            f"--orient-by has no effect on {kinds}, which orient themselves; leave it out, or "
            "give --model-type general"
        )
    if guides and not any(isinstance(guide, CoveredModel) for guide in guides):
        raise SettingsError(
            f"--orient-by: {guides[0].label} has no surface, nor have the others; expected "
            "surfaces, vesicles or segmentations: give --orientation-model-type"
        )
    if settings.shift_along_normal and not (is_oriented or has_normals):
        raise SettingsError(
            f"--shift-along-normal has no effect on {kinds}, which have no normals; leave it out, "
            "or give --orient-by"
        )
    if settings.in_plane is not None and not (is_oriented or has_free_angle):
        raise SettingsError(f"--in-plane has no effect on {kinds}; leave it out")
    if settings.markers is not None and not any(
        getattr(model, "marker", None) is not None for model in [*models, *guides]
    ):
        raise SettingsError(
            f"{settings.markers}: has no marker for any of the models; check the names of the "
            "tomograms, and the types of the models"
        )


def _check_guides(models: list[GeometricModel], guides: list[GeometricModel]) -> None:
    """Refuse points none of which has a surface in its tomogram."""
    points, surfaces = (sorted({model.tomogram for model in each}) for each in (models, guides))
    if points and surfaces and not set(points) & set(surfaces):
        raise SettingsError(
            f"--orient-by: its surfaces are of tomogram {some_of(surfaces)}, the points of "
            f"{some_of(points)}; expected the same names: give --tomogram NAME for tables that "
            "name none, or --tomograms, which matches names that differ in folder or suffix"
        )


def _check_place(model: GeometricModel, tomograms: Mapping[str, Tomogram]) -> None:
    """Refuse a model of a tomogram that is not at hand, or wholly outside of its own."""
    if not tomograms:
        return
    if model.tomogram not in tomograms:
        raise DataError(
            f"{model.label}: this tomogram is not among those given ({', '.join(tomograms)}); add "
            "it to --tomograms"
        )
    volume = tomograms[model.tomogram].volume
    if model.points and not np.any(is_inside(model.positions(), volume)):
        raise DataError(
            f"{model.label}: all {len(model.points)} points lie outside of the tomogram; check "
            "the pixel sizes of both"
        )
