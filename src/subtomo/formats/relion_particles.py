"""Particles in STAR files of RELION 3.0 to 5, Warp and pytom-match-pick.

Positions, in Å from the centre of the tomogram's first voxel:

- RELION 5: ``rlnCenteredCoordinate*Angst`` + size / 2 · pixel size of the tilt series
- ``rlnCoordinate*`` · their pixel size; where they count in voxels of the tomogram picked in,
  not in pixels of the tilt series, + the origin of its grid
- less the subtomogram's rotation · ``rlnOrigin*Angst``

Orientations are R(``rlnTomoSubtomogram*``) · R(``rlnAngle*``); angles that are all 0 say nothing. A
subtomogram's own angles are kept as columns, and ``rlnAngle*`` are written relative to them.

The columns of the optics table become columns of the particles, called ``optics.TAG``; the groups
are made again from their values when they are written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.columns import beside_own, typed_column
from subtomo.formats.relion_coordinates import (
    CENTRED,
    COORDINATE_PIXEL_SIZE,
    COORDINATES,
    ORIGINS,
    ORIGINS_PX,
    centres_and_pixel_sizes,
    subtomogram_positions,
)
from subtomo.formats.relion_optics import (
    OPTICS_PREFIX,
    TILT_SERIES_PIXEL_SIZE,
    optics_columns,
    optics_table,
)
from subtomo.formats.star import StarTable, read_star, write_star
from subtomo.geometry.euler import quaternions_from_relion, relion_from_quaternions
from subtomo.geometry.rotations import invert_quaternions, multiply_quaternions, rotate_points
from subtomo.model import Particles, TomogramFrame, VoxelGrid

FloatArray = NDArray[np.float64]

ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
SUBTOMOGRAM_ANGLES = tuple(f"rlnTomoSubtomogram{angle}" for angle in ("Rot", "Tilt", "Psi"))
TEXT_COLUMNS = {
    "class_name": "subtomoClassName",
    "instance": "subtomoInstance",
    "source": "subtomoSource",
}
_IS_ORIENTED = "subtomoIsOriented"
_SCORES = ("subtomoScore", "rlnAutopickFigureOfMerit", "rlnLCCmax")
_CONSUMED = {
    *COORDINATES,
    *CENTRED,
    *ORIGINS,
    *ORIGINS_PX,
    *ANGLES,
    *TEXT_COLUMNS.values(),
    "rlnTomoName",
    "rlnRandomSubset",
    "rlnOpticsGroup",
    "subtomoScore",
    "subtomoBoxSize",
    _IS_ORIENTED,
    TILT_SERIES_PIXEL_SIZE,
    COORDINATE_PIXEL_SIZE,
}


def read_relion_particles(
    path: str | Path,
    *,
    frames: Mapping[str, TomogramFrame] | None = None,
    coordinate_pixel_size: float | None = None,
    grids: Mapping[str, VoxelGrid] | None = None,
    tomogram_size_px: tuple[int, int, int] | None = None,
) -> Particles:
    """Read the particles of a RELION STAR file.

    Parameters
    ----------
    path : the file
    frames : size and pixel size of each tomogram, by name
        Needed for a file of RELION 5 that has no ``rlnCoordinate*`` beside the centred ones.
    coordinate_pixel_size : Å
        Of ``rlnCoordinate*``; wins over what the file says.
    grids : voxels of the tomograms picked in, by name
        Where coordinates count in them (RELION 3.1, Warp, pytom-match-pick), their origins count.
    tomogram_size_px : (x, y, z) of tomograms without a frame, in pixels of their coordinates

    Returns
    -------
    Particles in the order of the file; unknown columns in ``extra``, other tables in ``tables``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    StarError
        If a needed column is missing, or a value is not a number.
    SettingsError
        If a pixel size or a tomogram's frame is needed and not given.

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0.
    """
    blocks = read_star(path, is_utf8=True)
    table = blocks.pop(particles_block(path, blocks))
    optics = optics_columns(table, blocks.pop("optics", None))
    tomogram, coordinates, origins = subtomogram_positions(
        table,
        optics,
        frames=frames or {},
        coordinate_pixel_size=coordinate_pixel_size,
        grids=grids or {},
        tomogram_size_px=tomogram_size_px,
    )
    subtomogram = quaternions_from_relion(table.stacked(SUBTOMOGRAM_ANGLES, default=0))
    angles = quaternions_from_relion(table.stacked(ANGLES, default=0))
    text: dict[str, Any] = {
        field: table.text(tag) for field, tag in TEXT_COLUMNS.items() if tag in table
    }
    score = next((tag for tag in _SCORES if tag in table), "subtomoScore")
    return Particles(
        tomogram=tomogram,
        position=coordinates - rotate_points(subtomogram, origins),
        orientation=multiply_quaternions(subtomogram, angles),
        is_oriented=known_orientations(table),
        **text,
        score=table.numbers(score, default=np.nan),
        half=table.integers("rlnRandomSubset", default=0),
        box_size=table.integers("subtomoBoxSize", default=0),
        extra={**_extra(table, has_optics=bool(optics)), **optics},
        tables=dict(blocks),
    )


def _extra(table: StarTable, *, has_optics: bool) -> dict[str, NDArray[Any]]:
    """Give the columns without a field of their own; groups that are not spread stay numbers."""
    extra = {
        tag: typed_column(tag, np.asarray(column, dtype=np.str_))
        for tag, column in table.columns.items()
        if tag not in _CONSUMED
    }
    if not has_optics and "rlnOpticsGroup" in table:
        extra["rlnOpticsGroup"] = table.integers("rlnOpticsGroup")
    if TILT_SERIES_PIXEL_SIZE in table:
        extra[TILT_SERIES_PIXEL_SIZE] = table.numbers(TILT_SERIES_PIXEL_SIZE)
    return extra


def particles_block(path: str | Path, blocks: Mapping[str, StarTable]) -> str:
    """Name the block that holds the particles.

    Raises
    ------
    StarError
        If there is none: no block is called so, and none has coordinates.
    """
    if "particles" in blocks:
        return "particles"
    for name, table in blocks.items():
        if any(tag in table for tag in (*COORDINATES, *CENTRED)):
            return name
    found = "; ".join(f"data_{name}: {', '.join(t.columns)}" for name, t in blocks.items())
    raise StarError(
        f"{path}: no table of particles: expected columns {', '.join(CENTRED)} or "
        f"{', '.join(COORDINATES)}; found {found}"
    )


def write_relion_particles(
    path: str | Path, particles: Particles, frames: Mapping[str, TomogramFrame]
) -> None:
    """Write particles as RELION 5 reads them, with the columns of RELION 4 beside.

    Coordinates are given twice, as ``rlnCoordinate*`` (pixels of the tilt series from the corner)
    and as ``rlnCenteredCoordinate*Angst``; origins are part of the position. What RELION has
    no name for is in columns ``subtomo*``. Columns that say nothing (all empty) are left out.

    Parameters
    ----------
    path : file, replaced in one step
    particles : the table
    frames : size and pixel size of each tomogram, by name

    Raises
    ------
    SettingsError
        If a tomogram has no frame.
    """
    centre, pixel_size = centres_and_pixel_sizes(
        particles.tomogram, frames, "write RELION coordinates"
    )
    write_star(path, particle_blocks(particles, pixel_size, centre))


def particle_blocks(
    particles: Particles, pixel_size: FloatArray, centre: FloatArray | None = None
) -> dict[str, StarTable]:
    """Make the blocks of a STAR file of particles.

    Parameters
    ----------
    particles : the table
    pixel_size : (n,) Å, that ``rlnCoordinate*`` count in
    centre : (n, 3) Å, that ``rlnCenteredCoordinate*Angst`` count from; None: without them
    """
    columns: dict[str, NDArray[Any]] = {"rlnTomoName": particles.tomogram}
    columns |= _columns(COORDINATES, particles.position / pixel_size[:, None])
    if centre is not None:
        columns |= _columns(CENTRED, particles.position - centre)
    angles = _columns(ANGLES, relion_from_quaternions(_relative_orientation(particles)))
    columns |= angles
    if np.any(particles.is_oriented != _say_something(particles, angles)):
        columns[_IS_ORIENTED] = particles.is_oriented.astype(np.int64)
    columns |= {tag: getattr(particles, field) for field, tag in TEXT_COLUMNS.items()}
    columns |= {
        "subtomoScore": particles.score,
        "rlnRandomSubset": particles.half,
        "subtomoBoxSize": particles.box_size,
    }
    columns = {tag: column for tag, column in columns.items() if not _says_nothing(tag, column)}
    extra = dict(particles.extra)
    extra.pop(TILT_SERIES_PIXEL_SIZE, None)  # said anew
    optics, group = optics_table(extra, pixel_size)
    others = {tag: column for tag, column in extra.items() if not tag.startswith(OPTICS_PREFIX)}
    columns |= beside_own(others, _CONSUMED - _groups_kept(others))
    if optics is None:
        columns[TILT_SERIES_PIXEL_SIZE] = pixel_size
    else:
        columns["rlnOpticsGroup"] = group
    tables = dict(particles.tables)
    blocks = {"general": tables.pop("general")} if "general" in tables else {}
    blocks |= {} if optics is None else {"optics": optics}
    return {**blocks, "particles": StarTable(columns), **tables}


def _groups_kept(extra: Mapping[str, NDArray[Any]]) -> set[str]:
    """Name the column of groups where it is one, of a table whose groups were not listed."""
    is_kept = "rlnOpticsGroup" in extra and extra["rlnOpticsGroup"].dtype.kind in "iu"
    return {"rlnOpticsGroup"} if is_kept else set()


def known_orientations(table: StarTable) -> NDArray[np.bool_]:
    """Tell which rows have an orientation, (n,): a column says so, or an angle is not 0."""
    if _IS_ORIENTED in table:
        return np.asarray(table.integers(_IS_ORIENTED) != 0)
    angles = [table.stacked(tags, default=0) for tags in (SUBTOMOGRAM_ANGLES, ANGLES)]
    return np.asarray((np.hstack(angles) != 0).any(axis=1))


def _say_something(particles: Particles, angles: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Tell where the angles that will be written are not all 0."""
    own = [particles.extra[tag] for tag in SUBTOMOGRAM_ANGLES if tag in particles.extra]
    return np.asarray((np.stack([*angles.values(), *own]) != 0).any(axis=0))


def _relative_orientation(particles: Particles) -> FloatArray:
    """Give orientations relative to the subtomograms' own, where those are kept."""
    if any(tag not in particles.extra for tag in SUBTOMOGRAM_ANGLES):
        return particles.orientation
    angles = np.stack([particles.extra[tag] for tag in SUBTOMOGRAM_ANGLES], axis=1)
    subtomogram = quaternions_from_relion(angles.astype(np.float64))
    return multiply_quaternions(invert_quaternions(subtomogram), particles.orientation)


def _columns(tags: tuple[str, ...], values: FloatArray) -> dict[str, FloatArray]:
    """Give the columns of an array, to a millionth of an Å, a pixel or a degree."""
    return {tag: np.round(column, 6) + 0.0 for tag, column in zip(tags, values.T, strict=True)}


def _says_nothing(tag: str, column: NDArray[Any]) -> bool:
    """Whether an optional column holds only its default."""
    if tag in TEXT_COLUMNS.values():
        return not np.any(column != "")
    if tag == "subtomoScore":
        return bool(np.all(np.isnan(column)))
    return tag in ("rlnRandomSubset", "subtomoBoxSize") and not np.any(column)
