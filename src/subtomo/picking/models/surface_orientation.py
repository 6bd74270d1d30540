"""Orientation of points from the surfaces near them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.geometry.axis_frames import quaternions_along
from subtomo.model import Particles
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

DISTANCE = "subtomoSurfaceDistance"
"""Column: Å from the nearest surface, before anything is moved; negative on its inner side."""

MODEL = "subtomoSurfaceModel"
"""Column: name of the model whose surface gave the orientation; empty where none did."""


@dataclass(frozen=True, eq=False)
class NearestSurface:
    """The nearest surface of each of some points.

    Parameters
    ----------
    row : (n,) which of the surfaces, in the order they were given; -1: there is none
    position : (n, 3) Å, the nearest point on it
    normal : (n, 3) unit, outward, there
    distance : (n,) Å, negative on the inner side; NaN where there is no surface
    """

    row: NDArray[np.int64]
    position: FloatArray
    normal: FloatArray
    distance: FloatArray


def nearest_surface(points: FloatArray, surfaces: Mapping[str, Surface]) -> NearestSurface:
    """Find the nearest point of any surface.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z
    surfaces : by name; of two at the same distance the first counts

    Returns
    -------
    NearestSurface
    """
    n = len(points)
    row, best = np.full(n, -1), np.full(n, np.inf)
    position, normal = points.copy(), np.zeros((n, 3))
    for k, surface in enumerate(surfaces.values()):
        found = surface.closest(points)
        nearer = found.distance < best
        row[nearer], best[nearer] = k, found.distance[nearer]
        position[nearer], normal[nearer] = found.position[nearer], found.normal[nearer]
    is_inside = ((points - position) * normal).sum(axis=1) < 0
    distance = np.where(row >= 0, np.where(is_inside, -best, best), np.nan)
    return NearestSurface(row, position, normal, distance)


def orient_by_surfaces(
    particles: Particles,
    surfaces: Mapping[str, Surface],
    *,
    maximum_distance: float | None = None,
    snap: bool = False,
    shift_along_normal: float = 0.0,
    angles_deg: ArrayLike = 0.0,
) -> Particles:
    """Turn the z axis of each particle to the normal of the nearest surface.

    Parameters
    ----------
    particles : of one tomogram
    surfaces : of the same tomogram, by the name of their model
    maximum_distance : Å; particles farther from every surface stay as they are
    snap : move particles to the nearest point on the surface
    shift_along_normal : Å, by which they are then moved outwards
    angles_deg : (n,) or a number, by which particles are turned about their z axes

    Returns
    -------
    Particles
        All of them, in the same order, with the columns ``subtomoSurfaceDistance`` (Å, of the
        point as it was, negative inside) and ``subtomoSurfaceModel`` (empty where the
        particle stayed as it was).
    """
    found = nearest_surface(particles.position, surfaces)
    is_near = found.row >= 0
    if maximum_distance is not None:
        is_near &= np.abs(found.distance) <= maximum_distance
    names = np.array([*surfaces, ""])
    position = np.where((is_near & snap)[:, None], found.position, particles.position)
    position = position + np.where(is_near, shift_along_normal, 0.0)[:, None] * found.normal
    orientation = particles.orientation.copy()
    angles = np.broadcast_to(np.asarray(angles_deg, dtype=np.float64), len(particles))
    orientation[is_near] = quaternions_along(found.normal[is_near], angles[is_near])
    columns = {DISTANCE: found.distance, MODEL: np.where(is_near, names[found.row], "")}
    return particles.with_columns(
        position=position,
        orientation=orientation,
        is_oriented=particles.is_oriented | is_near,
        extra={**particles.extra, **columns},
    )
