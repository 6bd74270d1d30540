"""The connected pieces of a surface."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from subtomo.picking.surfaces.surface import Surface

IntArray = NDArray[np.int64]


def number_pieces(surface: Surface) -> tuple[IntArray, IntArray]:
    """Give the connected pieces of a surface numbers from 0.

    Parameters
    ----------
    surface : of any number of pieces

    Returns
    -------
    of_face : (t,)
    of_vertex : (v,) -1 for a vertex that no triangle has
    """
    faces, n = surface.faces, len(surface.vertices)
    rows = np.concatenate([faces[:, 0], faces[:, 1]])
    columns = np.concatenate([faces[:, 1], faces[:, 2]])
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(n, n))
    label = connected_components(graph, directed=False)[1]
    _, of_face = np.unique(label[faces[:, 0]], return_inverse=True)
    of_vertex = np.full(n, -1)
    of_vertex[faces] = of_face[:, None]
    return of_face.astype(np.int64), of_vertex


def split_pieces(surface: Surface) -> list[Surface]:
    """Give each connected piece of a surface as one of its own, the largest in area first.

    Parameters
    ----------
    surface : of any number of pieces

    Returns
    -------
    list of Surface
        Without the vertices that no triangle has.
    """
    of_face, _ = number_pieces(surface)
    area = np.bincount(of_face, weights=surface.triangle_areas)
    return [keep_faces(surface, of_face == k) for k in np.argsort(-area, kind="stable")]


def keep_faces(surface: Surface, is_kept: NDArray[np.bool_]) -> Surface:
    """Keep some triangles, and the vertices that they have.

    Parameters
    ----------
    surface : any
    is_kept : (t,)

    Returns
    -------
    Surface
        With the normals as they were.
    """
    vertices, faces = np.unique(surface.faces[is_kept], return_inverse=True)
    return Surface(surface.vertices[vertices], faces.reshape(-1, 3), surface.normals[vertices])
