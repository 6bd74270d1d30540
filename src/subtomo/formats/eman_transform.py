"""Transforms of EMAN: 3 x 4 matrices that take a particle in its box to the reference.

A transform (R, t), y = R x + t, is applied to the particle; so the reference is turned by Rᵀ into
the tomogram and its origin is at −Rᵀ t in the particle's box.

Source: EMAN2's ``HdfIO2`` and ``EMAN2jsondb`` (cryoem/eman2) for the order of the twelve numbers,
and Scipion's EMAN plugin for their meaning.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.nearest_rotation import nearest_rotation

FloatArray = NDArray[np.float64]
_N = 12


def pose_of_transform(value: Any, place: str) -> tuple[FloatArray, FloatArray]:
    """Give the pose that a transform means.

    Parameters
    ----------
    value : twelve numbers, row by row; or a mapping with ``matrix``, a list or the text of one
    place : for messages

    Returns
    -------
    rotation : (3, 3) reference to tomogram
    shift : (3,) of the particle from the middle of its box, pixels of the box

    Raises
    ------
    FormatError
        If it is not such a transform, or its rotation is none.
    """
    matrix = _matrix(value, place)
    rotation = nearest_rotation(matrix[:, :3].tolist(), place).T
    return rotation, -rotation @ matrix[:, 3]


def transform_of_rotation(rotation: FloatArray) -> dict[str, Any]:
    """Give the transform of a particle in the middle of its box, as EMAN's JSON has it.

    Parameters
    ----------
    rotation : (3, 3) reference to tomogram
    """
    matrix = np.hstack([rotation.T, np.zeros((3, 1))])
    numbers = ",".join(f"{value:.9g}" for value in (matrix + 0.0).ravel())
    return {"__class__": "Transform", "matrix": f"[{numbers}]"}


def _matrix(value: Any, place: str) -> FloatArray:
    """Read the twelve numbers."""
    found = value.get("matrix") if isinstance(value, dict) else value
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            found = None
    try:
        numbers = np.array(found, dtype=np.float64).ravel()
    except (ValueError, TypeError):
        numbers = np.empty(0)
    if len(numbers) != _N or not np.isfinite(numbers).all():
        raise FormatError(
            f"{place}: the transform is {value!r}; expected a matrix of 3 x 4 numbers"
        )
    return numbers.reshape(3, 4)


def three_numbers(value: Any, place: str) -> Sequence[float]:
    """Give coordinates of a list.

    Raises
    ------
    FormatError
        If it is not three finite numbers.
    """
    try:
        numbers = [float(each) for each in value]
    except (ValueError, TypeError):
        numbers = []
    if len(numbers) != 3 or not np.isfinite(numbers).all():
        raise FormatError(f"{place}: {value!r}; expected x, y, z as three finite numbers")
    return numbers
