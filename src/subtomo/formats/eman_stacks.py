"""Particles in the headers of EMAN's stacks (``.hdf``) and in its lists of them (``.lst``).

``ptcl_source_coord`` is the middle of a box, from voxel (nx // 2, ny // 2, nz // 2) of the
tomogram, in pixels of the particle (``apix_x``, or ``apix_unbin`` where it is there); stacks of
the older boxer, which have a ``source_path``, count from the corner. ``xform.align3d`` holds the
pose. A stack called ``TOMOGRAM__LABEL.hdf`` holds particles of one kind: the label is the class. A
line of a list names an image of a stack and may say ``coord``, ``xform.align3d``, ``score`` (the
lower the better: ours is its negative) and ``class`` (0 and 1 are the halves); what it says wins
over the header. Other values are kept as ``eman.NAME``; what EMAN has no word for is in a mapping
``subtomo``.

Source: EMAN2's e2spt_extract, e2spt_boxer, e2spt_gathersubtlt (cryoem/eman2), and
the reader of such lists in Scipion's EMAN plugin.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.carried_columns import (
    WORD,
    carried,
    columns_of,
    rows_of,
    with_carried,
)
from subtomo.formats.eman_entries import (
    APIX,
    COORD,
    HALF,
    INDEX,
    POSE,
    PREFIX,
    SCORE,
    SOURCE,
    EmanEntry,
    label_of,
    particles_of_entries,
)
from subtomo.formats.eman_hdf import read_eman_headers
from subtomo.formats.eman_list import ListLine, read_list_lines, write_list_lines
from subtomo.formats.eman_transform import (
    transform_of_rotation,
)
from subtomo.formats.paths import find_file
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import base_name
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles

FloatArray = NDArray[np.float64]


def read_eman_stack(path: Path, context: TableContext) -> Particles:
    """Read the particles of a stack from its headers.

    Parameters
    ----------
    path : ``.hdf``
    context : voxels and sizes of the tomograms

    Returns
    -------
    Particles in the order of the stack

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not such a stack, or an image has no coordinates.
    SettingsError
        If the voxels or the size of a tomogram are not known.
    """
    headers = read_eman_headers(path)
    entries = [
        EmanEntry(header, str(path), index, f"{path}, image {index}")
        for index, header in enumerate(headers)
    ]
    return particles_of_entries(entries, path, context)


def read_eman_list(path: Path, context: TableContext) -> Particles:
    """Read the particles of a list.

    Parameters
    ----------
    path : ``.lst``; the stacks that it names need not be there where it says the coordinates
    context : voxels and sizes of the tomograms

    Returns
    -------
    Particles in the order of the list

    Raises
    ------
    MissingFileError
        If the file does not exist, or a stack that is needed.
    FormatError
        If it is not such a list, a line is not as it should be, or a stack has no such image.
    SettingsError
        If the voxels or the size of a tomogram are not known.
    """
    headers: dict[str, list[dict[str, Any]]] = {}
    entries = []
    for line in read_list_lines(path):
        if line.source not in headers:
            found = find_file(line.source, path)
            headers[line.source] = [] if found is None else read_eman_headers(found)
        says = {**_header_of(line, headers[line.source], path), **line.says}
        entries.append(EmanEntry(says, line.source, line.index, line.place))
    others = (entry.says.get(WORD, {}) for entry in entries)
    says = columns_of(each if isinstance(each, dict) else {} for each in others)
    return with_carried(particles_of_entries(entries, path, context), says, str(path))


def write_eman_list(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a list, with coordinates in pixels of the full-resolution tomogram from its middle.

    Parameters
    ----------
    path : ``.lst``, replaced in one step
        Particles that came from EMAN keep the stack and the number that they had there; others are
        called as EMAN would call their stack, ``particles3d/TOMOGRAM__CLASS.hdf``.
    particles : the table
    context : voxels and sizes of the tomograms; the full resolution, else their voxels count

    Raises
    ------
    SettingsError
        If the voxels or the size of a tomogram are not known.
    """
    coordinates, apix = _coordinates(particles, path, context)
    names, indices = _images(particles)
    matrices = matrices_from_quaternions(particles.orientation)
    own = {
        name.removeprefix(PREFIX): column
        for name, column in particles.extra.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in (SOURCE, INDEX)
    }
    fields = _fields_to_carry(particles, names)
    others = rows_of(carried(particles, fields, PREFIX), len(particles))
    lines: list[ListLine] = []
    for row in range(len(particles)):
        said: dict[str, Any] = {COORD: coordinates[row].tolist(), APIX: float(apix[row])}
        if particles.is_oriented[row]:
            said[POSE] = transform_of_rotation(matrices[row])
        if np.isfinite(particles.score[row]):
            said[SCORE] = -float(particles.score[row])
        if particles.half[row]:
            said[HALF] = int(particles.half[row]) - 1
        said |= {name: _value(column[row]) for name, column in own.items()}
        said = {key: value for key, value in said.items() if value != ""}
        if others[row]:
            said[WORD] = others[row]
        lines.append(ListLine(indices[row], names[row], said))
    write_list_lines(path, lines)


def _fields_to_carry(particles: Particles, stacks: list[str]) -> list[str]:
    """Name the fields that EMAN's words and the names of the stacks do not say."""
    is_said = [label_of(name) for name in stacks] == particles.class_name.tolist()
    return ["instance", "source", "box_size", *(["class_name"] * (not is_said))]


def _header_of(line: ListLine, headers: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    """Give the header of the image that a line means; nothing where its stack is not there."""
    if not headers and COORD not in line.says:
        raise MissingFileError(
            f"{line.place}: says no {COORD}, and the stack {line.source}, whose headers have it, "
            f"is not there or empty: put it beside {path.name} under this name"
        )
    if headers and line.index >= len(headers):
        raise FormatError(
            f"{line.place}: image {line.index} of {line.source}, which has {len(headers)}; images "
            "count from 0"
        )
    return headers[line.index] if headers else {}


def _value(value: Any) -> Any:
    """Give a value of a column as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _coordinates(
    particles: Particles, path: Path, context: TableContext
) -> tuple[FloatArray, FloatArray]:
    """Give coordinates from the middle, and the pixel size that they count in."""
    coordinates, apix = np.empty((len(particles), 3)), np.empty(len(particles))
    for name in np.unique(particles.tomogram).tolist():
        rows = particles.tomogram == name
        grid, size_px = context.sized_grid_of(name, path)
        apix[rows] = context.frames[name].pixel_size if name in context.frames else grid.pixel_size
        middle = grid.positions(size_px // 2)
        coordinates[rows] = (particles.position[rows] - middle) / apix[rows][:, None]
    return np.round(coordinates, 6) + 0.0, apix


def _images(particles: Particles) -> tuple[list[str], list[int]]:
    """Give the stack of each particle, and its number in it."""
    kept = particles.extra.get(PREFIX + SOURCE), particles.extra.get(PREFIX + INDEX)
    if kept[0] is not None and kept[1] is not None and np.all(kept[0] != ""):
        return kept[0].astype(np.str_).tolist(), [int(number) for number in kept[1]]
    names = [
        f"particles3d/{base_name(tomogram)}__{label}.hdf"
        for tomogram, label in zip(particles.tomogram, particles.class_name, strict=True)
    ]
    counts: dict[str, int] = {}
    indices = []
    for name in names:
        indices.append(counts.get(name, 0))
        counts[name] = indices[-1] + 1
    return names, indices
