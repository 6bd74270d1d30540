"""Particles in model files of IMOD (``.mod``).

An object is a class, named by it; a contour is an instance, numbered by its surface, else by its
place in an object of lines. Values of points are scores. A point is in pixels of the tomogram, x
and y from the corner of the first pixel, z from the middle of the first slice: index = (x − 0.5, y
− 0.5, z).

Source: https://bio3d.colorado.edu/imod/doc/binspec.html; the half pixel as in cylindra's reader of
PEET projects.
"""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SubtomoWarning
from subtomo.formats.group_numbers import names_of, numbers_of
from subtomo.formats.imod_model_file import (
    ImodContour,
    ImodModel,
    ImodObject,
    read_imod_model_file,
    write_imod_model_file,
)
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles

_CORNER = np.array([0.5, 0.5, 0.0])  # of voxel (0, 0, 0) in IMOD's coordinates
_LEAST_RADIUS = 3


def read_imod_model(path: Path, context: TableContext) -> Particles:
    """Read the points of a model.

    Parameters
    ----------
    path : ``.mod``; of one tomogram
    context : voxels of the tomogram
        Where it knows none, the pixel size of the model counts.

    Returns
    -------
    Particles in the order of the file, without orientation

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not a model, or a point is not finite.
    SettingsError
        If the voxels of the tomogram are not known.

    Warns
    -----
    SubtomoWarning
        If the model was last seen with y and z exchanged.
    """
    model = read_imod_model_file(path)
    return particles_of_model(model, path, with_pixel_size(model, path, context))


def with_pixel_size(model: ImodModel, path: Path, context: TableContext) -> TableContext:
    """Give the context with the pixel size of a model, where it knows none.

    Parameters
    ----------
    model : with or without a pixel size
    path : of the model, for messages
    context : wins

    Warns
    -----
    SubtomoWarning
        If the model was last seen with y and z exchanged.
    """
    if model.is_flipped:
        warnings.warn(
            f"{path}: was last seen on an image with y and z exchanged; coordinates are taken as "
            "they stand: compare a few with the tomogram",
            SubtomoWarning,
            stacklevel=2,
        )
    if context.pixel_size is None and model.pixel_size is not None:
        return replace(context, pixel_size=model.pixel_size)
    return context


def particles_of_model(model: ImodModel, path: Path, context: TableContext) -> Particles:
    """Place the points of a model.

    Parameters
    ----------
    model : of one tomogram
    path : of the model, for messages
    context : voxels of the tomogram

    Raises
    ------
    FormatError
        If a point is not finite.
    SettingsError
        If the voxels of the tomogram are not known.
    """
    rows = [*_contours(model, path)]
    counts = [len(contour.points) for *_, contour in rows]
    points = np.concatenate([contour.points for *_, contour in rows] or [np.empty((0, 3))])
    surface = np.repeat(np.array([number for _, number, _ in rows], dtype=np.int64), counts)
    tomogram = np.full(len(points), context.only_tomogram(path))
    return Particles(
        tomogram=tomogram,
        position=context.positions(tomogram, points - _CORNER, path),
        class_name=np.repeat(np.array([name for name, _, _ in rows], dtype=np.str_), counts),
        instance=names_of(surface),
        score=np.concatenate([contour.values for *_, contour in rows] or [np.empty(0)]),
    )


def write_imod_model(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a model: an object for each class, a contour for each instance in it.

    Parameters
    ----------
    path : ``.mod``, replaced in one step
    particles : of one tomogram; instances that are no whole numbers are counted from 1
    context : voxels of the tomogram

    Raises
    ------
    SettingsError
        If the voxels of the tomogram are not known.
    """
    model, _ = model_of_particles(particles, path, context)
    write_imod_model_file(path, model)


def model_of_particles(
    particles: Particles, path: Path, context: TableContext
) -> tuple[ImodModel, NDArray[np.int64]]:
    """Make a model.

    Parameters
    ----------
    particles : of one tomogram
    path : of the model, for messages
    context : voxels of the tomogram

    Returns
    -------
    model : an object for each class
    order : (n,) row of the particle that each of its points is

    Raises
    ------
    SettingsError
        If the voxels of the tomogram are not known.
    """
    points = context.indices(particles, path) + _CORNER
    instance = numbers_of(particles.instance)
    objects, order = [], [np.empty(0, dtype=np.int64)]
    for name in dict.fromkeys(particles.class_name.tolist()):
        of_class = np.flatnonzero(particles.class_name == name)
        contours = []
        for number in dict.fromkeys(instance[of_class].tolist()):
            rows = of_class[instance[of_class] == number]
            contours.append(ImodContour(points[rows], number, particles.score[rows]))
            order.append(rows)
        radius = max(_LEAST_RADIUS, int(particles.box_size[of_class].max()) // 2)
        objects.append(ImodObject(name, tuple(contours), not instance[of_class].any(), radius))
    return _model(objects, particles, path, context), np.concatenate(order)


def _model(
    objects: list[ImodObject], particles: Particles, path: Path, context: TableContext
) -> ImodModel:
    """Add what the tomogram says."""
    if not len(particles):
        return ImodModel(())
    grid = context.grid_of(str(particles.tomogram[0]), path)
    return ImodModel(tuple(objects), grid.size_px or context.size_px or (0, 0, 0), grid.pixel_size)


def _contours(model: ImodModel, path: Path) -> Iterator[tuple[str, int, ImodContour]]:
    """Give the contours with the class and the number of the instance that they are."""
    is_unnamed = len(model.objects) > 1 and not any(each.name for each in model.objects)
    for n_object, each in enumerate(model.objects, 1):
        name = str(n_object) if is_unnamed else each.name
        has_surfaces = any(contour.surface for contour in each.contours)
        lines = not each.is_scattered and any(len(c.points) > 1 for c in each.contours)
        is_numbered = lines and len(each.contours) > 1 and not has_surfaces
        for n_contour, contour in enumerate(each.contours, 1):
            bad = np.flatnonzero(~np.isfinite(contour.points).all(axis=1))
            if len(bad):
                raise FormatError(
                    f"{path}, object {n_object}, contour {n_contour}, point {bad[0] + 1}: "
                    f"{contour.points[bad[0]].tolist()}; expected finite numbers"
                )
            yield name, n_contour if is_numbered else contour.surface, contour
