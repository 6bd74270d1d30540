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

from subtomo.errors import SettingsError, StarError
from subtomo.formats.columns import typed_column
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

COORDINATES = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
ORIGINS = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
ORIGINS_PX = tuple(f"rlnOrigin{axis}" for axis in "XYZ")
ANGLES = ("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi")
SUBTOMOGRAM_ANGLES = tuple(f"rlnTomoSubtomogram{angle}" for angle in ("Rot", "Tilt", "Psi"))
TEXT_COLUMNS = {
    "class_name": "subtomoClassName",
    "instance": "subtomoInstance",
    "source": "subtomoSource",
}
_IS_ORIENTED = "subtomoIsOriented"
COORDINATE_PIXEL_SIZE = "subtomoCoordinatePixelSize"
"""Pixel size of ``rlnCoordinate*`` (Å), where the other columns would be read as another."""
_SAME_SIZE = 1e-3  # relative difference up to which two pixel sizes are the same
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
    Source: RELION 5, commit 73f0a3c0. The pixel size of ``rlnCoordinate*`` is looked for as
    ``rlnTomoTiltSeriesPixelSize``, then ``rlnDetectorPixelSize`` (µm, with ``rlnMagnification``; Å
    without it, as pytom-match-pick writes), then ``rlnMicrographPixelSize`` or
    ``rlnImagePixelSize``, then in ``frames``. WarpTools (tomograms called ``*.tomostar``) counts in
    pixels of the subtomogram, ``rlnImagePixelSize``. Warp's tables without images call tilt series
    (``rlnMicrographName``) ``NAME.tomostar``; their tomogram is ``NAME``.
    """
    blocks = read_star(path, is_utf8=True)
    name = particles_block(path, blocks)
    table = blocks.pop(name)
    optics = optics_columns(table, blocks.pop("optics", None))
    named = _tomograms(table)
    tomogram = _without_tomostar(table, named)
    found = _coordinate_pixel_size(table, optics, named, frames, coordinate_pixel_size)
    pixel_size, tag = (None, "") if found is None else found
    if tomogram_size_px is not None and pixel_size is not None:
        frames = _with_frames(frames or {}, tomogram, pixel_size, tomogram_size_px)
    subtomogram_angles = table.stacked(SUBTOMOGRAM_ANGLES, default=0)
    angles = table.stacked(ANGLES, default=0)
    subtomogram = quaternions_from_relion(subtomogram_angles)
    origins = table.stacked(ORIGINS, default=0)
    if ORIGINS[0] not in table and pixel_size is not None:
        origins = table.stacked(ORIGINS_PX, default=0) * pixel_size[:, None]
    coordinates = _coordinates(table, tomogram, frames, pixel_size)
    if pixel_size is not None and tag != TILT_SERIES_PIXEL_SIZE and not _is_centred(table, frames):
        is_of_series = "rlnTomoName" in table and tag != "rlnDetectorPixelSize"
        full = frames if frames and is_of_series else {}
        coordinates += grid_origins(tomogram, pixel_size, grids or {}, full)
    extra = {
        tag: typed_column(tag, np.asarray(column, dtype=np.str_))
        for tag, column in table.columns.items()
        if tag not in _CONSUMED
    }
    if not optics and "rlnOpticsGroup" in table:
        extra["rlnOpticsGroup"] = table.integers("rlnOpticsGroup")
    if TILT_SERIES_PIXEL_SIZE in table:
        extra[TILT_SERIES_PIXEL_SIZE] = table.numbers(TILT_SERIES_PIXEL_SIZE)
    text: dict[str, Any] = {
        field: table.text(tag) for field, tag in TEXT_COLUMNS.items() if tag in table
    }
    score = next((tag for tag in _SCORES if tag in table), "subtomoScore")
    return Particles(
        tomogram=tomogram,
        position=coordinates - rotate_points(subtomogram, origins),
        orientation=multiply_quaternions(subtomogram, quaternions_from_relion(angles)),
        is_oriented=known_orientations(table),
        **text,
        score=table.numbers(score, default=np.nan),
        half=table.integers("rlnRandomSubset", default=0),
        box_size=table.integers("subtomoBoxSize", default=0),
        extra={**extra, **optics},
        tables=dict(blocks),
    )


def grid_origins(
    tomogram: NDArray[np.str_],
    pixel_size: FloatArray,
    grids: Mapping[str, VoxelGrid],
    frames: Mapping[str, TomogramFrame],
) -> FloatArray:
    """Give the origins of the voxels that coordinates count in.

    Parameters
    ----------
    tomogram : (n,) names
    pixel_size : (n,) Å, of the coordinates
    grids : voxels of the tomograms picked in, by name
    frames : tomograms in whose full-resolution pixels the coordinates may count, by name

    Returns
    -------
    (n, 3) Å; 0 where the pixel size is that of the frame, or not that of the grid
    """
    origins = np.zeros((len(tomogram), 3))
    for name in np.unique(tomogram).tolist():
        if name in grids:
            rows = tomogram == name
            is_of_grid = np.isclose(pixel_size[rows], grids[name].pixel_size, rtol=_SAME_SIZE)
            if name in frames:
                full = frames[name].pixel_size
                is_of_grid &= ~np.isclose(pixel_size[rows], full, rtol=_SAME_SIZE)
            origins[rows] = np.where(is_of_grid[:, None], grids[name].origin, 0.0)
    return origins


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
    centre, pixel_size = _frames_of(particles.tomogram, frames, "write RELION coordinates")
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
    columns |= {tag: column for tag, column in extra.items() if not tag.startswith(OPTICS_PREFIX)}
    if optics is None:
        columns[TILT_SERIES_PIXEL_SIZE] = pixel_size
    else:
        columns["rlnOpticsGroup"] = group
    tables = dict(particles.tables)
    blocks = {"general": tables.pop("general")} if "general" in tables else {}
    blocks |= {} if optics is None else {"optics": optics}
    return {**blocks, "particles": StarTable(columns), **tables}


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


def _tomograms(table: StarTable) -> NDArray[np.str_]:
    if "rlnTomoName" in table:
        return table.text("rlnTomoName")
    if "rlnMicrographName" in table:
        return table.text("rlnMicrographName")
    table.require(["rlnTomoName"], why="or rlnMicrographName")
    raise AssertionError


def _without_tomostar(table: StarTable, named: NDArray[np.str_]) -> NDArray[np.str_]:
    """Give the tomograms of picks of Warp, which names their tilt series' files."""
    if "rlnTomoName" in table or "rlnImageName" in table:
        return named
    return np.array([name.removesuffix(".tomostar") for name in named.tolist()], dtype=np.str_)


def _coordinate_pixel_size(
    table: StarTable,
    optics: Mapping[str, NDArray[Any]],
    tomogram: NDArray[np.str_],
    frames: Mapping[str, TomogramFrame] | None,
    given: float | None,
) -> tuple[FloatArray, str] | None:
    """Give the pixel size of ``rlnCoordinate*`` for each row, and the tag that says it, if one."""
    if given is not None:
        if not given > 0:
            raise SettingsError(f"coordinate_pixel_size is {given} Å; expected a positive number")
        return np.full(len(table), float(given)), ""
    columns = {tag.removeprefix(OPTICS_PREFIX): column for tag, column in optics.items()}
    known = StarTable({**columns, **table.columns}, source=table.source, lines=table.lines)
    tags = [
        TILT_SERIES_PIXEL_SIZE,
        "rlnDetectorPixelSize",
        "rlnMicrographPixelSize",
        "rlnImagePixelSize",
    ]
    if CENTRED[0] not in table and all(name.endswith(".tomostar") for name in tomogram.tolist()):
        tags.insert(0, "rlnImagePixelSize")
    tags.insert(0, COORDINATE_PIXEL_SIZE)
    for tag in tags:
        if tag in known:
            sizes = known.stacked([tag])[:, 0]
            if tag == "rlnDetectorPixelSize" and "rlnMagnification" in known:
                with np.errstate(divide="ignore"):
                    sizes = sizes * 1e4 / known.stacked(["rlnMagnification"])[:, 0]
            bad = np.flatnonzero(~((sizes > 0) & np.isfinite(sizes)))
            if len(bad):
                raise StarError(
                    f"{table.place(bad[0])}: {tag} gives a pixel size of {sizes[bad[0]]} Å; "
                    "expected a positive number"
                )
            return sizes, tag
    if frames and all(name in frames for name in tomogram.tolist()):
        return np.array([frames[name].pixel_size for name in tomogram.tolist()]), ""
    return None


def _with_frames(
    frames: Mapping[str, TomogramFrame],
    tomogram: NDArray[np.str_],
    pixel_size: FloatArray,
    size_px: tuple[int, int, int],
) -> dict[str, TomogramFrame]:
    """Add frames of one size for the tomograms that have none."""
    names, first = np.unique(tomogram, return_index=True)
    sizes = zip(names.tolist(), pixel_size[first].tolist(), strict=True)
    made = {name: TomogramFrame(size_px, size) for name, size in sizes if name not in frames}
    return {**{name: frames[name] for name in names.tolist() if name in frames}, **made}


def _is_centred(table: StarTable, frames: Mapping[str, TomogramFrame] | None) -> bool:
    """Tell whether positions are taken from centred coordinates."""
    has_pixels = table.has_all(COORDINATES)
    return table.has_all(CENTRED) and (frames is not None or not has_pixels)


def _coordinates(
    table: StarTable,
    tomogram: NDArray[np.str_],
    frames: Mapping[str, TomogramFrame] | None,
    pixel_size: FloatArray | None,
) -> FloatArray:
    """Positions in Å before the origins are subtracted."""
    if _is_centred(table, frames):
        what = f"use {CENTRED[0]} of {table.source}"
        return table.stacked(CENTRED) + _frames_of(tomogram, frames or {}, what)[0]
    table.require(COORDINATES, why=f"or {', '.join(CENTRED)}")
    if pixel_size is None:
        raise SettingsError(
            f"{table.source}: {', '.join(COORDINATES)} are in pixels and the file does not say of "
            f"what size (no {TILT_SERIES_PIXEL_SIZE}, rlnDetectorPixelSize, "
            "rlnMicrographPixelSize or rlnImagePixelSize): give coordinate_pixel_size, or the "
            "tomograms.star of the project"
        )
    return table.stacked(COORDINATES) * pixel_size[:, None]


def _frames_of(
    tomogram: NDArray[np.str_], frames: Mapping[str, TomogramFrame], what: str
) -> tuple[FloatArray, FloatArray]:
    """Look up the centre (n, 3) and the pixel size (n,) of each particle's tomogram, in Å."""
    names, inverse = np.unique(tomogram, return_inverse=True)
    missing = [name for name in names.tolist() if name not in frames]
    if missing:
        known = f"only of {', '.join(list(frames)[:5])}" if frames else "of none"
        raise SettingsError(
            f"to {what} the size and pixel size of tomogram {missing[0]} are needed, known "
            f"{known}: give the tomograms.star of the project, or their size and pixel size"
        )
    centres = np.array([frames[name].centre for name in names.tolist()]).reshape(-1, 3)
    sizes = np.array([frames[name].pixel_size for name in names.tolist()], dtype=np.float64)
    return centres[inverse], sizes[inverse]


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
