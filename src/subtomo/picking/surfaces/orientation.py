"""Which side of a surface is outside."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.picking.surfaces.pieces import number_pieces
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]


def point_outward(surface: Surface, marker: ArrayLike | None = None) -> Surface:
    """Turn the normals of a surface away from its inside, once for each connected piece.

    Parameters
    ----------
    surface : of consistent winding
    marker : (3,) or (m, 3) Å, columns x, y, z, points on the inner side; None: not known
        Of several the one nearest to a piece decides. None: the middle of an open piece is taken
        as its inside, and what a closed one encloses. Whoever calls should tell the user so.

    Returns
    -------
    Surface
        At the point of a piece that is nearest to the marker the normal points away from it; its
        other normals follow by the winding, however strongly it is curved.

    Raises
    ------
    ShapeError
        If a marker does not have three coordinates.
    DataError
        If a marker is not finite, or lies on the surface.
    """
    markers = None if marker is None else _checked(marker)
    faces, normals = surface.faces.copy(), surface.normals.copy()
    piece_of_face, piece_of_vertex = number_pieces(surface)
    for piece in range(piece_of_face.max(initial=-1) + 1):
        rows = np.flatnonzero(piece_of_face == piece)
        if _points_inward(Surface(surface.vertices, surface.faces[rows], surface.normals), markers):
            faces[rows] = faces[rows][:, ::-1]
            normals[piece_of_vertex == piece] *= -1
    return Surface(surface.vertices, faces, normals)


def _checked(marker: ArrayLike) -> FloatArray:
    markers = np.atleast_2d(np.asarray(marker, dtype=np.float64))
    if markers.ndim != 2 or markers.shape[1] != 3 or not len(markers):
        raise ShapeError(f"marker has shape {np.shape(marker)}; expected (3,) or (m, 3)")
    if not np.isfinite(markers).all():
        raise DataError(f"marker is {np.asarray(marker).tolist()}; expected numbers")
    return markers


def _points_inward(piece: Surface, markers: FloatArray | None) -> bool:
    if markers is None and piece.is_closed:
        return _signed_volume(piece) < 0
    inside = _middle(piece) if markers is None else markers
    nearest = piece.closest(inside)
    k = int(np.argmin(nearest.distance))
    if markers is not None and nearest.distance[k] <= 1e-6 * np.sqrt(piece.area):
        raise DataError(
            f"marker ({', '.join(f'{x:g}' for x in inside[k])}) Å lies on the surface; "
            "put it to one side"
        )
    return bool((nearest.position[k] - inside[k]) @ nearest.normal[k] < 0)


def _middle(piece: Surface) -> FloatArray:
    """Centre of gravity of the triangles, (1, 3)."""
    centres = piece.vertices[piece.faces].mean(axis=1)
    return np.average(centres, axis=0, weights=piece.triangle_areas)[None]


def _signed_volume(piece: Surface) -> float:
    """Give what a closed surface encloses: negative where it is inside out."""
    a, b, c = (piece.vertices[piece.faces[:, k]] for k in range(3))
    return float(np.einsum("nx,nx->n", a, np.cross(b, c)).sum() / 6)
