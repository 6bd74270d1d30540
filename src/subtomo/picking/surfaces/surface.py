"""A surface of triangles, with its outward normals and the point of it nearest to another."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.picking.surfaces.nearest_point import NearestPoint

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points on a surface, one for each point asked about.

    Parameters
    ----------
    position : (n, 3) Å, columns x, y, z, on the surface
    normal : (n, 3) unit, interpolated within the triangle
    distance : (n,) Å, from the point asked about, never negative
    triangle : (n,) row of ``Surface.faces``
    """

    position: FloatArray
    normal: FloatArray
    distance: FloatArray
    triangle: IntArray


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface of triangles.

    Parameters
    ----------
    vertices : (v, 3) Å, columns x, y, z
    faces : (t, 3) rows of ``vertices``
        Counter-clockwise seen from the side that the normals point to.
    normals : (v, 3) unit, outward
        Not given: the mean of the triangles' normals around each vertex, by their angles there.

    Raises
    ------
    ShapeError
        If an array does not have three columns, or a face names a vertex that is not there.
    DataError
        If a vertex or a normal is not finite.
    """

    vertices: FloatArray
    faces: IntArray
    normals: FloatArray = None  # type: ignore[assignment]  # filled below

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", np.asarray(self.vertices, dtype=np.float64))
        object.__setattr__(self, "faces", np.asarray(self.faces, dtype=np.int64))
        for name in ("vertices", "faces"):
            shape = getattr(self, name).shape
            if len(shape) != 2 or shape[1] != 3:
                raise ShapeError(f"surface: {name} have shape {shape}; expected (n, 3)")
        if len(self.faces) and not (
            self.faces.min() >= 0 and self.faces.max() < len(self.vertices)
        ):
            raise ShapeError(
                f"surface: faces name vertices {self.faces.min()} to {self.faces.max()}; "
                f"there are {len(self.vertices)}"
            )
        if self.normals is None:
            object.__setattr__(self, "normals", vertex_normals(self.vertices, self.faces))
        object.__setattr__(self, "normals", np.asarray(self.normals, dtype=np.float64))
        if self.normals.shape != self.vertices.shape:
            raise ShapeError(
                f"surface: normals have shape {self.normals.shape}; "
                f"expected {self.vertices.shape}, as the vertices"
            )
        if not (np.isfinite(self.vertices).all() and np.isfinite(self.normals).all()):
            raise DataError("surface: a vertex or a normal is not finite")

    @property
    def is_closed(self) -> bool:
        """Whether it encloses a space: it has no boundary."""
        return len(self.faces) > 0 and len(self.boundary) == 0

    @cached_property
    def triangle_areas(self) -> FloatArray:
        """(t,) Å²."""
        return np.asarray(np.linalg.norm(_triangle_normals(self.vertices, self.faces), axis=1) / 2)

    @property
    def area(self) -> float:
        """Area in Å²."""
        return float(self.triangle_areas.sum())

    @cached_property
    def boundary(self) -> IntArray:
        """(b, 2) edges that only one triangle has, as rows of ``vertices``, in its winding."""
        edges = np.concatenate([self.faces[:, [i, (i + 1) % 3]] for i in range(3)])
        ordered = np.sort(edges, axis=1)
        _, row, count = np.unique(ordered, axis=0, return_inverse=True, return_counts=True)
        return np.asarray(edges[count[row.ravel()] == 1])

    def flipped(self) -> "Surface":
        """Turn the surface inside out: the other winding, the opposite normals."""
        return Surface(self.vertices, self.faces[:, ::-1], -self.normals)

    def closest(self, points: ArrayLike) -> SurfacePoints:
        """Find the point of the surface that is nearest to each of some points.

        Parameters
        ----------
        points : (n, 3) Å, columns x, y, z

        Returns
        -------
        SurfacePoints
            Exact: on the triangles, not only at their vertices.

        Raises
        ------
        DataError
            If the surface has no triangle and there are points.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        if len(points) and not len(self.faces):
            raise DataError("surface has no triangles: nothing is nearest to a point")
        if not len(points):
            return SurfacePoints(points, points, np.empty(0), np.empty(0, dtype=np.int64))
        triangle, weights = self._nearest.of(points)
        corners = self.faces[triangle]
        position = np.einsum("nk,nkx->nx", weights, self.vertices[corners])
        normal = unit_vectors(np.einsum("nk,nkx->nx", weights, self.normals[corners]))
        distance = np.linalg.norm(position - points, axis=1)
        return SurfacePoints(position, normal, distance, triangle)

    @cached_property
    def _nearest(self) -> NearestPoint:
        return NearestPoint(self.vertices[self.faces])


def vertex_normals(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Give unit normals at the vertices of a mesh of triangles.

    Parameters
    ----------
    vertices : (v, 3)
    faces : (t, 3)

    Returns
    -------
    (v, 3)
        Means over the triangles around a vertex, weighted by their angles there; (0, 0, 1) at a
        vertex that no triangle has. Source: Thürmer and Wüthrich 1998, J. Graphics Tools 3, 43.
    """
    corners = vertices[faces]
    flat = unit_vectors(_triangle_normals(vertices, faces))
    normals = np.zeros_like(vertices)
    for k in range(3):
        one = unit_vectors(corners[:, (k + 1) % 3] - corners[:, k])
        other = unit_vectors(corners[:, (k + 2) % 3] - corners[:, k])
        angle = np.arccos(np.clip((one * other).sum(axis=1), -1.0, 1.0))
        np.add.at(normals, faces[:, k], angle[:, None] * flat)
    return unit_vectors(normals)


def unit_vectors(vectors: FloatArray) -> FloatArray:
    """Scale vectors (n, 3) to length 1; one without length becomes (0, 0, 1)."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 0, vectors / np.where(length > 0, length, 1.0), (0.0, 0.0, 1.0))


def _triangle_normals(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """Give normals of the triangles, as long as twice their areas."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)
