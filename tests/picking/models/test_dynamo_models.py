"""Models of Dynamo become geometric models."""

from typing import Any

import numpy as np
import pytest

from subtomo.errors import DataError
from subtomo.formats.dynamo_catalogue import MODEL_KINDS, DynamoModel
from subtomo.model import VoxelGrid
from subtomo.picking.models.dynamo_models import TYPES, model_of_dynamo
from subtomo.picking.models.geometric_model import GeometricModel

GRID = VoxelGrid(10.0, (100, 100, 100), (5.0, 5.0, 5.0))
POINTS = np.array([[10.0, 20, 30], [11, 22, 30], [12, 20, 40], [14, 21, 40]])


def made(kind: str, values: dict[str, Any] | None = None, **options: Any) -> GeometricModel:
    """Make a model of some class from numbers."""
    numbers = {key: np.atleast_1d(np.array(v, dtype=float)) for key, v in (values or {}).items()}
    points = options.pop("points", POINTS)
    groups = options.pop("groups", None)
    dipoles = options.pop("dipoles", None)
    model = DynamoModel(kind, "one", points, groups, numbers, dipoles)
    return model_of_dynamo(model, tomogram="a", grid=GRID, **options)


def test_every_class_has_a_type() -> None:
    assert set(TYPES) == set(MODEL_KINDS)


# 10 Å voxels whose first is at 5 Å: voxel 10 is at 105 Å.
def test_points_are_in_angstrom() -> None:
    model = made("general", box_size=32)
    assert model.points[0] == (105, 205, 305)
    assert (model.name, model.tomogram, model.box_size, model.pixel_size) == ("one", "a", 32, 10)
    assert made("boxes", is_one_based=True, name="b").points[0] == (95, 195, 295)


def test_a_membrane() -> None:
    values = {
        "mesh_parameter": 4,
        "crop_mesh_parameter": 8,
        "control_interval": 20,
        "mesh_maximum_triangles": 5000,
        "subdivision_iterations": 1,
        "center": (1, 2, 3),
    }
    model = made("membraneByLevels", values, groups=np.array([1, 1, 2, 2]))
    told = model.model_dump()
    assert told["type"] == "surface"
    assert told["levels"] == (1, 1, 2, 2)
    assert told["marker"] == (15, 25, 35)
    names = ("mesh_parameter", "cropping_parameter", "control_interval")
    assert [told[name] for name in names] == [40, 80, 200]
    assert (told["maximum_triangles"], told["subdivisions"]) == (5000, 1)


def test_parameters_that_are_not_told_are_defaults() -> None:
    assert (
        made("membraneByLevels", groups=np.array([1, 1, 2, 2])).model_dump()["cropping_parameter"]
        == 100
    )


def test_vesicles() -> None:
    fitted = made("vesicle", {"center": (50, 50, 50), "radius": 9}).model_dump()
    assert (fitted["centre"], fitted["radius"]) == (None, None)  # by the points
    typed = made("vesicle", {"center": (50, 50, 50), "radius": 9}, points=np.empty((0, 3)))
    assert (typed.model_dump()["centre"], typed.model_dump()["radius"]) == ((505, 505, 505), 90)
    values = {"center": (50, 50, 50), "radius_x": 5, "radius_y": 6, "radius_z": 7}
    typed = made("ellipsoidalVesicle", values, points=np.empty((0, 3)))
    assert typed.model_dump()["radii"] == (50, 60, 70)


def test_filaments() -> None:
    assert made("filament", {"subunits_dz": 4}).model_dump()["dz"] == 40
    values = {"subunits_dz": 4, "subunits_dphi": 27.5, "radius": 12}
    helix = made("filamentSubunitsInHelix", values).model_dump()
    assert (helix["dz"], helix["dphi"], helix["radius"]) == (40, 27.5, 120)


def test_dipoles() -> None:
    dipoles = np.stack([POINTS, POINTS + np.array([0, 0, 3])], axis=1)
    model = made("dipoleSet", dipoles=dipoles)
    assert model.type == "dipole"
    np.testing.assert_allclose(model.model_dump()["norths"][0], (105, 205, 335))
    assert made("dipoleSet").type == "general"  # no norths are told


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(DataError, match="radius"):
        made("filamentSubunitsInHelix", {"subunits_dz": 4})
    assert made("").type == "general"
