"""Searching positions near a surface in orientations about its normal only."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Volume
from subtomo.picking.matching.tiling import Tile, Triple, fast_size
from subtomo.picking.models.surface_orientation import nearest_surface
from subtomo.picking.surfaces.surface import Surface

_CELL = 8  # voxels along the edge of the cells that are looked at first
_ROUNDING = 0.25  # of the cone: how far apart the directions lie that normals are rounded to
_LEAST_ROUNDING = 4.0  # degrees

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Patch:
    """Positions with one direction of the normal, and their orientations.

    Parameters
    ----------
    tile : the box about the positions
    counts : (z, y, x) of the tile's count, which of its positions are the patch's
    rotations : (m,) rows of the orientations
    """

    tile: Tile
    counts: NDArray[np.bool_]
    rotations: NDArray[np.int64]


def normals_near(
    surfaces: Mapping[str, Surface], volume: Volume, tile: Tile, within: float
) -> tuple[NDArray[np.int64], FloatArray]:
    """Find the positions of a tile that are near a surface, with the normals there.

    Parameters
    ----------
    surfaces : by name
    volume : whose voxels the positions are
    tile : positions
    within : Å, greatest distance on either side

    Returns
    -------
    index : (k, 3) z, y, x, within the tile
    normal : (k, 3) unit, columns x, y, z, outward at the nearest point
    """
    counts = [-(-n // _CELL) for n in tile.count]
    cells = _CELL * np.indices(counts).reshape(3, -1).T
    diagonal = np.sqrt(3) / 2 * _CELL * volume.pixel_size
    centres = _positions(volume, tile, cells + (_CELL - 1) / 2)
    near = np.abs(nearest_surface(centres, surfaces).distance) <= within + diagonal
    inner = np.indices((_CELL,) * 3).reshape(3, -1).T
    index = (cells[near][:, None] + inner).reshape(-1, 3)
    index = index[(index < np.array(tile.count)).all(axis=1)]
    found = nearest_surface(_positions(volume, tile, index), surfaces)
    kept = np.abs(found.distance) <= within
    return index[kept], found.normal[kept]


def _positions(volume: Volume, tile: Tile, index: NDArray[np.floating]) -> FloatArray:
    """Places (k, 3; x, y, z) Å of positions (k, 3; z, y, x) of a tile."""
    return np.asarray(volume.index_to_position((index + np.array(tile.first))[:, ::-1]))


def cone_patches(
    tile: Tile,
    index: NDArray[np.int64],
    normal: FloatArray,
    matrices: FloatArray,
    cone: float,
    box: int,
) -> list[Patch]:
    """Divide positions by the direction of their normal.

    Parameters
    ----------
    tile : that holds the positions
    index : (k, 3) z, y, x, within the tile
    normal : (k, 3) x, y, z
    matrices : (r, 3, 3) of all orientations
    cone : degrees, greatest angle of the z axis to the normal
        Which is rounded to one of directions a quarter of the cone, or four degrees, apart.
    box : edge of the template, voxels

    Returns
    -------
    Patches; every position is in one of them. A cone without any orientation gets the nearest.
    """
    directions = _directions(max(_ROUNDING * cone, _LEAST_ROUNDING))
    which = (normal @ directions.T).argmax(axis=1) if len(normal) else np.zeros(0, dtype=int)
    patches = []
    for each in np.unique(which):
        mine = index[which == each]
        low, high = mine.min(axis=0), mine.max(axis=0) + 1
        counts = np.zeros(tuple(high - low), dtype=bool)
        counts[tuple((mine - low).T)] = True
        cosines = matrices[:, :, 2] @ directions[each]
        rotations = np.flatnonzero(cosines >= np.cos(np.radians(cone)))
        rotations = rotations if len(rotations) else np.array([cosines.argmax()])
        first = _triple(np.array(tile.first) + low)
        block = _triple(np.array([fast_size(int(n) + box - 1) for n in high - low]))
        patches.append(Patch(Tile(first, _triple(high - low), block), counts, rotations))
    return patches


def _triple(values: NDArray[np.integer]) -> Triple:
    z, y, x = (int(value) for value in values)
    return z, y, x


def _directions(spacing: float) -> FloatArray:
    """Spread unit vectors (m, 3) evenly, about a spacing in degrees apart: a Fibonacci spiral."""
    n = int(np.ceil(4 * np.pi / np.radians(spacing) ** 2))
    z = 1 - (2 * np.arange(n) + 1) / n
    angle = np.pi * (1 + np.sqrt(5)) * np.arange(n)
    rho = np.sqrt(1 - z**2)
    return np.stack([rho * np.cos(angle), rho * np.sin(angle), z], axis=1)
