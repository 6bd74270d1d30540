"""The cubic lattice nearest to some of its nodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from subtomo.errors import DataError
from subtomo.geometry.point_sets import require_spatial
from subtomo.geometry.symmetry import symmetry_quaternions

FloatArray = NDArray[np.float64]

_LEAST_POINTS = 4
_NEAR = 0.3
"""A point this far from a node, in lattice constants, is on none."""
_LINE = 1e-3
"""Spread across over spread along below which nodes lie on a line, and leave the turn open."""
_SQUARE = 0.15
"""Cosine up to which two steps of the lattice count as perpendicular."""


@dataclass(frozen=True, eq=False)
class CubicLattice:
    """A cubic lattice, and the part of it that points span.

    Parameters
    ----------
    origin : (3,) a node
    axes : (3, 3) columns: directions of the edges; right-handed
        Of the 24 ways to name the edges, the one nearest to x, y, z.
    spacing : length of an edge, in the unit of the points
    lowest, highest : (3,) node numbers along each axis of the box that holds the points
    """

    origin: FloatArray
    axes: FloatArray
    spacing: float
    lowest: FloatArray
    highest: FloatArray

    def nodes(self, divisions: int = 1) -> FloatArray:
        """Give all nodes within the box of the points.

        Parameters
        ----------
        divisions : of each edge; above 1 also the nodes of a lattice so much finer

        Returns
        -------
        (n, 3)
        """
        x, y, z = ((self.highest - self.lowest) * divisions + 1).astype(np.int64).tolist()
        grid = np.indices((x, y, z)).reshape(3, -1).T / divisions + self.lowest
        return np.asarray(self.origin + grid @ (self.axes.T * self.spacing))


def fit_cubic_lattice(points: ArrayLike, spacing: float | None = None) -> CubicLattice:
    """Find the cubic lattice that points are nodes of.

    Parameters
    ----------
    points : (n, 3), at least 4 nodes that do not lie in one plane
        Among them two pairs of neighbours, in different directions.
    spacing : length of an edge; None: found, beginning at the shortest distance of two points

    Returns
    -------
    CubicLattice
        With the least sum of squared distances from the points to their nodes.

    Raises
    ------
    DataError
        If there are too few points, they lie in one plane, or are not on one cubic lattice.
    """
    p = np.asarray(points, dtype=np.float64)
    require_spatial(p, _LEAST_POINTS, "a cubic lattice")
    edge = spacing or float(np.median(cKDTree(p).query(p, k=2)[0][:, 1]))
    axes, corner = _first_axes(p, edge)
    origin = p[corner]
    order = np.argsort(np.linalg.norm(p - origin, axis=1))
    for n in range(2, len(p) + 1):  # outwards, so that small errors of the edge do not add up
        near = p[order[:n]]
        numbers = np.round((near - origin) @ axes / edge)
        origin, axes, edge = _placed(near, numbers, axes, edge, is_fixed=spacing is not None)
    numbers = np.round((p - origin) @ axes / edge)
    off = np.linalg.norm((p - origin) @ axes / edge - numbers, axis=1)
    if off.max() > _NEAR:
        worst = int(np.argmax(off))
        raise DataError(
            f"point {worst + 1} lies {off[worst] * edge:.3g} from the nearest node of the cubic "
            f"lattice of spacing {edge:.4g} through the others; expected less than "
            f"{_NEAR * edge:.3g}: check the points and the separation"
        )
    return _named(origin, axes, edge, numbers)


def _first_axes(p: FloatArray, edge: float) -> tuple[FloatArray, int]:
    """Axes from two steps of about an edge at a right angle; and the point that they begin at."""
    pairs = cKDTree(p).query_pairs(edge * 1.2, output_type="ndarray")
    steps = p[pairs[:, 1]] - p[pairs[:, 0]]
    is_edge = np.linalg.norm(steps, axis=1) > edge * 0.8
    pairs, steps = pairs[is_edge], steps[is_edge]
    units = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    cosines = np.abs(units @ units.T)
    if not len(units) or cosines.min() > _SQUARE:
        raise DataError(
            f"no two pairs of neighbours {edge:.4g} apart at a right angle; expected nodes of a "
            "cubic lattice, some of them neighbours: check the points and the separation"
        )
    a, b = np.unravel_index(np.argmin(cosines), cosines.shape)
    x = units[a]
    y = units[b] - (units[b] @ x) * x
    y = y / np.linalg.norm(y)
    return np.column_stack([x, y, np.cross(x, y)]), int(pairs[a, 0])


def _placed(
    points: FloatArray, numbers: FloatArray, axes: FloatArray, edge: float, *, is_fixed: bool
) -> tuple[FloatArray, FloatArray, float]:
    """Origin, axes and edge that bring numbered nodes nearest to the points, the first node 0."""
    nodes = numbers @ axes.T * edge
    middle, centre = nodes.mean(axis=0), points.mean(axis=0)
    u, strengths, v = np.linalg.svd((points - centre).T @ (nodes - middle))
    if strengths[1] <= _LINE * strengths[0]:
        return points[0], axes, edge
    signs = np.array([1.0, 1.0, np.linalg.det(u @ v)])
    turn = (u * signs) @ v
    scale = 1.0
    if not is_fixed:
        scale = float((strengths * signs).sum() / ((nodes - middle) ** 2).sum())
    return centre - scale * turn @ middle, turn @ axes, edge * scale


def _named(origin: FloatArray, axes: FloatArray, edge: float, numbers: FloatArray) -> CubicLattice:
    """Name the edges as near to x, y, z as they can be."""
    turns = Rotation.from_quat(symmetry_quaternions("O")).as_matrix()
    choices = axes @ turns
    best = np.argmax(np.round(np.trace(choices, axis1=1, axis2=2), 6))
    renamed = np.round(numbers @ turns[best])
    return CubicLattice(origin, choices[best], edge, renamed.min(axis=0), renamed.max(axis=0))
