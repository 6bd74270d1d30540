"""Points evenly spread over an ellipsoid, and its mesh."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, cKDTree

from subtomo.errors import DataError
from subtomo.geometry.ellipsoid import Ellipsoid

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_HEXAGONAL = np.sqrt(3) / 2
"""Area of a point's cell over its squared distance to the neighbours, densest packing."""
_GOLDEN = (np.sqrt(5) - 1) / 2
_GRID = 256
_REACH = 1.4
"""Distance at which two points stop pushing each other, over the spacing asked."""
_STEPS = 60
_TRIES = 6
_TOLERANCE = 0.01
_FEWEST_CORNERS = 6

MOST_POINTS = 50_000
"""Which take about a minute: each is moved some sixty times, and all again up to six times."""


def even_points(ellipsoid: Ellipsoid, separation: float) -> FloatArray:
    """Spread points over an ellipsoid so that neighbours are a given distance apart.

    Parameters
    ----------
    ellipsoid : the surface
    separation : in its unit

    Returns
    -------
    (n, 3) on the ellipsoid
        The median distance to the nearest neighbour is the separation, within a few hundredths
        where n is above ten or so; always the same points for the same values.

    Raises
    ------
    DataError
        If there would be more than ``MOST_POINTS``.

    Notes
    -----
    Starts from a golden spiral with equal areas; points then push their neighbours until they are
    even, and their number is corrected by the spacing that comes out.
    """
    n = number_of_points(ellipsoid, separation)
    best, best_error = _spiral(ellipsoid, n), np.inf
    for _ in range(_TRIES):
        points = _relaxed(ellipsoid, _spiral(ellipsoid, n), separation)
        found = _median_spacing(points)
        if not np.isfinite(found):
            return points
        error = abs(found / separation - 1)
        if error < best_error:
            best, best_error = points, error
        next_n = max(1, round(n * (found / separation) ** 2))
        if error < _TOLERANCE or next_n == n:
            break
        n = next_n
    return best


def number_of_points(ellipsoid: Ellipsoid, separation: float) -> int:
    """Tell about how many points :func:`even_points` will spread.

    Parameters
    ----------
    ellipsoid, separation : as there

    Raises
    ------
    DataError
        If they are more than ``MOST_POINTS``.
    """
    n = float(ellipsoid.area / (_HEXAGONAL * separation**2))
    if not n <= MOST_POINTS:
        raise DataError(
            f"{n:.3g} points {separation:g} apart would be needed; expected {MOST_POINTS} at most: "
            "give a larger separation"
        )
    return max(1, round(n))


def ellipsoid_mesh(
    ellipsoid: Ellipsoid, edge: float, most_triangles: int, subdivisions: int
) -> tuple[FloatArray, IntArray]:
    """Cover an ellipsoid with triangles whose corners lie on it.

    Parameters
    ----------
    ellipsoid : the surface
    edge : length of their sides before they are subdivided, about, in its unit
    most_triangles : after that, no more than these, of 8 before it: larger ones instead
    subdivisions : how often each is split into four, with the new corners on the ellipsoid

    Returns
    -------
    vertices : (v, 3)
    faces : (t, 3) counter-clockwise seen from outside
    """
    n = round(ellipsoid.area / (_HEXAGONAL * edge**2))
    most = most_triangles // 4**subdivisions // 2 + 2  # a closed mesh of n corners has 2 n - 4
    unit = ellipsoid.unit_points(_spiral(ellipsoid, max(_FEWEST_CORNERS, min(n, most))))
    faces = ConvexHull(unit).simplices
    a, b, c = (unit[faces[:, k]] for k in range(3))
    inward = np.einsum("nk,nk->n", np.cross(b - a, c - a), a) < 0
    faces[inward] = faces[inward][:, ::-1]
    for _ in range(subdivisions):
        unit, faces = _subdivided(unit, faces)
    return ellipsoid.from_unit_points(unit), np.asarray(faces, dtype=np.int64)


def _subdivided(unit: FloatArray, faces: IntArray) -> tuple[FloatArray, IntArray]:
    """Split each triangle on the unit sphere into four."""
    n = len(unit)
    edges = np.sort(np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    pairs, row = np.unique(edges, axis=0, return_inverse=True)
    middles = unit[pairs].sum(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    ab, bc, ca = n + row.reshape(3, -1)
    a, b, c = faces.T
    children = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([unit, middles]), np.concatenate([np.stack(f, axis=1) for f in children])


def _spiral(ellipsoid: Ellipsoid, n: int) -> FloatArray:
    """Golden spiral of n points, each with the same area, around the longest axis."""
    last = int(np.argmax(ellipsoid.radii))
    order = [(last + 1) % 3, (last + 2) % 3, last]
    heights, density = _area_density(ellipsoid.radii[order])
    along = np.concatenate([[0], np.cumsum(density.sum(axis=1))])
    edges = np.linspace(-1, 1, _GRID + 1)
    z = np.interp((np.arange(n) + 0.5) / n * along[-1], along, edges)
    turns = np.mod(np.arange(n) * _GOLDEN, 1)
    around = np.concatenate([np.zeros((_GRID, 1)), np.cumsum(density, axis=1)], axis=1)
    row = np.clip(np.searchsorted(heights, z), 0, _GRID - 1)
    cells = np.linspace(0, 2 * np.pi, _GRID + 1)
    angle = np.array(
        [
            np.interp(turn * around[k, -1], around[k], cells)
            for k, turn in zip(row, turns, strict=True)
        ]
    ).reshape(-1)
    unit = np.empty((n, 3))
    ring = np.sqrt(1 - z**2)
    unit[:, order] = np.column_stack([ring * np.cos(angle), ring * np.sin(angle), z])
    return ellipsoid.from_unit_points(unit)


def _area_density(radii: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Area of the ellipsoid over that of the unit sphere, by height and angle on the sphere."""
    heights = (np.arange(_GRID) + 0.5) / _GRID * 2 - 1
    angles = (np.arange(_GRID) + 0.5) / _GRID * 2 * np.pi
    ring = np.sqrt(1 - heights**2)[:, None]
    squares = (ring * np.cos(angles) / radii[0]) ** 2 + (ring * np.sin(angles) / radii[1]) ** 2
    return heights, np.sqrt(squares + (heights[:, None] / radii[2]) ** 2)


def _relaxed(ellipsoid: Ellipsoid, points: FloatArray, separation: float) -> FloatArray:
    """Let neighbours push one another along the surface."""
    if len(points) < 2:
        return points
    reach = _REACH * separation
    for step in range(_STEPS):
        pairs = cKDTree(points).query_pairs(reach, output_type="ndarray")
        between = points[pairs[:, 0]] - points[pairs[:, 1]]
        distance = np.linalg.norm(between, axis=1, keepdims=True)
        push = between / distance * (1 - distance / reach)
        force = np.zeros_like(points)
        for axis in range(3):
            force[:, axis] = np.bincount(pairs[:, 0], push[:, axis], len(points)) - np.bincount(
                pairs[:, 1], push[:, axis], len(points)
            )
        normals = ellipsoid.normals(points)
        force -= (force * normals).sum(axis=1, keepdims=True) * normals
        moved = points + 0.3 * separation * (1 - step / _STEPS) * force
        unit = ellipsoid.unit_points(moved)
        points = ellipsoid.from_unit_points(unit / np.linalg.norm(unit, axis=1, keepdims=True))
    return points


def _median_spacing(points: FloatArray) -> float:
    """Median distance to the nearest neighbour; infinite for a single point."""
    if len(points) < 2:
        return np.inf
    return float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
