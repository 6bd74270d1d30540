"""Particle lists of PyTom (``.xml``): a ``Particle`` each, its values in attributes.

Position = ``PickPosition`` + ``Shift`` in voxels of the tomogram, which ``Origin`` names;
R = Rz(Z2) · Rx(X) · Rz(Z1) takes the reference to the tomogram, and angles that are all 0 say
nothing. ``Class`` 0 is none. Other attributes are kept as ``pytom.ELEMENT.ATTRIBUTE``;
what PyTom has no word for is in elements ``<subtomo Name="..." Value="..."/>``.

Source: particle lists in PyTom's own tests (SBC-Utrecht/PyTom), its ``particleVolume``, which
turns the template by (Z1, Z2, X) = (phi, psi, theta), and ``buildGraph``, which adds the shifts.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.atomic import replacing
from subtomo.formats.carried_columns import (
    WORD,
    carried,
    columns_of,
    rows_of,
    with_carried,
)
from subtomo.formats.columns import typed_column
from subtomo.formats.motive_list import phi_psi_theta
from subtomo.formats.paths import missing_file
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import file_start
from subtomo.formats.text_table import TextTable
from subtomo.formats.tomogram_names import base_name
from subtomo.formats.unknown_scores import are_said, read_scores
from subtomo.geometry.euler import dynamo_from_quaternions, quaternions_from_dynamo
from subtomo.model import Particles

PREFIX = "pytom."
_LIST, _PARTICLE = "ParticleList", "Particle"
_POSITION = tuple(f"PickPosition.{axis}" for axis in "XYZ")
_SHIFT = tuple(f"Shift.{axis}" for axis in "XYZ")
_ANGLES = ("Rotation.Z1", "Rotation.Z2", "Rotation.X")
_PARADIGM = "Rotation.Paradigm"
_ORIGIN, _SCORE, _CLASS = "PickPosition.Origin", "Score.Value", "Class.Name"
_NAME, _VALUE = "Name", "Value"
_NO_CLASS = "0"
_ZERO = {**dict.fromkeys((*_SHIFT, *_ANGLES, _SCORE), "0"), _CLASS: _NO_CLASS, _PARADIGM: "ZXZ"}
_CONSUMED = {*_POSITION, *_SHIFT, *_ANGLES, _PARADIGM, _SCORE, _CLASS}
_NUMBERED = re.compile(r"(.*)\[(\d+)\]")


def is_pytom_xml(path: Path) -> bool:
    """Tell whether a file holds a particle list of PyTom."""
    return f"<{_LIST}".encode() in file_start(path)


def read_pytom_xml(path: Path, context: TableContext) -> Particles:
    """Read a particle list of PyTom.

    Parameters
    ----------
    path : ``.xml``
    context : voxels of the tomograms; the name of those without ``Origin``

    Returns
    -------
    Particles in the order of the file; tomograms are called as the base name of ``Origin``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not such a list, a particle has no position, a value is not a number, or angles
        are in another order than ZXZ.
    SettingsError
        If the voxels of a tomogram are not known, or a name is given and none lacks one.
    """
    elements = _particle_elements(path)
    table = _table(elements, path)
    origin = table.text(_ORIGIN)
    if context.tomogram is not None and len(origin) and np.all(origin != ""):
        raise SettingsError(
            f"{path}: --tomogram {context.tomogram} has no effect: all its particles name their "
            f"tomogram ({base_name(str(origin[0]))}); leave it out"
        )
    only = context.only_tomogram(path)
    tomogram = np.array([base_name(name) if name else only for name in origin], dtype=np.str_)
    z1, z2, x = table.stacked(_ANGLES).T
    score, names = table.numbers(_SCORE), table.text(_CLASS)
    particles = Particles(
        tomogram=tomogram,
        position=context.positions(
            tomogram, table.stacked(_POSITION) + table.stacked(_SHIFT), path
        ),
        orientation=quaternions_from_dynamo(np.stack([-z2, -x, -z1], axis=1)),
        is_oriented=(np.stack([z1, z2, x], axis=1) != 0).any(axis=1),
        class_name=np.where(names == _NO_CLASS, "", names),
        score=read_scores(score),
        extra={
            PREFIX + tag: typed_column(tag, table.text(tag))
            for tag in table.columns
            if tag not in _CONSUMED and np.any(table.text(tag) != "")
        },
    )
    return with_carried(particles, columns_of(_carried_by(each) for each in elements), str(path))


def write_pytom_xml(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a particle list of PyTom; shifts are 0.

    Parameters
    ----------
    path : ``.xml``, replaced in one step
    particles : the table
    context : voxels of the tomograms

    Raises
    ------
    SettingsError
        If the voxels of a tomogram are not known.
    """
    angles = np.round(dynamo_from_quaternions(particles.orientation), 6) + 0.0
    angles[~particles.is_oriented] = 0
    z1, z2, x = phi_psi_theta(angles).T
    zero = np.zeros(len(particles))
    columns: dict[str, NDArray[Any]] = {
        "Filename": np.full(len(particles), ""),
        **dict(zip(_ANGLES, (z1, z2, x), strict=True)),
        _PARADIGM: np.full(len(particles), _ZERO[_PARADIGM]),
        **dict.fromkeys(_SHIFT, zero),
        **dict(zip(_POSITION, context.indices(particles, path).T, strict=True)),
        _ORIGIN: _origins(particles),
        _SCORE: np.where(np.isfinite(particles.score), particles.score.astype(np.str_), ""),
        _CLASS: np.where(particles.class_name == "", _NO_CLASS, particles.class_name),
    }
    for name, column in particles.extra.items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) != _ORIGIN:
            columns[name.removeprefix(PREFIX)] = column
    rows = zip(*(column.astype(np.str_).tolist() for column in columns.values()), strict=True)
    others = carried(particles, _fields_to_carry(particles), PREFIX)
    root = ElementTree.Element(_LIST)
    for row, more in zip(rows, rows_of(others, len(particles)), strict=True):
        particle = _element(dict(zip(columns, row, strict=True)))
        for name, value in more.items():
            ElementTree.SubElement(particle, WORD, {_NAME: name, _VALUE: value})
        root.append(particle)
    ElementTree.indent(root)
    with replacing(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8")


def _fields_to_carry(particles: Particles) -> list[str]:
    """Name the fields that PyTom has no word for, or in which it takes 0 for nothing."""
    fields = ["instance", "source", "half", "box_size"]
    if np.any(particles.class_name == _NO_CLASS):
        fields.append("class_name")
    return fields if are_said(particles.score) else [*fields, "score"]


def _particle_elements(path: Path) -> list[ElementTree.Element]:
    """Parse the file."""
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "a particle list") from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FormatError(f"{path}: not XML ({error}); expected a particle list of PyTom") from None
    found = root if root.tag == _LIST else root.find(f".//{_LIST}")
    if found is None:
        raise FormatError(f"{path}: has <{root.tag}>, no <{_LIST}>; expected one of PyTom")
    return found.findall(_PARTICLE)


def _table(elements: list[ElementTree.Element], path: Path) -> TextTable:
    """Give the attributes as columns; what is not there is 0 or empty."""
    rows = [dict(_attributes(element)) for element in elements]
    for number, row in enumerate(rows, 1):
        missing = next((tag for tag in _POSITION if tag not in row), None)
        if missing:
            raise FormatError(f"{path}, particle {number}: no {missing}; expected X, Y and Z")
        paradigm = row.get(_PARADIGM, _ZERO[_PARADIGM])
        if paradigm != _ZERO[_PARADIGM]:
            raise FormatError(f"{path}, particle {number}: angles are {paradigm}; expected ZXZ")
    tags = dict.fromkeys([*_POSITION, _ORIGIN, *_ZERO])
    for row in rows:
        tags.update(dict.fromkeys(row))
    columns = {
        tag: np.array([row.get(tag, _ZERO.get(tag, "")) for row in rows], np.str_) for tag in tags
    }
    return TextTable(columns, source=str(path))


def _carried_by(element: ElementTree.Element) -> dict[str, str]:
    """Give what a particle carries that PyTom has no word for."""
    return {each.get(_NAME, ""): each.get(_VALUE, "") for each in element.findall(WORD)}


def _attributes(element: ElementTree.Element, place: str = "") -> Iterator[tuple[str, str]]:
    """Give all attributes below a particle, by ``ELEMENT.ATTRIBUTE``; twins are numbered."""
    for name, value in element.attrib.items():
        yield place + name, value
    seen: dict[str, int] = {}
    for child in element:
        if isinstance(child.tag, str) and child.tag != WORD:
            seen[child.tag] = seen.get(child.tag, 0) + 1
            number = f"[{seen[child.tag]}]" if seen[child.tag] > 1 else ""
            yield from _attributes(child, f"{place}{child.tag}{number}.")


def _element(row: Mapping[str, str]) -> ElementTree.Element:
    """Make a particle of its attributes; empty ones are left out, but for the file's name."""
    particle = ElementTree.Element(_PARTICLE)
    made: dict[str, ElementTree.Element] = {"": particle}
    for tag, value in row.items():
        place, _, name = tag.rpartition(".")
        if value or tag == "Filename":
            _made(place, made).set(name, value)
    return particle


def _made(place: str, made: dict[str, ElementTree.Element]) -> ElementTree.Element:
    """Give the element at a place, made where it is not there."""
    if place not in made:
        above, _, tag = place.rpartition(".")
        numbered = _NUMBERED.fullmatch(tag)
        name = numbered.group(1) if numbered else tag
        made[place] = ElementTree.SubElement(_made(above, made), name)
    return made[place]


def _origins(particles: Particles) -> NDArray[np.str_]:
    """Give the tomograms, with the path that they came with."""
    kept = particles.extra.get(PREFIX + _ORIGIN)
    if kept is None:
        return particles.tomogram
    pairs = zip(kept.astype(np.str_).tolist(), particles.tomogram.tolist(), strict=True)
    return np.array(
        [path if base_name(path) == base_name(name) else name for path, name in pairs], np.str_
    )
