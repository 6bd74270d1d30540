"""Triangles between rows of points, and their subdivision, in the two parameters of a surface."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ParameterMesh:
    """A mesh whose vertices are parameters.

    Parameters
    ----------
    u : (v,); any value will do at a row of a single vertex, marked by ``is_single``
    v : (v,)
    is_single : (v,) whether all u fall together there
    faces : (t, 3) counter-clockwise in the (u, v) plane
    turn : after which u begins again, or None
    """

    u: FloatArray
    v: FloatArray
    is_single: NDArray[np.bool_]
    faces: IntArray
    turn: float | None

    def subdivided(self) -> "ParameterMesh":
        """Split each triangle into four at the middles of its edges."""
        edges = np.sort(
            np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        )
        unique, row = np.unique(edges, axis=0, return_inverse=True)
        one, other = unique.T
        ab, bc, ca = len(self.u) + row.reshape(3, -1)
        a, b, c = self.faces.T
        children = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        return ParameterMesh(
            np.concatenate([self.u, self._middle(one, other)]),
            np.concatenate([self.v, (self.v[one] + self.v[other]) / 2]),
            np.concatenate([self.is_single, np.zeros(len(one), dtype=bool)]),
            np.concatenate([np.stack(child, axis=1) for child in children]),
            self.turn,
        )

    def _middle(self, one: IntArray, other: IntArray) -> FloatArray:
        """Middles of u, the short way around; beside a single vertex the other's."""
        first = np.where(self.is_single[one], self.u[other], self.u[one])
        second = np.where(self.is_single[other], self.u[one], self.u[other])
        difference = second - first
        if self.turn is not None:
            difference -= self.turn * np.round(difference / self.turn)
        return np.asarray(first + difference / 2)


def mesh_of_rows(rows: list[FloatArray], v: FloatArray, turn: float | None = None) -> ParameterMesh:
    """Join rows of vertices by triangles.

    Parameters
    ----------
    rows : one array of increasing u for each row; a row of one vertex is a point
    v : (rows,) increasing
    turn : after which u begins again, or None for open rows

    Returns
    -------
    ParameterMesh
        Between two rows the triangles go on along the one that lags behind, by its part of the
        whole, so that rows may differ in number.
    """
    first = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    faces = [
        face
        for i in range(len(rows) - 1)
        for face in _strip(rows[i], rows[i + 1], int(first[i]), int(first[i + 1]), turn)
    ]
    return ParameterMesh(
        np.concatenate(rows),
        np.repeat(v, [len(row) for row in rows]),
        np.concatenate([np.full(len(row), len(row) == 1) for row in rows]),
        np.array(faces, dtype=np.int64).reshape(-1, 3),
        turn,
    )


def _strip(
    lower: FloatArray, upper: FloatArray, at_lower: int, at_upper: int, turn: float | None
) -> list[tuple[int, int, int]]:
    """Triangles between two rows whose vertices are numbered from two places on."""
    low, high = _parts(lower, turn), _parts(upper, turn)
    i = j = 0
    faces = []
    while i < len(low) - 1 or j < len(high) - 1:
        is_lower = j == len(high) - 1 or (i < len(low) - 1 and low[i + 1] <= high[j + 1])
        a, b = at_lower + i % len(lower), at_upper + j % len(upper)
        if is_lower:
            i += 1
            faces.append((a, at_lower + i % len(lower), b))
        else:
            j += 1
            faces.append((a, at_upper + j % len(upper), b))
    return faces


def _parts(row: FloatArray, turn: float | None) -> FloatArray:
    """How far along its row each vertex is, from 0 to 1; on closed rows the first comes again."""
    if len(row) == 1:
        return np.zeros(1)
    if turn is not None:
        return np.asarray(np.append(row, row[0] + turn) / turn)
    return np.asarray((row - row[0]) / (row[-1] - row[0]))
