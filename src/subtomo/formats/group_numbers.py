"""Names of groups as whole numbers, for formats that hold numbers only; 0 is no group."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MOST_DIGITS = 9


def numbers_of(names: NDArray[np.str_]) -> NDArray[np.int64]:
    """Give names of groups as numbers.

    Parameters
    ----------
    names : (n,) ``""`` for none

    Returns
    -------
    (n,) 0 for none
        Names that are all whole numbers stay as they are; else they are counted from 1 in
        alphabetical order.
    """
    known, inverse = np.unique(names, return_inverse=True)
    numbers = numbers_by_name(known.tolist())
    return np.array([numbers[name] for name in known.tolist()], dtype=np.int64)[inverse]


def numbers_by_name(names: Sequence[str]) -> dict[str, int]:
    """Give each name its number; ``""`` has 0."""
    known = sorted(set(names) - {""})
    if are_numbers(known):
        return {"": 0, **{name: int(name) for name in known}}
    return {"": 0, **{name: number for number, name in enumerate(known, 1)}}


def names_of(numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    """Give the names of numbered groups, ``""`` for 0."""
    return np.where(numbers == 0, "", numbers.astype(np.str_))


def are_said_by_numbers(names: NDArray[np.str_]) -> bool:
    """Tell whether ``names_of(numbers_of(names))`` are the names: all numbers, and none is 0."""
    return np.array_equal(names_of(numbers_of(names)), names)


def are_numbers(names: Sequence[str]) -> bool:
    """Tell whether all names are whole numbers from 0, written plainly."""
    return all(
        name.isascii() and name.isdigit() and len(name) <= _MOST_DIGITS and name == str(int(name))
        for name in names
    )
