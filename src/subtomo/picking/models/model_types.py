"""The types of models: a row each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from subtomo.errors import DataError
from subtomo.jobs.words import nearest
from subtomo.picking.models.cubic_lattice import CubicLatticeModel
from subtomo.picking.models.dipole import DipoleModel
from subtomo.picking.models.ellipsoidal_vesicle import EllipsoidalVesicleModel
from subtomo.picking.models.filament import FilamentModel
from subtomo.picking.models.filament_rings import FilamentRingsModel
from subtomo.picking.models.filament_with_torsion import FilamentWithTorsionModel
from subtomo.picking.models.general import GeneralModel
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.marked_ellipsoidal_vesicle import MarkedEllipsoidalVesicleModel
from subtomo.picking.models.segmentation import SegmentationModel
from subtomo.picking.models.subunits_on_helix import SubunitsOnHelixModel
from subtomo.picking.models.surface import SurfaceModel
from subtomo.picking.models.vesicle import VesicleModel

MODEL_TYPES: Mapping[str, type[GeometricModel]] = {
    kind.model_fields["type"].default: kind
    for kind in (
        GeneralModel,
        DipoleModel,
        SurfaceModel,
        VesicleModel,
        EllipsoidalVesicleModel,
        MarkedEllipsoidalVesicleModel,
        FilamentModel,
        FilamentWithTorsionModel,
        SubunitsOnHelixModel,
        FilamentRingsModel,
        CubicLatticeModel,
        SegmentationModel,
    )
}
"""The class of each type of model, by the name that files and options have for it."""


def make_model(values: Mapping[str, Any], *, is_strict: bool = False) -> GeometricModel:
    """Make a model of what a file or another program says of it.

    Parameters
    ----------
    values : by field name; ``type`` says which fields there are
    is_strict : of JSON, whose text and switches are not taken for numbers

    Raises
    ------
    DataError
        In words: an unknown type or field, one that is missing, a value that is wrong.
    """
    kind = MODEL_TYPES.get(str(values.get("type", "")))
    if kind is None:
        found = f"type '{values['type']}'" if "type" in values else "no type"
        raise DataError(f"found {found}; expected one of {', '.join(MODEL_TYPES)}")
    try:
        if is_strict:
            return kind.model_validate(_of_json(values), strict=True)
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise DataError(_in_words(error, kind)) from None


def reread_as(model: GeometricModel, kind: str, **parameters: Any) -> GeometricModel:
    """Read the points of a model as another type; the model itself stays as it was.

    Parameters
    ----------
    model : any
    kind : name of the type, a key of ``MODEL_TYPES``
    parameters : fields of the new model that the old one does not have, or has otherwise

    Returns
    -------
    GeometricModel
        With the fields that both types have; what only the old one had is left behind.

    Raises
    ------
    DataError
        If the new type cannot be made of that, in words.
    """
    if kind not in MODEL_TYPES:
        raise DataError(f"found type '{kind}'; expected one of {', '.join(MODEL_TYPES)}")
    shared = {
        name: value
        for name, value in model.model_dump().items()
        if name in MODEL_TYPES[kind].model_fields and name != "type"
    }
    points = model.points_for(kind)
    try:
        return make_model({**shared, **points, **parameters, "type": kind})
    except DataError as error:
        raise DataError(f"{model.label} as {kind}: {error}") from None


def _of_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give lists and paths the types that JSON has not."""

    def fixed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: fixed(each) for name, each in value.items()}
        return tuple(map(fixed, value)) if isinstance(value, list) else value

    found: dict[str, Any] = fixed(dict(values))
    path = found.get("path")
    return {**found, "path": Path(path)} if isinstance(path, str) else found


def _in_words(error: ValidationError, kind: type[GeometricModel]) -> str:
    """Say the first fault of a model's values."""
    details = error.errors(include_url=False)[0]
    name = str(details["loc"][0]) if details["loc"] else ""
    if details["type"] == "extra_forbidden" and len(details["loc"]) == 1:
        return f"{name} is no field of this type of model{nearest(name, kind.model_fields)}"
    if details["type"] == "missing" and len(details["loc"]) == 1:
        return f"{name} is missing"
    if details["type"] == "value_error":
        return str(details["msg"]).removeprefix("Value error, ")
    place = name + "".join(f"[{part}]" for part in details["loc"][1:] if isinstance(part, int))
    expected = str(details["msg"]).removeprefix("Input should be ")
    return f"{place}: found {details['input']!r:.60}; expected {expected}"
