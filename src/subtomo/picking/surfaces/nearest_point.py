"""The nearest of many triangles to a point, exactly."""

from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_PAIRS = 2_000_000
"""Pairs of a point and a triangle that are compared at once, to bound memory."""


class NearestPoint:
    """Finds the nearest triangle to each of many points.

    A triangle can only be nearest where its centre is within its own radius plus the distance to
    some triangle known to be near; a k-d tree of the centres lists those few. Of them those are
    looked at whose disc, a circle around the triangle in its plane, is as near as that.

    Parameters
    ----------
    triangles : (t, 3, 3) corners, columns x, y, z; at least one
    """

    def __init__(self, triangles: FloatArray) -> None:
        self._triangles = triangles
        self._centres = triangles.mean(axis=1)
        self._radii = np.linalg.norm(triangles - self._centres[:, None], axis=2).max(axis=1)
        across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        length = np.linalg.norm(across, axis=1, keepdims=True)
        self._across = across / np.where(length > 0, length, 1.0)
        self._tree = cKDTree(self._centres)

    def of(self, points: FloatArray) -> tuple[IntArray, FloatArray]:
        """Find the nearest triangles.

        Parameters
        ----------
        points : (n, 3)

        Returns
        -------
        triangle : (n,) row of ``triangles``; of equally near ones the first
        weights : (n, 3) of its corners at the nearest point; they add up to 1
        """
        _, guess = self._tree.query(points)
        weights = barycentric_nearest(points, self._triangles[guess])
        found = np.einsum("nk,nkx->nx", weights, self._triangles[guess])
        limit = np.linalg.norm(found - points, axis=1) * (1 + 1e-9)
        count = self._tree.query_ball_point(points, limit + self._radii.max(), return_length=True)
        triangle = np.empty(len(points), dtype=np.int64)
        result = np.empty((len(points), 3))
        for rows in _chunks(count):
            triangle[rows], result[rows] = self._among(points[rows], limit[rows])
        return triangle, result

    def _among(self, points: FloatArray, limit: FloatArray) -> tuple[IntArray, FloatArray]:
        """Compare the points with every triangle that can be within their limit."""
        lists = self._tree.query_ball_point(points, limit + self._radii.max())
        count = np.array([len(near) for near in lists])
        point = np.repeat(np.arange(len(points)), count)
        triangle = np.fromiter(chain.from_iterable(lists), dtype=np.int64, count=count.sum())
        can_be = self._disc_distance(points[point], triangle) <= limit[point] * (1 + 1e-9) + 1e-9
        point, triangle = point[can_be], triangle[can_be]
        weights = barycentric_nearest(points[point], self._triangles[triangle])
        found = np.einsum("nk,nkx->nx", weights, self._triangles[triangle])
        distance = np.linalg.norm(found - points[point], axis=1)
        order = np.lexsort((triangle, distance, point))
        first = order[np.searchsorted(point[order], np.arange(len(points)))]
        return triangle[first], weights[first]

    def _disc_distance(self, points: FloatArray, triangle: IntArray) -> FloatArray:
        """Distances to the circles around triangles, never more than those to the triangles.

        Where a triangle has no plane the circle is a ball.
        """
        away = points - self._centres[triangle]
        height = np.einsum("nx,nx->n", away, self._across[triangle])
        aside = np.sqrt(np.maximum(np.einsum("nx,nx->n", away, away) - height**2, 0.0))
        return np.asarray(np.hypot(height, np.maximum(aside - self._radii[triangle], 0.0)))


def barycentric_nearest(points: FloatArray, triangles: FloatArray) -> FloatArray:
    """Give the nearest point of one triangle to each point, as weights of the corners.

    Parameters
    ----------
    points : (n, 3)
    triangles : (n, 3, 3) corners

    Returns
    -------
    (n, 3) not negative, adding up to 1

    Notes
    -----
    Inside the triangle the weights of the projection are right; elsewhere the nearest point lies
    on one of the three edges. Source: Ericson, "Real-time collision detection", 5.1.5.
    """
    a, b, c = (triangles[:, k] for k in range(3))
    inside = _projection_weights(points, a, b, c)
    best = np.zeros((len(points), 3))
    smallest = np.full(len(points), np.inf)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start, edge = triangles[:, i], triangles[:, j] - triangles[:, i]
        squared = (edge**2).sum(axis=1)
        along = ((points - start) * edge).sum(axis=1) / np.where(squared > 0, squared, 1.0)
        along = np.clip(along, 0.0, 1.0)
        distance = ((start + along[:, None] * edge - points) ** 2).sum(axis=1)
        nearer = distance < smallest
        smallest[nearer] = distance[nearer]
        on_edge = np.zeros((len(points), 3))
        on_edge[:, i], on_edge[:, j] = 1 - along, along
        best[nearer] = on_edge[nearer]
    is_inside = (inside >= 0).all(axis=1)
    best[is_inside] = inside[is_inside]
    return best


def _projection_weights(
    points: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray
) -> FloatArray:
    """Barycentric coordinates of the projections on the planes; -1 where there is no plane."""
    first, second, to_point = b - a, c - a, points - a
    d00, d01, d11 = (
        (u * v).sum(axis=1) for u, v in ((first, first), (first, second), (second,) * 2)
    )
    d20, d21 = (to_point * first).sum(axis=1), (to_point * second).sum(axis=1)
    squared = d00 * d11 - d01**2
    flat = squared <= 1e-14 * d00 * d11
    squared = np.where(flat, 1.0, squared)
    v = (d11 * d20 - d01 * d21) / squared
    w = (d00 * d21 - d01 * d20) / squared
    weights = np.stack([1 - v - w, v, w], axis=1)
    weights[flat] = -1.0
    return weights


def _chunks(count: IntArray) -> list[IntArray]:
    """Rows in runs whose counts add up to no more than the limit, at least one row each."""
    run = np.cumsum(count) // _PAIRS
    return np.split(np.arange(len(count)), np.flatnonzero(np.diff(run)) + 1)
