"""Particles in copick's files of picks: one (``.json``), or the folder of a project's runs.

The run is the tomogram, the object the class, USER/SESSION the source, ``instance_id`` the
instance. Orientations are not known where the file does not trust them, or a matrix is exactly the
identity, which is what copick gives to plain points. What copick has no word for (a known identity
and an unknown score among others too), or does not allow in names, is in a mapping ``subtomo`` of
each point, which copick passes over. A folder holds
``ExperimentRuns/RUN/Picks/USER_SESSION_OBJECT.json``: copick's overlay.

Source: copick 1.31 (models.py, impl/filesystem.py).
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.atomic import replacing
from subtomo.formats.carried_columns import carried, columns_of, rows_of, with_carried
from subtomo.formats.copick_picks import SCORE, PickSet, format_picks, parse_picks
from subtomo.formats.group_numbers import are_said_by_numbers, names_of, numbers_of
from subtomo.formats.paths import missing_file
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import file_start
from subtomo.formats.tomogram_names import file_name_of, require_different_files
from subtomo.formats.unknown_scores import are_said, read_scores
from subtomo.geometry.rotations import matrices_from_quaternions, quaternions_from_matrices
from subtomo.model import Particles

RUNS, PICKS, SUFFIX = "ExperimentRuns", "Picks", ".json"
_USER, _SESSION, _OBJECT = "subtomo", "0", ""
_UNNAMED = "particle"
_NOT_IN_RUNS = re.compile(r"[<>:\"/\\|?*\s\x00-\x1f]+")
_NOT_IN_NAMES = re.compile(_NOT_IN_RUNS.pattern.replace("[", "[_", 1))
_N_NAMES = 3  # user, session, object


def is_copick_picks(path: Path) -> bool:
    """Tell whether a JSON file holds picks of copick."""
    start = file_start(path)
    return b'"pickable_object_name"' in start or b'"trust_orientation"' in start


def read_copick_file(path: Path, context: TableContext) -> Particles:
    """Read one file of picks.

    Parameters
    ----------
    path : ``.json``
    context : origins of the tomograms; the name of the one of a file without ``run_name``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not a file of picks.
    """
    try:
        picks = parse_picks(path.read_bytes(), str(path))
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "picks of copick") from None
    return _particles(picks, context.tomogram or picks.run or context.only_tomogram(path), context)


def write_copick_file(path: Path, particles: Particles, context: TableContext) -> None:
    """Write one file of picks.

    Parameters
    ----------
    path : ``.json``, replaced in one step
    particles : of one tomogram
        The object and the user are named where all particles have the same.
    context : voxels of the tomogram, where they are known
    """
    run = str(particles.tomogram[0]) if len(particles) else context.only_tomogram(path)
    name, source = _only(particles.class_name), _only(particles.source)
    picks = _pick_set(particles, numbers_of(particles.instance), run, name, source, context)
    _write(path, picks)


def read_copick_folder(path: Path, context: TableContext) -> Particles:
    """Read all picks of a project's folder.

    Parameters
    ----------
    path : folder that holds ``ExperimentRuns``
    context : origins of the tomograms, which are called as the runs

    Raises
    ------
    MissingFileError
        If the folder does not exist.
    FormatError
        If it holds no ``ExperimentRuns``, or a file is not one of picks.
    """
    if not path.exists():
        raise MissingFileError(f"{path}: no such folder; expected one of a copick project")
    if not (path / RUNS).is_dir():
        raise FormatError(f"{path}: no folder {RUNS} in it; expected one of a copick project")
    tables = []
    for file in sorted(path.glob(f"{RUNS}/*/{PICKS}/*{SUFFIX}")):
        names = file.stem.split("_", _N_NAMES - 1)
        if len(names) != _N_NAMES or file.name.startswith("."):
            continue
        run = file.parent.parent.name
        user, session, name = names
        picks = parse_picks(
            file.read_bytes(), str(file), run=run, object_name=name, user=user, session=session
        )
        tables.append(_particles(picks, run, context))
    return Particles.concatenate(tables)


def write_copick_folder(path: Path, particles: Particles, context: TableContext) -> None:
    """Write picks into a project's folder: a file for each run, object, user and session.

    Parameters
    ----------
    path : folder, made where it is not there; files of other picks stay
    particles : the table
        What copick does not allow in names becomes ``-``; picks carry names that it would change.
    context : voxels of the tomograms, where they are known

    Raises
    ------
    DataError
        If two tomograms would be one run.
    """
    files = _rows_of_files(path, particles)
    (path / RUNS).mkdir(parents=True, exist_ok=True)
    numbers = numbers_of(particles.instance)
    for file, rows in files.items():
        of_file = particles.select(rows)
        name, source = str(of_file.class_name[0]) or _UNNAMED, str(of_file.source[0])
        run = file.parent.parent.name
        _write(file, _pick_set(of_file, numbers[rows], run, name, source, context))


def _rows_of_files(path: Path, particles: Particles) -> dict[Path, NDArray[np.int64]]:
    """Give the rows of each file: names that copick does not tell apart have one file."""
    runs = require_different_files(particles.tomogram.tolist(), _run)
    columns = (particles.tomogram, particles.class_name, particles.source)
    files: dict[Path, list[int]] = {}
    for row, (tomogram, name, source) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        names = (*_user_and_session(source), _allowed(name, _UNNAMED))
        file = path / RUNS / runs[tomogram] / PICKS / f"{'_'.join(names)}{SUFFIX}"
        files.setdefault(file, []).append(row)
    return {file: np.array(rows) for file, rows in files.items()}


def _pick_set(
    particles: Particles,
    instance: NDArray[np.int64],
    run: str,
    name: str,
    source: str,
    context: TableContext,
) -> PickSet:
    """Make the content of a file."""
    user, session = _user_and_session(source)
    rotation = matrices_from_quaternions(particles.orientation)
    fields = _fields_to_carry(particles, name, source)
    spacing = None
    position = particles.position
    if len(particles):
        tomogram = str(particles.tomogram[0])
        if tomogram in context.grids:
            grid = context.grids[tomogram]
            spacing, position = grid.pixel_size, position - grid.origin
        else:
            spacing = context.pixel_size
    return PickSet(
        run=_run(run),
        object_name=_allowed(name, _OBJECT),
        user=user,
        session=session,
        place="",
        position=position,
        rotation=rotation,
        is_oriented=bool(particles.is_oriented.any()),
        instance=instance,
        score=particles.score,
        voxel_spacing=spacing,
        others=rows_of(carried(particles, fields), len(particles)),
    )


def _particles(picks: PickSet, tomogram: str, context: TableContext) -> Particles:
    """Make the table of one file."""
    n = len(picks)
    origin: Any = context.grids[tomogram].origin if tomogram in context.grids else (0.0, 0.0, 0.0)
    known = picks.is_oriented & (picks.rotation != np.eye(3)).any(axis=(1, 2))
    particles = Particles(
        tomogram=np.full(n, tomogram),
        position=picks.position + np.array(origin),
        orientation=quaternions_from_matrices(picks.rotation),
        is_oriented=known,
        class_name=np.full(n, "" if picks.object_name == _UNNAMED else picks.object_name),
        instance=names_of(picks.instance),
        source=np.full(n, _source(picks.user, picks.session)),
        score=read_scores(picks.score, SCORE),
    )
    return with_carried(particles, columns_of(picks.others), picks.place)


def _fields_to_carry(particles: Particles, name: str, source: str) -> list[str]:
    """Name the fields that a file of one object and one user does not say."""
    fields = ["half", "box_size"]
    is_same = _allowed(name, _OBJECT) == name != _UNNAMED
    if not is_same or np.any(particles.class_name != name):
        fields.append("class_name")
    if source != _source(*_user_and_session(source)) or np.any(particles.source != source):
        fields.append("source")
    if not are_said_by_numbers(particles.instance):
        fields.append("instance")
    is_identity = (particles.orientation[:, :3] == 0).all(axis=1)
    if np.any(particles.is_oriented & is_identity):
        fields.append("is_oriented")
    if not are_said(particles.score, SCORE):
        fields.append("score")
    return fields


def _user_and_session(source: str) -> tuple[str, str]:
    """Give the user and the session that a source is in copick."""
    user, _, session = source.partition("/")
    return _allowed(user, _USER), _allowed(session, _SESSION)


def _source(user: str, session: str) -> str:
    """Give the source that a user and a session mean; none for our own."""
    if (user, session) in ((_USER, _SESSION), ("", "")):
        return ""
    return user if session == _SESSION else f"{user}/{session}"


def _write(path: Path, picks: PickSet) -> None:
    with replacing(path) as temporary:
        temporary.write_text(format_picks(picks), encoding="utf-8")


def _only(names: NDArray[np.str_]) -> str:
    """Give the name that all have, or none."""
    found = np.unique(names).tolist()
    return found[0] if len(found) == 1 else ""


def _run(name: str) -> str:
    """Give the name of a run as copick allows it."""
    return file_name_of(_NOT_IN_RUNS.sub("-", name))


def _allowed(name: str, default: str) -> str:
    """Give a name as copick allows it."""
    return _NOT_IN_NAMES.sub("-", name).strip("-") or default
