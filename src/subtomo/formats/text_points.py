"""Points in plain text (``.txt``, ``.coords``, ``.xyz``): ``x y z`` in voxels, one a line.

Values are separated by spaces, tabs, commas or semicolons; ``#`` starts a comment. A fourth value
is the number of the group, as Scipion has it; a first one that counts the lines (1, 2, 3 ... or
from 0) is an id. With a header, ``x``, ``y`` and ``z`` stand anywhere, ``tomogram``,
``class_name``, ``instance``, ``source``, ``score``, ``half`` and ``box_size`` are what they say,
and other columns are kept as ``text.NAME``.

Source: Scipion's import of coordinates from text; crYOLO's and TomoTwin's ``.coords``.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.atomic import replacing
from subtomo.formats.columns import typed_column
from subtomo.formats.group_numbers import names_of, numbers_of
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import file_start, read_text
from subtomo.formats.text_table import TextTable
from subtomo.model import Particles

PREFIX = "text."
_AXES = ("x", "y", "z")
_TEXT = ("class_name", "instance", "source")
_KNOWN = {*_AXES, *_TEXT, "tomogram", "score", "half", "box_size"}
_GROUP, _ID = "group", "id"
_BY_WIDTH = {3: _AXES, 4: (*_AXES, _GROUP), 5: (_ID, *_AXES, _GROUP)}
_FEWEST_IDS = 3  # lines that count from 0 or 1 by chance are fewer
_SEPARATORS = re.compile(r"\s*[,;]\s*|\s+")


def is_points_without_header(path: Path) -> bool:
    """Tell whether the first line of a file is three or more numbers."""
    start = file_start(path).decode("utf-8-sig", "replace")
    first = next((row for line in start.splitlines() if (row := _values(line))), [])
    return len(first) >= len(_AXES) and all(_is_number(value) for value in first)


def read_text_points(path: Path, context: TableContext) -> Particles:
    """Read points from plain text.

    Parameters
    ----------
    path : of any suffix
    context : voxels of the tomogram; what the group number is (the instance unless told otherwise)

    Returns
    -------
    Particles in the order of the file, without orientation

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If lines differ in the number of values, x, y or z is missing, or a value is not a number.
    SettingsError
        If the voxels of the tomogram are not known.
    """
    table = _read_table(path)
    table.require(_AXES)
    only = np.full(len(table), context.only_tomogram(path))
    tomogram = table.text("tomogram") if "tomogram" in table else only
    columns: dict[str, Any] = {name: table.text(name) for name in _TEXT if name in table}
    if _GROUP in table:
        columns.setdefault(context.group_field("instance"), names_of(table.integers(_GROUP)))
    return Particles(
        tomogram=tomogram,
        position=context.positions(tomogram, table.stacked(_AXES), path),
        **columns,
        score=table.numbers("score", default=np.nan),
        half=table.integers("half", default=0),
        box_size=table.integers("box_size", default=0),
        extra={
            PREFIX + tag: typed_column(tag, table.text(tag))
            for tag in table.columns
            if tag not in {*_KNOWN, _GROUP}
        },
    )


def write_text_points(path: Path, particles: Particles, context: TableContext) -> None:
    """Write ``x y z`` in voxels, and the number of the group where there are groups; no header.

    Parameters
    ----------
    path : replaced in one step
    particles : of one tomogram
    context : voxels of the tomogram; what the group number is (the instance unless told otherwise)

    Raises
    ------
    SettingsError
        If the voxels of the tomogram are not known.
    """
    columns: list[NDArray[np.generic]] = [*context.indices(particles, path).T]
    group = numbers_of(getattr(particles, context.group_field("instance")))
    if group.any():
        columns.append(group)
    rows = zip(*(column.astype(np.str_).tolist() for column in columns), strict=True)
    with replacing(path) as temporary:
        temporary.write_text("".join(" ".join(row) + "\n" for row in rows), encoding="utf-8")


def _read_table(path: Path) -> TextTable:
    """Read all lines as text, and name their columns."""
    text = read_text(path, "x, y and z in voxels")
    lines = {at: row for at, line in enumerate(text.splitlines(), 1) if (row := _values(line))}
    numbers = list(lines)
    rows = list(lines.values())
    has_header = bool(rows) and not any(_is_number(value) for value in rows[0])
    if has_header:
        header, rows, numbers = [name.lower() for name in rows[0]], rows[1:], numbers[1:]
    width = len(header) if has_header else len(rows[0]) if rows else len(_AXES)
    for at, row in zip(numbers, rows, strict=True):
        if len(row) != width:
            raise FormatError(f"{path}, line {at}: {len(row)} values; expected {width}")
    columns = np.array(rows, dtype=np.str_).reshape(-1, width).T
    names = _checked(header, path) if has_header else _names(columns, path)
    return TextTable(dict(zip(names, columns, strict=True)), source=str(path), lines=numbers)


def _checked(header: list[str], path: Path) -> list[str]:
    """Refuse a name that comes twice."""
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise FormatError(f"{path}: column {twice[0]} comes twice in the header")
    return header


def _names(columns: NDArray[np.str_], path: Path) -> tuple[str, ...]:
    """Name the columns of a file without a header."""
    width = len(columns)
    if width == 4 and _counts(columns[0]):
        return (_ID, *_AXES)
    if (width == 5 and not _counts(columns[0])) or width not in _BY_WIDTH:
        raise FormatError(
            f"{path}: {width} values a line and no header; expected x y z, x y z group or id x y z "
            "(group): add a line with the names of the columns"
        )
    return _BY_WIDTH[width]


def _counts(column: NDArray[np.str_]) -> bool:
    """Tell whether a column counts the lines."""
    n = len(column)
    return n >= _FEWEST_IDS and any(
        column.tolist() == [str(number) for number in range(first, first + n)] for first in (0, 1)
    )


def _values(line: str) -> list[str]:
    """Give the values of a line; none in an empty line or a comment."""
    text = line.partition("#")[0].strip()
    return _SEPARATORS.split(text.rstrip(",;").rstrip()) if text else []


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
