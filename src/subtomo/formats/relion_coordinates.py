"""Where the particles of a STAR file of RELION, Warp or pytom-match-pick are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import some_of
from subtomo.errors import SettingsError, StarError
from subtomo.formats.relion_optics import OPTICS_PREFIX, TILT_SERIES_PIXEL_SIZE
from subtomo.formats.star import StarTable
from subtomo.model import TomogramFrame, VoxelGrid

FloatArray = NDArray[np.float64]

COORDINATES = tuple(f"rlnCoordinate{axis}" for axis in "XYZ")
CENTRED = tuple(f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
ORIGINS = tuple(f"rlnOrigin{axis}Angst" for axis in "XYZ")
ORIGINS_PX = tuple(f"rlnOrigin{axis}" for axis in "XYZ")
COORDINATE_PIXEL_SIZE = "subtomoCoordinatePixelSize"
"""Pixel size of ``rlnCoordinate*`` (Å), where the other columns would be read as another."""
_SAME_SIZE = 1e-3  # relative difference up to which two pixel sizes are the same
_DETECTOR, _IMAGE = "rlnDetectorPixelSize", "rlnImagePixelSize"
_SAYS_SIZE = (TILT_SERIES_PIXEL_SIZE, _DETECTOR, "rlnMicrographPixelSize", _IMAGE)


def subtomogram_positions(
    table: StarTable,
    optics: Mapping[str, NDArray[Any]],
    *,
    frames: Mapping[str, TomogramFrame],
    coordinate_pixel_size: float | None,
    grids: Mapping[str, VoxelGrid],
    tomogram_size_px: tuple[int, int, int] | None,
) -> tuple[NDArray[np.str_], FloatArray, FloatArray]:
    """Give tomograms, and where the subtomograms are in them.

    Parameters
    ----------
    table : of particles
    optics : columns of their optics groups, called ``optics.TAG``
    frames, coordinate_pixel_size, grids, tomogram_size_px : as ``read_relion_particles``

    Returns
    -------
    tomogram : (n,) names
    position : (n, 3) Å, of the subtomogram
    origin : (n, 3) Å, of the particle in it, to be turned and subtracted

    Raises
    ------
    StarError
        If a needed column is missing, or a value is not a number.
    SettingsError
        If a pixel size or a tomogram's frame is needed and not given.

    Notes
    -----
    The pixel size of ``rlnCoordinate*`` is looked for as ``rlnTomoTiltSeriesPixelSize``, then
    ``rlnDetectorPixelSize`` (µm, with ``rlnMagnification``; Å without it, as pytom-match-pick
    writes), then ``rlnMicrographPixelSize`` or ``rlnImagePixelSize``, then in ``frames``. WarpTools
    (tomograms called ``*.tomostar``) counts in pixels of the subtomogram, ``rlnImagePixelSize``.
    Warp's tables without images call tilt series (``rlnMicrographName``) ``NAME.tomostar``; their
    tomogram is ``NAME``.
    """
    named = _named(table)
    tomogram = _without_tomostar(table, named)
    pixel_size, tag = _coordinate_pixel_size(table, optics, named, frames, coordinate_pixel_size)
    if tomogram_size_px is not None and pixel_size is not None:
        frames = _with_frames(frames, tomogram, pixel_size, tomogram_size_px)
    origins = table.stacked(ORIGINS, default=0)
    if ORIGINS[0] not in table and pixel_size is not None:
        origins = table.stacked(ORIGINS_PX, default=0) * pixel_size[:, None]
    if _is_centred(table, frames):
        what = f"use {CENTRED[0]} of {table.source}"
        centre, _ = centres_and_pixel_sizes(tomogram, frames, what)
        return tomogram, table.stacked(CENTRED) + centre, origins
    coordinates = _coordinates(table, pixel_size)
    if pixel_size is not None and tag != TILT_SERIES_PIXEL_SIZE:
        is_of_series = "rlnTomoName" in table and tag != _DETECTOR
        coordinates += grid_origins(tomogram, pixel_size, grids, frames if is_of_series else {})
    return tomogram, coordinates, origins


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


def centres_and_pixel_sizes(
    tomogram: NDArray[np.str_], frames: Mapping[str, TomogramFrame], what: str
) -> tuple[FloatArray, FloatArray]:
    """Look up the centre (n, 3) and the pixel size (n,) of each particle's tomogram, in Å."""
    names, inverse = np.unique(tomogram, return_inverse=True)
    missing = [name for name in names.tolist() if name not in frames]
    if missing:
        known = f"only of {some_of(frames)}" if frames else "of none"
        raise SettingsError(
            f"to {what} the size and pixel size of tomogram {missing[0]} are needed, known "
            f"{known}: give the tomograms.star of the project, or their size and pixel size"
        )
    centres = np.array([frames[name].centre for name in names.tolist()]).reshape(-1, 3)
    sizes = np.array([frames[name].pixel_size for name in names.tolist()], dtype=np.float64)
    return centres[inverse], sizes[inverse]


def _named(table: StarTable) -> NDArray[np.str_]:
    """Give the tomograms as they stand in the table."""
    if "rlnMicrographName" in table and "rlnTomoName" not in table:
        return table.text("rlnMicrographName")
    table.require(["rlnTomoName"], why="or rlnMicrographName")
    return table.text("rlnTomoName")


def _without_tomostar(table: StarTable, named: NDArray[np.str_]) -> NDArray[np.str_]:
    """Give the tomograms of picks of Warp, which names their tilt series' files."""
    if "rlnTomoName" in table or "rlnImageName" in table:
        return named
    return np.array([name.removesuffix(".tomostar") for name in named.tolist()], dtype=np.str_)


def _coordinate_pixel_size(
    table: StarTable,
    optics: Mapping[str, NDArray[Any]],
    tomogram: NDArray[np.str_],
    frames: Mapping[str, TomogramFrame],
    given: float | None,
) -> tuple[FloatArray | None, str]:
    """Give the pixel size of ``rlnCoordinate*`` for each row, and the tag that says it, if one."""
    if given is not None:
        if not given > 0:
            raise SettingsError(f"coordinate_pixel_size is {given} Å; expected a positive number")
        return np.full(len(table), float(given)), ""
    columns = {tag.removeprefix(OPTICS_PREFIX): column for tag, column in optics.items()}
    known = StarTable({**columns, **table.columns}, source=table.source, lines=table.lines)
    names = tomogram.tolist()
    is_warp = CENTRED[0] not in table and all(name.endswith(".tomostar") for name in names)
    tags = (COORDINATE_PIXEL_SIZE, *((_IMAGE,) if is_warp else ()), *_SAYS_SIZE)
    tag = next((tag for tag in tags if tag in known), "")
    if tag:
        return _said_pixel_size(known, tag), tag
    if frames and all(name in frames for name in names):
        return np.array([frames[name].pixel_size for name in names]), ""
    return None, ""


def _said_pixel_size(table: StarTable, tag: str) -> FloatArray:
    """Read the pixel sizes that a column says."""
    sizes = table.stacked([tag])[:, 0]
    if tag == _DETECTOR and "rlnMagnification" in table:
        with np.errstate(divide="ignore"):
            sizes = sizes * 1e4 / table.stacked(["rlnMagnification"])[:, 0]
    bad = np.flatnonzero(~((sizes > 0) & np.isfinite(sizes)))
    if len(bad):
        raise StarError(
            f"{table.place(bad[0])}: {tag} gives a pixel size of {sizes[bad[0]]} Å; "
            "expected a positive number"
        )
    return sizes


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


def _is_centred(table: StarTable, frames: Mapping[str, TomogramFrame]) -> bool:
    """Tell whether positions are taken from centred coordinates."""
    has_pixels = table.has_all(COORDINATES)
    return table.has_all(CENTRED) and (bool(frames) or not has_pixels)


def _coordinates(table: StarTable, pixel_size: FloatArray | None) -> FloatArray:
    """Give coordinates in pixels as Å."""
    table.require(COORDINATES, why=f"or {', '.join(CENTRED)}")
    if pixel_size is None:
        raise SettingsError(
            f"{table.source}: {', '.join(COORDINATES)} are in pixels and the file does not say of "
            f"what size (no {', '.join(_SAYS_SIZE[:-1])} or {_IMAGE}): give coordinate_pixel_size "
            "in Å (of subtomo convert: --pixel-size), or the tomograms.star of the project"
        )
    return table.stacked(COORDINATES) * pixel_size[:, None]
