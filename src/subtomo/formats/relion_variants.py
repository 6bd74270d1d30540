"""Particles in the STAR files of RELION 3.1, 4, 5 and Warp, in the context of their tomograms.

RELION 4 and 5 count in pixels of the tilt series from the centre of the full-resolution tomogram's
first voxel; the others in voxels of the tomogram picked in, from the centre of its own first voxel.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SettingsError
from subtomo.formats.group_numbers import are_numbers, numbers_of
from subtomo.formats.relion_coordinates import COORDINATE_PIXEL_SIZE, grid_origins
from subtomo.formats.relion_optics import OPTICS_PREFIX, TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_particles import (
    particle_blocks,
    read_relion_particles,
    write_relion_particles,
)
from subtomo.formats.star import StarTable, write_star
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_table import TextTable
from subtomo.model import Particles

FloatArray = NDArray[np.float64]

_OPTICS_TILT_SERIES = OPTICS_PREFIX + TILT_SERIES_PIXEL_SIZE
_MAGNIFICATION = 10000.0  # with which rlnDetectorPixelSize, in µm, is the pixel size in Å
_WARP_VOLUME = re.compile(r"_\d+\.\d+Apx$")
_STALE = ("rlnDetectorPixelSize", "rlnMagnification", "rlnMicrographPixelSize")
_OPTICS_ONLY = {"rlnOpticsGroup", "rlnOpticsGroupName", TILT_SERIES_PIXEL_SIZE}


def read_relion(path: Path, context: TableContext) -> Particles:
    """Read any of them, as ``read_relion_particles``.

    Parameters
    ----------
    path : the file
    context : ``frames``, or ``size_px``, for centred coordinates; ``grids`` for coordinates in
        their voxels; ``pixel_size`` wins over what the file says

    Raises
    ------
    MissingFileError, StarError, SettingsError
        As ``read_relion_particles``.
    """
    return read_relion_particles(
        path,
        frames=context.frames or None,
        coordinate_pixel_size=context.pixel_size,
        grids=context.grids,
        tomogram_size_px=context.size_px,
    )


def write_relion5(path: Path, particles: Particles, context: TableContext) -> None:
    """Write centred coordinates, with those of RELION 4 beside.

    Raises
    ------
    SettingsError
        If the size of a tomogram is not known.
    """
    names = np.unique(particles.tomogram).tolist()
    frames = {name: context.frame_of(name, path) for name in names}
    write_relion_particles(path, _with_class_numbers(particles), frames)


def write_relion4(path: Path, particles: Particles, context: TableContext) -> None:
    """Write coordinates in pixels of the tilt series, with the optics groups that RELION 4 asks.

    Raises
    ------
    SettingsError
        If the pixel size of a tilt series is not known.
    """
    pixel_size = _pixel_sizes(particles, path, context, _tilt_series_pixel_size)
    grouped = _with_optics(_with_class_numbers(particles), TILT_SERIES_PIXEL_SIZE, pixel_size)
    blocks = particle_blocks(grouped, pixel_size)
    blocks["particles"] = _clear(blocks["particles"], grouped, pixel_size)
    write_star(path, blocks)


def write_relion31(path: Path, particles: Particles, context: TableContext) -> None:
    """Write coordinates in pixels of the tomogram, which is called a micrograph.

    Raises
    ------
    SettingsError
        If the pixel size of a tomogram is not known.
    """
    pixel_size = _pixel_sizes(particles, path, context, _tomogram_pixel_size)
    particles = _from_voxels(particles, pixel_size, context)
    grouped = _with_optics(_with_class_numbers(particles), "rlnMicrographPixelSize", pixel_size)
    blocks = particle_blocks(grouped, pixel_size)
    blocks["particles"] = _clear(blocks["particles"], grouped, pixel_size)
    optics = dict(blocks["optics"].columns) if "optics" in blocks else {}
    optics.pop(TILT_SERIES_PIXEL_SIZE, None)
    columns = dict(blocks["particles"].columns)
    columns.pop(TILT_SERIES_PIXEL_SIZE, None)
    columns["rlnMicrographName"] = columns.pop("rlnTomoName")
    blocks["particles"] = StarTable(columns)
    if optics:
        blocks["optics"] = StarTable(optics)
    write_star(path, blocks)


def write_warp(path: Path, particles: Particles, context: TableContext) -> None:
    """Write what Warp and M read, as dynamo2warp does: one table without optics groups.

    Parameters
    ----------
    path : M reads only files that end in ``_data.star``
    particles : tomograms ``NAME.mrc_15.00Apx`` or ``NAME_15.00Apx``, as Warp calls its volumes,
        become ``NAME.mrc.tomostar`` or ``NAME.tomostar``; others get ``.tomostar``
    context : pixel sizes of the tomograms

    Raises
    ------
    SettingsError
        If the pixel size of a tomogram is not known.

    Notes
    -----
    Source: dynamo2warp of dynamo2m, and the columns of Warp's own tables.
    """
    pixel_size = _pixel_sizes(particles, path, context, _tomogram_pixel_size)
    particles = _from_voxels(particles, pixel_size, context)
    flat = {
        tag.removeprefix(OPTICS_PREFIX): column
        for tag, column in _with_class_numbers(particles).extra.items()
        if tag.removeprefix(OPTICS_PREFIX) not in _OPTICS_ONLY
    }
    names = [_tomostar(name) for name in particles.tomogram.tolist()]
    named = particles.with_columns(tomogram=np.array(names, dtype=np.str_), extra=flat, tables={})
    blocks = particle_blocks(named, pixel_size)
    columns = dict(_clear(blocks["particles"], named, pixel_size).columns)
    columns.pop(TILT_SERIES_PIXEL_SIZE, None)
    name = columns.pop("rlnTomoName")
    columns |= {
        "rlnMicrographName": name,
        "rlnMagnification": np.full(len(particles), _MAGNIFICATION),
        "rlnDetectorPixelSize": pixel_size,
    }
    write_star(path, {"": StarTable(columns)})


def _from_voxels(particles: Particles, pixel_size: FloatArray, context: TableContext) -> Particles:
    """Measure positions from the centre of the first voxel of the tomogram picked in."""
    origins = grid_origins(particles.tomogram, pixel_size, context.grids, {})
    return particles.with_columns(position=particles.position - origins)


def _tomostar(name: str) -> str:
    """Give the name by which Warp knows the tilt series of a tomogram."""
    name = _WARP_VOLUME.sub("", name)
    return name if name.endswith(".tomostar") else f"{name}.tomostar"


_PixelSizeOf = Callable[[str, Path, TableContext], float | None]


def _tilt_series_pixel_size(name: str, path: Path, context: TableContext) -> float | None:
    """Give the pixel size of the tilt series, or of the tomogram where no other is known."""
    if name in context.frames:
        return context.frames[name].pixel_size
    return _tomogram_pixel_size(name, path, context)


def _tomogram_pixel_size(name: str, path: Path, context: TableContext) -> float | None:
    """Give the pixel size of the tomogram."""
    if name in context.grids or context.pixel_size is not None:
        return context.grid_of(name, path).pixel_size
    return None


def _pixel_sizes(
    particles: Particles, path: Path, context: TableContext, pixel_size_of: _PixelSizeOf
) -> FloatArray:
    """Give the pixel size of each particle's coordinates; where unknown, what its table said."""
    sizes = np.zeros(len(particles))
    for tag in (TILT_SERIES_PIXEL_SIZE, _OPTICS_TILT_SERIES):
        if tag in particles.extra:
            sizes = TextTable({tag: particles.extra[tag]}, source="particles").numbers(tag).copy()
    for name in np.unique(particles.tomogram).tolist():
        rows = particles.tomogram == name
        known = pixel_size_of(name, path, context)
        if known is not None:
            sizes[rows] = known
        elif not (sizes[rows] > 0).all():
            raise SettingsError(
                f"{path}: counts in pixels of tomogram {name}, of unknown size: give the tomogram "
                "(--tomograms), or --output-pixel-size in Å"
            )
    return sizes


def _with_class_numbers(particles: Particles) -> Particles:
    """Add RELION's own column of classes, where they are whole numbers and it is not there."""
    names = particles.class_name
    is_known = len(names) and "rlnClassNumber" not in particles.extra and bool((names != "").all())
    if not (is_known and are_numbers(np.unique(names).tolist())):
        return particles
    return particles.with_columns(extra={**particles.extra, "rlnClassNumber": numbers_of(names)})


def _with_optics(particles: Particles, tag: str, pixel_size: FloatArray) -> Particles:
    """Add a pixel size to the optics groups, which are made where there were none."""
    _, group = np.unique(pixel_size, return_inverse=True)
    names = np.char.add("opticsGroup", (group + 1).astype(np.str_))
    extra = {OPTICS_PREFIX + "rlnOpticsGroupName": names, **particles.extra}
    for stale in (*_STALE, *(OPTICS_PREFIX + other for other in _STALE), "rlnOpticsGroup"):
        extra.pop(stale, None)
    return particles.with_columns(extra={**extra, OPTICS_PREFIX + tag: pixel_size})


def _clear(table: StarTable, particles: Particles, pixel_size: FloatArray) -> StarTable:
    """Say the pixel size of the coordinates where it would be taken for that of the images.

    Readers take tables with ``rlnImagePixelSize`` of tomograms called ``*.tomostar`` for
    WarpTools', which count in pixels of the images.
    """
    has_images = any(tag.endswith("rlnImagePixelSize") for tag in particles.extra)
    names = particles.tomogram.tolist()
    if not (has_images and all(name.endswith(".tomostar") for name in names)):
        return table
    return StarTable({**table.columns, COORDINATE_PIXEL_SIZE: pixel_size})
