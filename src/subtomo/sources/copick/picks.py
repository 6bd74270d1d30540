"""Picks of a copick project: one file for each object, user and session of a run."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.sources.portal.points import nearest_rotation

FloatArray = NDArray[np.float64]
_UNIT = "angstrom"


@dataclass(frozen=True, eq=False)
class PickSet:
    """Picks of one object by one user in one session of a run.

    Parameters
    ----------
    run, object_name, user, session : names
    place : of the file, for messages
    position : (n, 3) Å from the corner of the tomogram, columns x, y, z
    rotation : (n, 3, 3) of the object, to the tomogram; the identity where it is not trusted
    is_oriented : whether the rotations are
    instance : (n,) which filament, vesicle … a pick belongs to
    score : (n,)
    voxel_spacing : Å, of the tomogram that was picked in; None where not said
    """

    run: str
    object_name: str
    user: str
    session: str
    place: str
    position: FloatArray
    rotation: FloatArray
    is_oriented: bool
    instance: NDArray[np.int64]
    score: FloatArray
    voxel_spacing: float | None = None

    def __len__(self) -> int:
        return len(self.position)

    def __str__(self) -> str:
        return f"{self.object_name}:{self.user}/{self.session}"


def parse_picks(
    content: bytes, place: str, *, run: str, object_name: str, user: str, session: str
) -> PickSet:
    """Read a file of picks.

    Parameters
    ----------
    content : JSON
    place : of the file, for messages
    run, object_name, user, session : as the names of the folder and the file say

    Raises
    ------
    FormatError
        If it is not a file of picks. The message names the pick.

    Notes
    -----
    A pick is at location + the last column of its transformation. Source: copick 1.31.
    """
    try:
        picks = json.loads(content)
        points = picks.get("points") or []
        unit = picks.get("unit", _UNIT)
        is_oriented = bool(picks.get("trust_orientation", True))
        spacing = picks.get("voxel_spacing")
    except (ValueError, AttributeError) as error:
        raise FormatError(f"{place}: not a file of picks ({error!r}); expected JSON") from None
    if unit != _UNIT:
        raise FormatError(f"{place}: picks in the unit {unit}; expected {_UNIT}")
    read = [_point(point, f"{place}, pick {n}", is_oriented) for n, point in enumerate(points, 1)]
    return PickSet(
        run=run,
        object_name=object_name,
        user=user,
        session=session,
        place=place,
        position=np.array([position for position, _ in read]).reshape(-1, 3),
        rotation=np.array([rotation for _, rotation in read]).reshape(-1, 3, 3),
        is_oriented=is_oriented,
        instance=np.array([int(point.get("instance_id") or 0) for point in points], dtype=np.int64),
        score=np.array([_score(point) for point in points], dtype=np.float64),
        voxel_spacing=None if spacing is None else float(spacing),
    )


def _point(point: Any, where: str, is_oriented: bool) -> tuple[FloatArray, FloatArray]:
    """Give the position and the rotation of a pick."""
    try:
        location = np.array([float(point["location"][axis]) for axis in "xyz"])
        given = point.get("transformation_", point.get("transformation"))
        matrix = np.eye(4) if given is None else np.array(given, dtype=np.float64)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{where}: not a pick with a location ({error!r})") from None
    if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)):
        raise FormatError(f"{where}: the transformation is no 4 x 4 matrix of numbers")
    position = location + matrix[:3, 3]
    if not np.all(np.isfinite(position)):
        raise FormatError(f"{where}: position {position.tolist()}; expected finite numbers")
    if not is_oriented:
        return position, np.eye(3)
    return position, nearest_rotation(matrix[:3, :3].tolist(), where)


def _score(point: Any) -> float:
    """Give the score of a pick; 1 where there is none, as copick has it."""
    score = point.get("score")
    return 1.0 if score is None else float(score)
