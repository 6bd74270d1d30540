"""A coarser mesh of a surface, for pictures."""

import numpy as np

from subtomo.picking.surfaces.surface import Surface


def coarse_surface(surface: Surface, most_triangles: int) -> Surface:
    """Merge the vertices of a surface that lie close together.

    Parameters
    ----------
    surface : any
    most_triangles : about as many as there may be

    Returns
    -------
    Surface
        With the vertices of each cube of a grid moved to their middle; triangles that lost a side
        are gone.
    """
    if len(surface.faces) <= most_triangles:
        return surface
    side = np.sqrt(2.5 * surface.area / most_triangles)
    cells = np.floor(surface.vertices / side).astype(np.int64)
    _, row, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    row = row.reshape(-1)
    middles = np.stack(
        [np.bincount(row, surface.vertices[:, k]) / counts for k in range(3)], axis=1
    )
    faces = row[surface.faces]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    return Surface(middles, np.unique(faces, axis=0))
