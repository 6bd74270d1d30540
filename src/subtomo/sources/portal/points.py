"""Points of an annotation file: one JSON object a line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.json_text import parse_json
from subtomo.formats.nearest_rotation import nearest_rotation

FloatArray = NDArray[np.float64]
_ORIENTED = "orientedPoint"


@dataclass(frozen=True, eq=False)
class AnnotatedPoints:
    """Points of one annotation file.

    Parameters
    ----------
    position : (n, 3) columns x, y, z, voxels of the tomogram at the file's voxel spacing
    rotation : (n, 3, 3) of the particle, to the tomogram; the identity where there is none
    is_oriented : (n,) whether there is one
    """

    position: FloatArray
    rotation: FloatArray
    is_oriented: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.position)


@dataclass(frozen=True, eq=False)
class ObjectPoints:
    """Points of one annotation file, and what the portal says of them.

    Parameters
    ----------
    points : of the file
    shape, annotation : ids
    object_name : what the points are
    """

    points: AnnotatedPoints
    shape: int
    annotation: int
    object_name: str

    def __len__(self) -> int:
        return len(self.points)


def parse_points(content: bytes, place: str) -> AnnotatedPoints:
    """Read the points of an annotation file (ndjson).

    Parameters
    ----------
    content : of the file
    place : of the file, for messages

    Raises
    ------
    FormatError
        If a line is not a point, or the matrix of an oriented one is missing or no rotation. The
        message names the line.
    """
    positions, rotations, oriented = [], [], []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{place}, line {number}"
        point = parse_json(line, where)
        try:
            location = point["location"]
            position = [float(location[axis]) for axis in "xyz"]
            matrix = point.get("xyz_rotation_matrix")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"{where}: not a point with a location ({error!r})") from None
        if not np.all(np.isfinite(position)):
            raise FormatError(f"{where}: location {position}; expected finite numbers")
        if matrix is None and point.get("type") == _ORIENTED:
            raise FormatError(f"{where}: an oriented point without an xyz_rotation_matrix")
        positions.append(position)
        rotations.append(np.eye(3) if matrix is None else nearest_rotation(matrix, where))
        oriented.append(matrix is not None)
    return AnnotatedPoints(
        np.array(positions, dtype=np.float64).reshape(-1, 3),
        np.array(rotations, dtype=np.float64).reshape(-1, 3, 3),
        np.array(oriented, dtype=bool),
    )
