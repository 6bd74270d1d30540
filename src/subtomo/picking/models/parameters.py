"""Options that set fields of models, and whether each acted."""

from collections.abc import Iterable, Mapping
from typing import Any

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.model_types import MODEL_TYPES, make_model, reread_as
from subtomo.picking.models.settings import PARAMETERS

_ONE_MODEL = ("centre",)
"""Options that say where a model is: no two can be there."""


def with_parameters(
    models: Iterable[GeometricModel], kind: str | None, options: Mapping[str, Any]
) -> list[GeometricModel]:
    """Read models as a type, and set their fields.

    Parameters
    ----------
    models : as they were read; they stay as they are
    kind : type to read them as; None: their own
    options : values of those options of ``subtomo pick model`` that were given, by option

    Returns
    -------
    list of models; each has those of the values that its type has a field for

    Raises
    ------
    DataError
        If a type cannot be made of a model, or a value is wrong for it.
    """
    changed = []
    for model in models:
        fields = MODEL_TYPES[kind or model.type].model_fields
        values = {
            PARAMETERS[option]: value
            for option, value in options.items()
            if PARAMETERS[option] in fields
        }
        if kind is not None and kind != model.type:
            changed.append(reread_as(model, kind, **values))
        elif values:
            changed.append(make_model({**model.model_dump(), **values}))
        else:
            changed.append(model)
    return changed


def check_parameters(
    models: Iterable[GeometricModel],
    options: Mapping[str, Any],
    remedy: str = "--model-type",
) -> None:
    """Refuse options that no model has a field for, and those that fit one model but are many.

    Parameters
    ----------
    models : all of the job
    options : those given, by option
    remedy : the option that reads the points as another type

    Raises
    ------
    SettingsError
        Which names the option and the types there are.
    """
    models = list(models)
    kinds = sorted({model.type for model in models})
    for option in options:
        having = [m for m in models if PARAMETERS[option] in type(m).model_fields]
        name = f"--{option.replace('_', '-')}"
        if not having and models:
            possible = [
                kind
                for kind, made in MODEL_TYPES.items()
                if PARAMETERS[option] in made.model_fields
            ]
            raise SettingsError(
                f"{name} has no effect on models of type {', '.join(kinds)}; it acts on "
                f"{', '.join(possible)}: leave it out, or give {remedy}"
            )
        if option in _ONE_MODEL and len(having) > 1:
            raise SettingsError(
                f"{name} was given for {len(having)} models; expected one model: give the others "
                "theirs in a file of models"
            )
        tomograms = sorted({model.tomogram for model in having})
        if option == "marker" and len(tomograms) > 1:
            raise SettingsError(
                f"{name} was given for models of {len(tomograms)} tomograms "
                f"({some_of(tomograms)}); give one for each in a table, --markers"
            )
