"""Picks of a copick project: one file for each object, user and session of a run.

A pick is at location + the last column of its transformation, in Å from the corner of the
tomogram; the transformation turns the object into the tomogram. Source: copick 1.31.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from subtomo.errors import FormatError
from subtomo.formats.carried_columns import WORD
from subtomo.formats.nearest_rotation import nearest_rotation
from subtomo.formats.unknown_scores import written_scores

FloatArray = NDArray[np.float64]
SCORE = 1.0
"""Of a pick that nobody scored."""
_UNIT = "angstrom"
_Four = Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)]


class _Location(BaseModel):
    x: FiniteFloat
    y: FiniteFloat
    z: FiniteFloat


class _Pick(BaseModel):
    location: _Location
    transformation_: Annotated[list[_Four], Field(min_length=4, max_length=4)] | None = None
    transformation: Annotated[list[_Four], Field(min_length=4, max_length=4)] | None = None
    instance_id: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    score: float | None = None
    subtomo: dict[str, str] = Field(default_factory=dict)


class _PickFile(BaseModel):
    pickable_object_name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    run_name: str | None = None
    points: list[_Pick] | None
    unit: str = _UNIT
    trust_orientation: bool = True
    voxel_spacing: Annotated[FiniteFloat, Field(gt=0)] | None = None


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
    others : what each pick carries that copick has no word for; empty for none
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
    others: Sequence[Mapping[str, str]] = ()

    def __len__(self) -> int:
        return len(self.position)

    def __str__(self) -> str:
        return f"{self.object_name}:{self.user}/{self.session}"


def parse_picks(
    content: bytes,
    place: str,
    *,
    run: str | None = None,
    object_name: str | None = None,
    user: str | None = None,
    session: str | None = None,
) -> PickSet:
    """Read a file of picks.

    Parameters
    ----------
    content : JSON
    place : of the file, for messages
    run, object_name, user, session : as the names of the folder and the file say; None: as the
        content says, ``""`` where it does not

    Raises
    ------
    FormatError
        If it is not a file of picks. The message names the pick.
    """
    try:
        picks = _PickFile.model_validate_json(content)
    except ValidationError as error:
        raise FormatError(f"{place}: not a file of picks: {_first(error)}") from None
    if picks.unit != _UNIT:
        raise FormatError(f"{place}: picks in the unit {picks.unit}; expected {_UNIT}")
    points = picks.points or []
    read = [
        _pose(point, f"{place}, pick {n}", picks.trust_orientation)
        for n, point in enumerate(points, 1)
    ]
    return PickSet(
        run=_first_said(run, picks.run_name),
        object_name=_first_said(object_name, picks.pickable_object_name),
        user=_first_said(user, picks.user_id),
        session=_first_said(session, picks.session_id),
        place=place,
        position=np.array([position for position, _ in read]).reshape(-1, 3),
        rotation=np.array([rotation for _, rotation in read]).reshape(-1, 3, 3),
        is_oriented=picks.trust_orientation,
        instance=np.array([point.instance_id or 0 for point in points], dtype=np.int64),
        score=np.array([_score(point) for point in points], dtype=np.float64),
        voxel_spacing=picks.voxel_spacing,
        others=[point.subtomo for point in points],
    )


def _pose(pick: _Pick, where: str, is_oriented: bool) -> tuple[FloatArray, FloatArray]:
    """Give the position and the rotation of a pick."""
    location = np.array([pick.location.x, pick.location.y, pick.location.z])
    given = pick.transformation if pick.transformation_ is None else pick.transformation_
    matrix = np.eye(4) if given is None else np.array(given)
    position = location + matrix[:3, 3]
    if not is_oriented:
        return position, np.eye(3)
    return position, nearest_rotation(matrix[:3, :3].tolist(), where)


def format_picks(picks: PickSet) -> str:
    """Give a file of picks as JSON.

    Parameters
    ----------
    picks : scores are written as 1, as copick has it, where none is known
    """
    matrices = np.tile(np.eye(4), (len(picks), 1, 1))
    matrices[:, :3, :3] = picks.rotation
    rows = zip(
        np.round(picks.position, 6).tolist(),
        matrices.tolist(),
        picks.instance.tolist(),
        written_scores(picks.score, SCORE).tolist(),
        picks.others or [{}] * len(picks),
        strict=True,
    )
    points = [
        {
            "location": dict(zip("xyz", position, strict=True)),
            "transformation_": matrix,
            "instance_id": instance,
            "score": score,
            **({WORD: dict(others)} if others else {}),
        }
        for position, matrix, instance, score, others in rows
    ]
    content = {
        "pickable_object_name": picks.object_name,
        "user_id": picks.user,
        "session_id": picks.session,
        "run_name": picks.run,
        "voxel_spacing": picks.voxel_spacing,
        "unit": _UNIT,
        "points": points,
        "trust_orientation": picks.is_oriented,
    }
    return json.dumps(content, indent=1) + "\n"


def _first_said(given: str | None, said: str | None) -> str:
    return said or "" if given is None else given


def _score(pick: _Pick) -> float:
    """Give the score of a pick; 1 where there is none, as copick has it."""
    return SCORE if pick.score is None else pick.score


def _first(error: ValidationError) -> str:
    """Say what is wrong first, and where; picks count from 1."""
    first = error.errors(include_url=False)[0]
    place = [part + 1 if isinstance(part, int) else part for part in first["loc"]]
    where = ".".join(str(part) for part in place)
    return f"{where}: {first['msg']}" if where else str(first["msg"])
