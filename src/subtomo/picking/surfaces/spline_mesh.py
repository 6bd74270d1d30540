"""Triangles on a spline surface between the ends of its rows."""

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.surfaces.spline_surface import SplineSurface
from subtomo.picking.surfaces.strip_mesh import ParameterMesh, mesh_of_rows
from subtomo.picking.surfaces.surface import Surface, unit_vectors, vertex_normals

FloatArray = NDArray[np.float64]

_ROW_SAMPLES = 65


def even_rows(
    spline: SplineSurface,
    ends: FloatArray,
    edge: float,
    *,
    turn: float | None = None,
    is_point: tuple[bool, bool] = (False, False),
) -> ParameterMesh:
    """Lay rows of vertices an edge apart, every other one shifted by half, joined to triangles.

    Parameters
    ----------
    spline : the surface
    ends : (k, 3), k >= 2: v, increasing, and u at the two ends of a row there; between them read
        off straight lines. A row without length is a single vertex.
    edge : Å, the length of the triangles' sides
    turn : after which u begins again, or None
    is_point : whether the first row, and the last one, is a point although u goes on there

    Returns
    -------
    ParameterMesh
    """
    level = ends[:, 0]
    n_even = max(2, round((level[-1] - level[0]) / (edge * np.sqrt(3) / 2)) + 1)
    v = np.linspace(level[0], level[-1], n_even)
    if turn is None:
        v = _finer_at_slanting_ends(spline, ends, v, 2 * edge)
    n_rows = len(v)
    start, end = (np.interp(v, level, ends[:, k]) for k in (1, 2))
    u = np.linspace(start, end, _ROW_SAMPLES, axis=1)
    lines = spline.at(u.ravel(), np.repeat(v, _ROW_SAMPLES)).reshape(n_rows, _ROW_SAMPLES, 3)
    steps = np.linalg.norm(np.diff(lines, axis=1), axis=2)
    lengths = np.concatenate([np.zeros((n_rows, 1)), np.cumsum(steps, axis=1)], axis=1)
    is_single = lengths[:, -1] <= 1e-9 * lengths.max()
    is_single[[0, -1]] |= is_point
    rows = [
        u[i, :1]
        if is_single[i]
        else np.interp(even_lengths(lengths[i, -1], edge, i % 2 == 1, turn), lengths[i], u[i])
        for i in range(n_rows)
    ]
    return mesh_of_rows(rows, v, turn)


def _finer_at_slanting_ends(
    spline: SplineSurface, ends: FloatArray, v: FloatArray, longest: float
) -> FloatArray:
    """Put rows between those whose ends are far apart, where triangles would reach across."""

    def steps(heights: FloatArray) -> FloatArray:
        sides = [spline.at(np.interp(heights, ends[:, 0], ends[:, k]), heights) for k in (1, 2)]
        return np.asarray(np.linalg.norm(np.diff(sides, axis=1), axis=2).max(axis=0))

    far = steps(v) > longest
    corners = ends[1:-1, 0]
    between = np.clip(np.searchsorted(v, corners, side="right") - 1, 0, len(far) - 1)
    nodes = np.unique(np.concatenate([v, corners[far[between]]]))
    parts = np.maximum(1, np.ceil(steps(nodes) / longest)).astype(np.int64)
    places = np.concatenate([k + np.arange(n) / n for k, n in enumerate(parts)])
    return np.asarray(np.interp(np.append(places, len(parts)), np.arange(len(nodes)), nodes))


def even_lengths(length: float, edge: float, is_shifted: bool, turn: float | None) -> FloatArray:
    """Give the arc lengths of a row's vertices; an open one's two ends are among them.

    Parameters
    ----------
    length, edge : of the row, and between vertices
    is_shifted : whether they stand at the middles of the edges
    turn : None where the row is open

    Returns
    -------
    (n,)
    """
    n = max(1 if turn is None else 3, round(length / edge))
    if turn is not None:
        return np.asarray((np.arange(n) + 0.5 * is_shifted) * length / n)
    if is_shifted:
        return np.concatenate([[0.0], (np.arange(n) + 0.5) * length / n, [length]])
    return np.linspace(0.0, length, n + 1)


def spline_mesh(spline: SplineSurface, mesh: ParameterMesh) -> Surface:
    """Read a spline at the vertices of a mesh, with the spline's own normals where they are safe.

    Parameters
    ----------
    spline : the surface
    mesh : its vertices and triangles

    Returns
    -------
    Surface
    """
    vertices = spline.at(mesh.u, mesh.v)
    normals = vertex_normals(vertices, mesh.faces)
    exact = spline.normal(mesh.u, mesh.v)
    length = np.linalg.norm(exact, axis=1)
    agrees = (unit_vectors(exact) * normals).sum(axis=1) > 0.7
    safe = agrees & (length > 0.1 * np.median(length)) & ~mesh.is_single
    normals[safe] = unit_vectors(exact[safe])
    return Surface(vertices, mesh.faces, normals)
