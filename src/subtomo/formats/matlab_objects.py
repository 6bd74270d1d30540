"""Objects of MATLAB classes in MAT files, as plain dictionaries; by the optional package mat-io."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingDependency, MissingFileError

_DEEPEST = 4


def read_matlab(path: Path) -> dict[str, Any]:
    """Read the variables of a MAT file, of whatever name.

    Parameters
    ----------
    path : v7 or v7.3

    Raises
    ------
    MissingFileError
        If there is no such file.
    MissingDependency
        If mat-io is not installed.
    FormatError
        If it is no MAT file, or one that mat-io cannot read.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; expected a file that MATLAB wrote")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it and pandas are going to change
        try:
            from matio import load_from_mat
        except ImportError:
            raise MissingDependency(
                f"{path}: holds MATLAB objects, for which mat-io is needed: pip install mat-io"
            ) from None
        try:
            found: dict[str, Any] = load_from_mat(str(path))
        except Exception as error:  # whatever goes wrong inside a damaged or newer file
            raise FormatError(f"{path}: cannot be read as a MAT file ({error})") from None
    return found


def fields_of(value: Any) -> Mapping[str, Any] | None:
    """Give the properties of an object or the fields of a structure; None for anything else."""
    if isinstance(value, np.ndarray) and value.size == 1:
        if value.dtype.names:
            row = value.reshape(-1)[0]
            return {name: row[name] for name in value.dtype.names}
        if value.dtype == object:
            return fields_of(value.reshape(-1)[0])
    if isinstance(value, Mapping):
        return value
    properties = getattr(value, "properties", None)
    return properties if isinstance(properties, Mapping) else None


def find_with(value: Any, names: set[str], deepest: int = _DEEPEST) -> Mapping[str, Any] | None:
    """Find the first object that has all of some properties, outermost first."""
    level = [value]
    for _ in range(deepest + 1):
        below: list[Any] = []
        for one in level:
            fields = fields_of(one)
            if fields is None:
                below += list(elements(one)) if _is_cell(one) else []
                continue
            if names <= set(fields):
                return fields
            below += list(fields.values())
        level = below
    return None


def elements(cell: Any) -> Iterator[Any]:
    """Give the elements of a cell array, in order."""
    if isinstance(cell, np.ndarray) and (cell.dtype == object or cell.dtype.names):
        flat = cell.reshape(-1, order="F")
        yield from (flat[i : i + 1] if cell.dtype.names else flat[i] for i in range(cell.size))
    elif fields_of(cell) is not None:
        yield cell


def text_of(value: Any) -> str:
    """Give a text, '' where there is none."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size == 1 else ""
    return value.strip() if isinstance(value, str) else ""


def numbers_of(value: Any) -> NDArray[np.float64]:
    """Give numbers in a row, none where there are none."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
    return array.reshape(-1)


def _is_cell(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object
