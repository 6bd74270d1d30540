"""A patch through clicks without order, its parameters found from their distances."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import ConvexHull

from subtomo.picking.surfaces.mesh_size import MeshSize
from subtomo.picking.surfaces.spline_basis import SplineBasis
from subtomo.picking.surfaces.spline_mesh import even_rows, spline_mesh
from subtomo.picking.surfaces.spline_surface import SplineSurface, fit_spline_surface
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

_NEIGHBOURS = 8
_CORRECTIONS, _GAIN = 25, 0.97
"""Of the parameters: at most so many, while each makes the score less by this factor."""
_MAXIMUM_INTERVALS = 24
_SAME_HEIGHT = 1e-6
"""Corners of the hull whose heights differ by less than this part of it make one row."""


def open_surface(points: FloatArray, control_interval: float, size: MeshSize) -> Surface:
    """Lay a smooth patch through points, as far as the outermost of them.

    Parameters
    ----------
    points : (n, 3) Å, at least 4, not on a line
    control_interval : Å
    size : of the triangles

    Returns
    -------
    Surface
        Of two ways to give the points two parameters, the plane's and the unrolled surface's, the
        one whose fit has the lower cross-validation.
    """
    fits = [_fit(points, way(points), control_interval) for way in (_on_plane, _unrolled)]
    spline, u, v = min(fits, key=lambda fit: fit[0].score)
    ends = _hull_rows(np.stack([u, v], axis=1))
    area = float(np.ptp(u) * np.ptp(v))
    mesh = size.subdivided(lambda edge: even_rows(spline, ends, edge), area)
    return spline_mesh(spline, mesh)


def _on_plane(points: FloatArray) -> FloatArray:
    """Coordinates on the plane in which the points spread most, (n, 2)."""
    centred = points - points.mean(axis=0)
    return np.asarray(centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T)


def _unrolled(points: FloatArray) -> FloatArray:
    """Coordinates on a plane that keep the distances along the surface, (n, 2).

    Distances are summed from neighbour to neighbour. Source: Tenenbaum, de Silva and Langford
    2000, Science 290, 2319.
    """
    straight = np.linalg.norm(points[:, None] - points[None], axis=-1)
    nearest = np.argsort(straight, axis=1, kind="stable")[:, 1 : _NEIGHBOURS + 1]
    graph = minimum_spanning_tree(straight).toarray()
    rows = np.arange(len(points))[:, None]
    graph[rows, nearest] = straight[rows, nearest]
    along = dijkstra(np.maximum(graph, graph.T), directed=False)
    centring = np.eye(len(points)) - 1 / len(points)
    values, vectors = np.linalg.eigh(-0.5 * centring @ along**2 @ centring)
    return np.asarray(vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0.0)))


def _fit(
    points: FloatArray, parameters: FloatArray, control_interval: float
) -> tuple[SplineSurface, FloatArray, FloatArray]:
    """Fit, move each parameter to where the surface is nearest to its point, fit again."""
    low, high = parameters.min(axis=0), parameters.max(axis=0)
    along, across = (
        SplineBasis(low[k], high[k], _intervals(high[k] - low[k], control_interval, len(points)))
        for k in (0, 1)
    )
    u, v = parameters.T
    spline = fit_spline_surface(points, u, v, along, across)
    for _ in range(_CORRECTIONS):
        u, v = spline.nearer(points, u, v)
        before, spline = spline, fit_spline_surface(points, u, v, along, across)
        if spline.score > _GAIN * before.score:
            break
    return spline, u, v


def _intervals(length: float, control_interval: float, n_points: int) -> int:
    """Intervals of a control interval, no more than points can tell of."""
    limit = min(_MAXIMUM_INTERVALS, int(2 * np.sqrt(n_points)))
    return int(np.clip(np.ceil(length / control_interval), 1, limit))


def _hull_rows(parameters: FloatArray) -> FloatArray:
    """Rows v, u at the left, u at the right of the convex hull, at each height of a corner."""
    corners = parameters[ConvexHull(parameters).vertices]
    start, end = corners, np.roll(corners, -1, axis=0)
    same = _SAME_HEIGHT * np.ptp(corners[:, 1])
    heights = np.sort(corners[:, 1])
    heights = heights[np.concatenate([[True], np.diff(heights) > same])]
    rise = end[:, 1] - start[:, 1]
    is_level = np.abs(rise) <= same
    rows = []
    for v in heights:
        part = np.clip((v - start[:, 1]) / np.where(is_level, 1.0, rise), 0.0, 1.0)
        crosses = np.abs(start[:, 1] + part * rise - v) <= same
        sloping = (start[:, 0] + part * (end[:, 0] - start[:, 0]))[crosses & ~is_level]
        level = crosses & is_level
        u = np.concatenate([sloping, start[level, 0], end[level, 0]])
        rows.append((v, u.min(), u.max()))
    return np.array(rows)
