"""A coarser mesh of a surface, for pictures."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.picking.surfaces.surface import Surface

_ROUNDS = 4


def coarse_surface(surface: Surface, most_triangles: int) -> Surface:
    """Merge the vertices of a surface that lie close together.

    Parameters
    ----------
    surface : any
    most_triangles : about as many as there may be

    Returns
    -------
    Surface
        With each vertex moved to the nearest of points that are spread evenly; triangles that lost
        a side are gone.

    Notes
    -----
    The points begin in the cubes of a grid and are moved to the middles of their vertices some
    times (Lloyd's method): the cubes alone would leave triangles folded onto each other.
    """
    if len(surface.faces) <= most_triangles:
        return surface
    side = np.sqrt(2.5 * surface.area / most_triangles)
    row = np.unique(np.floor(surface.vertices / side), axis=0, return_inverse=True)[1].reshape(-1)
    middles = _middles(surface.vertices, row)
    for _ in range(_ROUNDS):
        row = np.unique(cKDTree(middles).query(surface.vertices)[1], return_inverse=True)[1]
        middles = _middles(surface.vertices, row)
    faces = row[surface.faces]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)[1]
    return Surface(middles, faces[first])


def _middles(vertices: NDArray[np.float64], row: NDArray[np.intp]) -> NDArray[np.float64]:
    """Middle of the vertices of each group: (groups, 3)."""
    sums = np.stack([np.bincount(row, vertices[:, k]) for k in range(3)], axis=1)
    return sums / np.bincount(row)[:, None]
