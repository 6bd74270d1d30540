"""Columns of a STAR file whose values are vectors, written as ``[1,2.5,-3]``."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.text_table import TextTable

FloatArray = NDArray[np.float64]


def vectors(table: TextTable, tag: str) -> list[FloatArray]:
    """Read a column of vectors.

    Parameters
    ----------
    table, tag : the column

    Returns
    -------
    one array of finite numbers a row; rows may differ in length

    Raises
    ------
    FormatError
        If the column is missing, or a value is not finite numbers between brackets.
    """
    found = []
    for row, text in enumerate(table.text(tag).tolist()):
        try:
            vector = parse_vector(text)
        except ValueError:
            raise table.error(
                f"{table.place(row)}: {tag} is {_shortened(text)}; expected finite numbers, "
                "[a,b,...]"
            ) from None
        found.append(vector)
    return found


def vectors_of_length(
    table: TextTable, tag: str, expected: int, *, at_least: bool = False
) -> FloatArray:
    """Read a column of vectors of one length.

    Parameters
    ----------
    table, tag : the column
    expected : length
    at_least : vectors may be longer, all by the same

    Returns
    -------
    (row, length)

    Raises
    ------
    FormatError
        If the column is missing, a value is not finite numbers between brackets, or their number
        is another.
    """
    found = vectors(table, tag)
    length = max(expected, len(found[0])) if found and at_least else expected
    for row, vector in enumerate(found):
        if len(vector) != length:
            raise table.error(
                f"{table.place(row)}: {tag} has {len(vector)} numbers; expected {length}"
            )
    return np.array(found, dtype=np.float64).reshape(len(found), length)


def parse_vector(text: str) -> FloatArray:
    """Read one vector; ValueError if it is not finite numbers between brackets."""
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(text)
    inside = text[1:-1]
    values = np.array([float(value) for value in inside.split(",")] if inside else [])
    if not np.all(np.isfinite(values)):
        raise ValueError(text)
    return values


def exact_vectors(rows: Iterable[Sequence[float]]) -> NDArray[np.str_]:
    """Write vectors in the shortest form that reads back the same."""
    return np.array([f"[{','.join(map(repr, map(float, row)))}]" for row in rows], dtype=np.str_)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
