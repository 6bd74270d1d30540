"""Catalogues and models of Dynamo (``.ctlg``, ``.omd``): MATLAB objects, read as far as they tell.

Dynamo is closed and its classes are not published: what is read are the properties that its wiki
and scipion-em-dynamo name. Where a file cannot be read, MATLAB itself exports it in one line, which
the message gives.

Source: https://wiki.dynamo.biozentrum.unibas.ch (Catalogue, Model); scipion-em-dynamo.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingDependency
from subtomo.formats.dynamo_vll import DynamoVolume
from subtomo.formats.matlab_objects import (
    elements,
    fields_of,
    find_with,
    numbers_of,
    read_matlab,
    text_of,
)

FloatArray = NDArray[np.float64]

MODEL_KINDS = (
    *("general", "boxes", "dipoleSet", "membraneByLevels", "vesicle", "ellipsoidalVesicle"),
    *("markedEllipsoidalVesicle", "filament", "filamentWithTorsion", "filamentSubunitsInHelix"),
    *("filamentRings", "cubicCrystal"),
)
"""Classes of models, as they are called in names of files (``mgeneral.omd``)."""

_PROPERTIES = ("label", "index", "ftype", "xtilt", "ytilt", "ztilt", "apix", "defocus")


@dataclass(frozen=True, eq=False)
class DynamoModel:
    """A model, as its file tells it.

    Parameters
    ----------
    kind : one of ``MODEL_KINDS``, '' where neither the file's name nor its class says it
    name : of the model, or the file
    points : (n, 3) voxels of the full-size tomogram, columns x, y, z: what was clicked
    groups : (n,) level or contour of each point, None where it is not told
    values : other properties that are numbers, by name
    dipoles : (n, 2, 3) centre and north of each dipole
    volume : path of the tomogram, '' where it is not told
    """

    kind: str
    name: str
    points: FloatArray
    groups: NDArray[np.int64] | None = None
    values: dict[str, FloatArray] = field(default_factory=dict)
    dipoles: FloatArray | None = None
    volume: str = ""


def export_catalogue(path: Path) -> str:
    """Give the line of MATLAB that writes a catalogue as a list of volumes."""
    return (
        f"s = load('{path.name}','-mat'); k = fieldnames(s); c = s.(k{{1}}); "
        f"f = fopen('{path.stem}.vll','w'); for i = 1:numel(c.volumes), fprintf(f, "
        f"'%s\\n* index = %d\\n', c.volumes{{i}}.file, i); end; fclose(f);"
    )


def export_model(path: Path) -> str:
    """Give the line of MATLAB that writes the points of a model as text."""
    return (
        f"m = dread('{path.name}'); dlmwrite('{path.stem}.txt', m.points, 'delimiter', ' ', "
        "'precision', 9);"
    )


def read_catalogue(path: Path) -> list[DynamoVolume]:
    """Read the tomograms of a catalogue, as a list of volumes would tell them.

    Parameters
    ----------
    path : ``.ctlg``; models are looked for in the folder beside it that has its name

    Raises
    ------
    MissingFileError, MissingDependency
        If there is no such file, or mat-io is not installed.
    FormatError
        If it cannot be read, with the line of MATLAB that exports it.
    """
    hint = f"or in MATLAB, beside the catalogue: {export_catalogue(path)} Then import the .vll"
    _, catalogue = _object_with("volumes", path, hint)
    volumes = []
    for place, one in enumerate(elements(catalogue["volumes"]), 1):
        properties = fields_of(one) or {}
        file = text_of(properties.get("file"))
        if not file:
            raise FormatError(f"{path}: volume {place} names no file; {hint}")
        volumes.append(_volume(path, place, file, dict(properties)))
    return volumes


def read_dynamo_model(path: Path) -> DynamoModel:
    """Read a model.

    Parameters
    ----------
    path : ``.omd``

    Raises
    ------
    MissingFileError, MissingDependency
        If there is no such file, or mat-io is not installed.
    FormatError
        If it cannot be read, with the line of MATLAB that exports its points.
    """
    hint = f"or in MATLAB: {export_model(path)} Then give {path.stem}.txt to subtomo pick model"
    content, found = _object_with("points", path, hint)
    points = numbers_of(found["points"])
    shape = np.shape(found["points"])
    if len(points) and (len(shape) != 2 or shape[1] != 3 or not np.isfinite(points).all()):
        raise FormatError(
            f"{path}: points have the shape {shape}; expected finite numbers in three columns; "
            f"{hint}"
        )
    groups = numbers_of(found.get("group_labels"))
    volume = fields_of(found.get("cvolume")) or {}
    return DynamoModel(
        kind=_kind(path, content),
        name=text_of(found.get("name")) or path.stem,
        points=points.reshape(-1, 3),
        groups=groups.astype(np.int64) if len(groups) == len(points) // 3 else None,
        values=_values(found),
        dipoles=_dipoles(found.get("dipoles")),
        volume=text_of(volume.get("file")),
    )


def _object_with(name: str, path: Path, hint: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Read a file, and find the object in it that has a property."""
    try:
        content = read_matlab(path)
    except (FormatError, MissingDependency) as error:
        raise type(error)(f"{error}; {hint}") from None
    found = find_with(content, {name})
    if found is None:
        raise FormatError(f"{path}: no object in it has {name}; {hint}")
    return content, found


def _volume(path: Path, place: int, file: str, properties: dict[str, Any]) -> DynamoVolume:
    """Tell a volume of a catalogue as a list of volumes does."""
    told: dict[str, str] = {}
    for name in _PROPERTIES:
        value = properties.get(name)
        text = text_of(value) or " ".join(f"{number:g}" for number in numbers_of(value))
        if text and "nan" not in text:
            told[name] = text
    index = told.setdefault("index", str(place))
    if not (index.isascii() and index.isdigit()):
        raise FormatError(
            f"{path}: volume {place} ({file}) has index {index}; expected a whole number from 0, "
            "by which its folder of models is called"
        )
    folder = path.with_suffix("")
    places = (folder / "tomograms", folder)  # the second in older catalogues
    models = [
        str(model)
        for place_of in places
        for model in sorted((place_of / f"volume_{index}" / "models").glob("*.omd"))
    ]
    return DynamoVolume(file, told, models=tuple(models))


def _kind(path: Path, content: dict[str, Any]) -> str:
    """Tell the class of a model from the name of its file (m + class + number), or its class."""
    names = [re.sub(r"(_?\d+)*$", "", path.stem).removeprefix("m")]
    names += [str(getattr(v, "classname", "")).rpartition(".")[2] for v in content.values()]
    known = {kind.lower(): kind for kind in MODEL_KINDS}
    return next((known[name.lower()] for name in names if name.lower() in known), "")


def _values(found: Any) -> dict[str, FloatArray]:
    """Give the properties that are a few numbers."""
    values = {name: numbers_of(value) for name, value in found.items() if name != "points"}
    return {
        name: value
        for name, value in values.items()
        if 0 < len(value) <= 3 and np.isfinite(value).all()
    }


def _dipoles(cell: Any) -> FloatArray | None:
    """Give centre and north of each dipole, where they are told."""
    rows = []
    for one in elements(cell):
        properties = fields_of(one) or {}
        ends = [numbers_of(properties.get(name)) for name in ("center", "north")]
        if any(len(end) != 3 for end in ends):
            return None
        rows.append(ends)
    return np.array(rows) if rows else None
