"""Geometric models from those of Dynamo."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.dynamo_catalogue import DynamoModel
from subtomo.model import VoxelGrid
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.model_types import MODEL_TYPES, make_model

FloatArray = NDArray[np.float64]

TYPES: Mapping[str, str] = {
    "general": "general",
    "boxes": "general",
    "dipoleSet": "dipole",
    "membraneByLevels": "surface",
    "vesicle": "vesicle",
    "ellipsoidalVesicle": "ellipsoidal_vesicle",
    "markedEllipsoidalVesicle": "marked_ellipsoidal_vesicle",
    "filament": "filament",
    "filamentWithTorsion": "filament_with_torsion",
    "filamentSubunitsInHelix": "subunits_on_helix",
    "filamentRings": "filament_rings",
    "cubicCrystal": "cubic_lattice",
}
"""Our type of model for each of Dynamo's."""

_LENGTHS = {
    "mesh_parameter": "mesh_parameter",
    "crop_mesh_parameter": "cropping_parameter",
    "control_interval": "control_interval",
    "separation": "separation",
    "subunits_dz": "dz",
    "radius": "radius",
    "exclusion_radius": "exclusion_radius",
}
_NUMBERS = {
    "mesh_maximum_triangles": "maximum_triangles",
    "subdivision_iterations": "subdivisions",
    "subunits_dphi": "dphi",
}
_WHOLE = {"maximum_triangles", "subdivisions"}


def model_of_dynamo(
    model: DynamoModel,
    *,
    tomogram: str,
    grid: VoxelGrid,
    name: str | None = None,
    is_one_based: bool = False,
    box_size: int = 0,
) -> GeometricModel:
    """Make the geometric model that a model of Dynamo is.

    Parameters
    ----------
    model : as its file tells it; one of an unknown class becomes general points
    tomogram : name of the tomogram
    grid : voxels of the full-size tomogram, which the points count
    name : of the new model; the model's own where not given
    is_one_based : whether voxels are counted from 1
    box_size : voxels, a hint for the extraction

    Returns
    -------
    GeometricModel
        With those parameters that the type has and Dynamo told.

    Raises
    ------
    DataError
        If the type cannot be made of what the file tells, in words.
    """
    kind = TYPES.get(model.kind, "general")
    if kind == "dipole" and model.dipoles is None:
        kind = "general"
    fields = MODEL_TYPES[kind].model_fields
    values: dict[str, Any] = {
        "type": kind,
        "name": name or model.name,
        "tomogram": tomogram,
        "pixel_size": grid.pixel_size,
        "box_size": box_size,
    }
    counted = float(is_one_based)
    values["points"] = _points(grid, model.points - counted)
    if kind == "dipole" and model.dipoles is not None:
        values["points"] = _points(grid, model.dipoles[:, 0] - counted)
        values["norths"] = _points(grid, model.dipoles[:, 1] - counted)
    if "levels" in fields and model.groups is not None:
        values["levels"] = tuple(model.groups.tolist())
    values |= _parameters(model, grid.pixel_size)
    values |= _centre(model, kind, grid, counted)
    return make_model({key: value for key, value in values.items() if key in fields})


def _parameters(model: DynamoModel, pixel_size: float) -> dict[str, Any]:
    """Give the parameters of one number, lengths in Å."""
    found: dict[str, Any] = {}
    for dynamo, ours in (_LENGTHS | _NUMBERS).items():
        value = model.values.get(dynamo)
        if value is None or len(value) != 1 or (dynamo in _LENGTHS and not value[0] > 0):
            continue
        number = float(value[0]) * (pixel_size if dynamo in _LENGTHS else 1)
        found[ours] = int(number) if ours in _WHOLE else number
    return found


def _centre(model: DynamoModel, kind: str, grid: VoxelGrid, counted: float) -> dict[str, Any]:
    """Give what the centre is: a marker where there are points, else that of the vesicle."""
    centre = model.values.get("center")
    if centre is None or len(centre) != 3:
        return {}
    (point,) = _points(grid, centre[None] - counted)
    if kind in ("surface", "marked_ellipsoidal_vesicle"):
        return {"marker": point}
    if kind not in ("vesicle", "ellipsoidal_vesicle"):
        return {}
    if len(model.points):  # the geometry is fitted to what was clicked
        return {"radius": None}
    radii = [model.values.get(f"radius_{axis}", np.empty(0)) for axis in "xyz"]
    found: dict[str, Any] = {"centre": point}
    if all(len(radius) == 1 for radius in radii):
        found["radii"] = tuple(float(radius[0]) * grid.pixel_size for radius in radii)
    return found


def _points(grid: VoxelGrid, indices: FloatArray) -> tuple[tuple[float, ...], ...]:
    """Turn voxels into points that a model holds."""
    return tuple(tuple(row) for row in grid.positions(indices).tolist())
