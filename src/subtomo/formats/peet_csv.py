"""Motive lists of PEET (``.csv``) with the model of IMOD beside them that holds the positions.

A row has 20 values: 1 CCC, 4 pIndex (the point of the model, from 1), 11 to 13 the offsets in
voxels, 17 EulerZ(1), 18 EulerZ(3), 19 EulerX(2) in degrees, 20 the class. The others are kept as
``peet.NUMBER``. Position = point + offset; R = Rz(Z3) · Rx(X2) · Rz(Z1) takes the reference to the
tomogram, and angles that are all 0 say nothing.

Source: the header that PEET writes and the columns in its page on alignSubset; the reader of PEET
projects in cylindra, which has the same rotations.
"""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.atomic import replacing
from subtomo.formats.columns import typed_column
from subtomo.formats.group_numbers import names_of
from subtomo.formats.imod_model import (
    model_of_particles,
    particles_of_model,
    with_pixel_size,
)
from subtomo.formats.imod_model_file import read_imod_model_file, write_imod_model_file
from subtomo.formats.motive_list import phi_psi_theta
from subtomo.formats.numbered_particles import group_numbers
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import file_start, read_text
from subtomo.formats.text_table import TextTable
from subtomo.formats.unknown_scores import read_scores, written_scores
from subtomo.geometry.euler import dynamo_from_quaternions, quaternions_from_dynamo
from subtomo.model import Particles

FloatArray = NDArray[np.float64]

PREFIX = "peet."
_HEADER = (
    "CCC,reserved,reserved,pIndex,wedgeWT,NA,NA,NA,NA,NA,xOffset,yOffset,zOffset,NA,NA,reserved,"
    "EulerZ(1),EulerZ(3),EulerX(2),reserved,CREATED WITH subtomo"
)
_N_COLUMNS = 20
_CCC, _POINT, _CLASS = "CCC", "pIndex", "class (20)"
_OFFSETS = ("xOffset", "yOffset", "zOffset")
_ANGLES = ("EulerZ(1)", "EulerZ(3)", "EulerX(2)")
_NAMES = {
    **{1: _CCC, 4: _POINT, 20: _CLASS},
    **dict(zip((11, 12, 13), _OFFSETS, strict=True)),
    **dict(zip((17, 18, 19), _ANGLES, strict=True)),
}
_MODEL_SUFFIX = ".mod"
_LIST_PART = re.compile(r"[-_.]?(?:initial_?|init)?MOTL.*$", re.IGNORECASE)


def is_peet_csv(path: Path) -> bool:
    """Tell whether a CSV file is a motive list of PEET."""
    start = file_start(path).decode("utf-8-sig", "replace")
    return start.startswith(_CCC) and _POINT in start and _ANGLES[0] in start


def read_peet_csv(path: Path, context: TableContext) -> Particles:
    """Read a motive list of PEET.

    Parameters
    ----------
    path : ``.csv``; the model is beside it and has its name, or that before ``_MOTL`` or
        ``_initMOTL``, or is the only one there
    context : voxels of the tomogram

    Returns
    -------
    Particles in the order of the list; instances are the contours' of the model, and the class is
    the list's, else that of the model

    Raises
    ------
    MissingFileError
        If the list or the model does not exist.
    FormatError
        If a line has not 20 values, a value is not a number, or the model has no such point.
    SettingsError
        If the voxels of the tomogram are not known.
    """
    table = _read_table(path)
    beside = _find_model(path)
    model = read_imod_model_file(beside)
    context = replace(context, tomogram=context.only_tomogram(path))
    context = with_pixel_size(model, beside, context)
    points = particles_of_model(model, beside, context)
    index = table.integers(_POINT) - 1
    bad = np.flatnonzero((index < 0) | (index >= len(points)))
    if len(bad):
        raise FormatError(
            f"{table.place(bad[0])}: {_POINT} is {index[bad[0]] + 1}; expected 1 to {len(points)}, "
            f"the points of {beside.name}"
        )
    particles = points.select(index)
    angles, score = table.stacked(_ANGLES), table.stacked([_CCC])[:, 0]
    columns: dict[str, Any] = {}
    if np.any(table.integers(_CLASS) != 0):
        columns[context.group_field("class")] = names_of(table.integers(_CLASS))
    return particles.with_columns(
        position=particles.position + _shifts(table, particles, path, context),
        orientation=quaternions_from_dynamo(-angles[:, [1, 2, 0]]),
        is_oriented=(angles != 0).any(axis=1),
        **columns,
        score=read_scores(score),
        extra={
            PREFIX + tag: typed_column(tag, table.text(tag))
            for tag in table.columns
            if tag not in _NAMES.values() and np.any(table.text(tag) != "0")
        },
    )


def write_peet_csv(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a motive list of PEET and its model; offsets are 0.

    Parameters
    ----------
    path : ``.csv``; the model has its name with ``.mod``; each replaced in one step
    particles : of one tomogram, written instance by instance
        Classes and instances that are no whole numbers are counted from 1.
    context : voxels of the tomogram; what the class stands for

    Raises
    ------
    SettingsError
        If the voxels of the tomogram are not known.
    """
    n = len(particles)
    group = group_numbers(particles, context.group_field("class"))
    one_object = particles.with_columns(class_name=np.full(n, ""), score=np.full(n, np.nan))
    model, order = model_of_particles(one_object, path, context)
    angles = np.round(dynamo_from_quaternions(particles.orientation), 6) + 0.0
    angles[~particles.is_oriented] = 0
    columns: dict[int, NDArray[Any]] = dict.fromkeys(
        range(1, _N_COLUMNS + 1), np.zeros(n, dtype=np.int64)
    )
    for name, column in particles.extra.items():
        if keeps_column(name):
            columns[int(name.removeprefix(PREFIX))] = column
    columns |= {1: written_scores(particles.score), 20: group}
    columns |= dict(zip((17, 18, 19), phi_psi_theta(angles).T, strict=True))
    columns = {number: column[order] for number, column in columns.items()}
    columns[4] = np.arange(1, n + 1)
    rows = zip(*(column.astype(np.str_).tolist() for column in columns.values()), strict=True)
    lines = [_HEADER, *(",".join(row) for row in rows)]
    write_imod_model_file(path.with_suffix(_MODEL_SUFFIX), model)
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def model_beside(path: Path, particles: Particles) -> list[Path]:
    """Give the model that is written beside a list."""
    return [path.with_suffix(_MODEL_SUFFIX)]


def keeps_column(name: str) -> bool:
    """Tell whether a further column of particles has a place in a motive list of PEET."""
    return name in {f"{PREFIX}{n}" for n in range(1, _N_COLUMNS + 1) if n not in _NAMES}


def _shifts(
    table: TextTable, particles: Particles, path: Path, context: TableContext
) -> FloatArray:
    """Give the offsets in Å."""
    offsets = table.stacked(_OFFSETS)
    if not len(particles):
        return offsets
    return offsets * context.grid_of(str(particles.tomogram[0]), path).pixel_size


def _read_table(path: Path) -> TextTable:
    """Read the columns as text, called as PEET calls them or by their number."""
    text = read_text(path, "a motive list of PEET")
    if not text.startswith(_CCC):
        raise FormatError(
            f"{path}: its header does not start with {_CCC}; expected a motive list of PEET"
        )
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    for row in reader:
        values = [value.strip() for value in row]
        if reader.line_num == 1 or not any(values):
            continue
        if len(values) != _N_COLUMNS:
            raise FormatError(
                f"{path}, line {reader.line_num}: {len(values)} values; expected {_N_COLUMNS}"
            )
        rows.append(values)
        lines.append(reader.line_num)
    columns = np.array(rows, dtype=np.str_).reshape(-1, _N_COLUMNS).T
    named = {_NAMES.get(n, str(n)): column for n, column in enumerate(columns, 1)}
    return TextTable(named, source=str(path), lines=lines)


def _find_model(path: Path) -> Path:
    """Find the model that a list counts the points of."""
    stems = dict.fromkeys([path.stem, _LIST_PART.sub("", path.stem)])
    names = [stem + _MODEL_SUFFIX for stem in stems if stem]
    found = next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)
    if found is not None:
        return found
    there = sorted(path.parent.glob(f"*{_MODEL_SUFFIX}"))
    if len(there) == 1:
        return there[0]
    raise MissingFileError(
        f"{path}: needs the model with the positions; {' or '.join(names)} is not beside it: copy "
        "it there under this name"
    )
