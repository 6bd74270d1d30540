"""Columns of tables that the package does not interpret: text, or numbers where they are plain."""

import re
from collections.abc import Container, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TEXT_TAGS = ("Name", "File", "Image", "Movie")
_INTEGER = r"-?(?:0|[1-9]\d*)"
_FLOAT = rf"{_INTEGER}(?:\.\d+)?(?:e[+-]\d+)?|-?inf|nan"
_INTEGERS = re.compile(rf"(?:(?:{_INTEGER})\n)+")
_FLOATS = re.compile(rf"(?:(?:{_FLOAT})\n)+", re.IGNORECASE)
_OTHER = "other."
_MOST_DIGITS = 18  # of an integer that surely fits int64


def typed_column(tag: str, values: NDArray[np.str_]) -> NDArray[Any]:
    """Turn a text column into integers or floats when that loses nothing, else leave it.

    ``001``, ``1e5`` and integers of more than 18 digits stay text, and so does every column whose
    tag ends in Name, File, Image or Movie: they name things.

    Parameters
    ----------
    tag : the column's name
    values : (n,) text

    Returns
    -------
    (n,) int64, float64 or text
    """
    if not len(values) or tag.endswith(_TEXT_TAGS):
        return values
    if not _FLOATS.fullmatch(f"{values[0]}\n"):
        return values
    joined = "\n".join(values.tolist()) + "\n"
    if _INTEGERS.fullmatch(joined):
        fits = values.dtype.itemsize // 4 <= _MOST_DIGITS
        return values.astype(np.int64) if fits else values
    if _FLOATS.fullmatch(joined):
        return values.astype(np.float64)
    return values


def beside_own(
    extra: Mapping[str, NDArray[Any]], own: Container[str], *, has_blanks: bool = False
) -> dict[str, NDArray[Any]]:
    """Give columns names under which a format keeps them apart from its own.

    Parameters
    ----------
    extra : columns that the package does not interpret
    own : names of the format's own columns
        A further one called so becomes ``other.NAME``.
    has_blanks : names may have blanks or be empty; else they become ``_`` and ``unnamed``
    """
    columns: dict[str, NDArray[Any]] = {}
    for tag, column in extra.items():
        name = tag if has_blanks else "_".join(tag.split()) or "unnamed"
        while name in own or name in columns:
            name = _OTHER + name
        columns[name] = column
    return columns
