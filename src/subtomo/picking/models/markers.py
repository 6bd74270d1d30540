"""Markers of many models from one table."""

from collections.abc import Iterable
from pathlib import Path

from subtomo.errors import DataError
from subtomo.model import Particles
from subtomo.picking.models.geometric_model import GeometricModel, Point


def with_markers(
    models: Iterable[GeometricModel], markers: Particles, path: Path
) -> list[GeometricModel]:
    """Give models the markers that a table has for them.

    Parameters
    ----------
    models : of any types; those without a marker field stay as they are
    markers : one for each tomogram, or for each instance, which is the name of a model
    path : of the table, for messages

    Raises
    ------
    DataError
        If the table has several markers for one model.
    """
    marked = []
    for model in models:
        if "marker" in type(model).model_fields:
            found = _marker(model, markers, path)
            marked.append(model if found is None else model.model_copy(update={"marker": found}))
        else:
            marked.append(model)
    return marked


def _marker(model: GeometricModel, markers: Particles, path: Path) -> Point | None:
    """Find the marker of a model: that of its name before that of its tomogram."""
    for instance in (model.name, ""):
        is_its = (markers.tomogram == model.tomogram) & (markers.instance == instance)
        if is_its.sum() > 1:
            raise DataError(
                f"{path}: {is_its.sum()} markers for {model.label}; expected one for each "
                "tomogram, or for each instance"
            )
        if is_its.any():
            x, y, z = markers.position[is_its][0].tolist()
            return x, y, z
    return None
