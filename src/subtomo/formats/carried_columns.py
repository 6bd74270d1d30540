"""What a format of another program has no word for, carried along as named columns of text.

Formats with room for anything (STAR, JSON, XML) hold our fields and other programs' columns under a
name that is ours, which their own programs pass over.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.columns import beside_own, typed_column
from subtomo.formats.text_table import TextTable
from subtomo.model import Particles

WORD = "subtomo"
"""Name under which files hold them."""

_TEXT = ("class_name", "instance", "source")
_WHOLE = ("half", "box_size")
_UNSAID = {**dict.fromkeys(_WHOLE, "0"), "is_oriented": "0", "score": "nan"}
_FIELDS = (*_TEXT, *_UNSAID)


def carried(
    particles: Particles, fields: Iterable[str], own: str | None = None
) -> dict[str, NDArray[np.str_]]:
    """Give what is to be carried along.

    Parameters
    ----------
    particles : the table
    fields : of ``Particles`` that the format has no place for
    own : start of the names of columns that it has a place for; None: it has for none

    Returns
    -------
    (n,) text by name; only what says something
    """
    says = {name: getattr(particles, name) for name in fields}
    says = {name: column for name, column in says.items() if np.any(column != column.dtype.type())}
    others = {
        name: column
        for name, column in particles.extra.items()
        if own is None or not name.startswith(own)
    }
    if "is_oriented" in says:
        says["is_oriented"] = says["is_oriented"].astype(np.int64)
    columns = {**says, **beside_own(others, _FIELDS, has_blanks=True)}
    return {name: column.astype(np.str_) for name, column in columns.items()}


def rows_of(columns: Mapping[str, NDArray[np.str_]], n: int) -> list[dict[str, str]]:
    """Give what each of n particles carries, without what is empty."""
    if not columns:
        return [{} for _ in range(n)]
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value} for row in rows
    ]


def columns_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, NDArray[np.str_]]:
    """Give as columns what each particle carries; empty where one does not."""
    listed = list(rows)
    names = dict.fromkeys(name for row in listed for name in row)
    return {
        name: np.array([str(row.get(name, "")) for row in listed], dtype=np.str_) for name in names
    }


def with_carried(
    particles: Particles, columns: Mapping[str, NDArray[np.str_]], source: str
) -> Particles:
    """Put fields and columns where they belong; they win over what a format said of them.

    Parameters
    ----------
    particles : as the format has them
    columns : (n,) text by name
    source : the file, for messages

    Raises
    ------
    FormatError
        If a half or a box size is not a whole number, or a score not a number.
    """
    if not columns:
        return particles
    filled = {
        name: np.where(column == "", _UNSAID[name], column) if name in _UNSAID else column
        for name, column in columns.items()
    }
    table = TextTable(filled, source=source)
    fields: dict[str, Any] = {name: table.text(name) for name in _TEXT if name in table}
    fields |= {name: table.integers(name) for name in _WHOLE if name in table}
    if "is_oriented" in table:
        fields["is_oriented"] = table.integers("is_oriented") != 0
    if "score" in table:
        fields["score"] = table.numbers("score")
    others = {n: typed_column(n, column) for n, column in columns.items() if n not in _FIELDS}
    return particles.with_columns(**fields, extra={**particles.extra, **others})
