"""A gently bent tube fitted to points on its wall, and coordinates on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from subtomo.errors import DataError, ShapeError

FloatArray = NDArray[np.float64]

_BEAM = np.array([0.0, 0.0, 1.0])
_LEAST_SPREAD = 1e-9  # of the coordinates: rounding
_PARAMETERS = 8

# How many median distances from the axis a point may be to stay: below the square root of 2 strays
# that fill space evenly are peeled off step by step; above it a tube stays whole although the first
# axis is askew.
_REACHES = (1.4, 1.5, 1.6)

_WALL = 0.1  # of the radius: about the spread of picks on a wall one monomer thick


@dataclass(frozen=True, eq=False)
class Cylinder:
    """A tube of elliptical cross-section whose axis bends as a parabola.

    A point of the axis at the height s is ``centre + s · direction + s² · (bend · across)``;
    ``(across[0], across[1], direction)`` is a right-handed frame.

    Parameters
    ----------
    centre : (3,) Å, columns x, y, z; the axis at s = 0
    direction : (3,) unit vector x, y, z
    across : (2, 3) unit vectors x, y, z
        The first is the beam (z) made perpendicular to the direction.
    half_axes : (2,) Å, of the cross-section along the two vectors of ``across``
    bend : (2,) 1/Å, along the two vectors of ``across``
    """

    centre: FloatArray
    direction: FloatArray
    across: FloatArray
    half_axes: FloatArray
    bend: FloatArray

    @property
    def radius(self) -> float:
        """Å; of the circle with the cross-section's area."""
        return float(np.sqrt(self.half_axes[0] * self.half_axes[1]))

    def coordinates(self, points: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Turn points into height along the axis, angle about it and distance from it.

        Parameters
        ----------
        points : (..., 3) Å, columns x, y, z

        Returns
        -------
        heights : (...) Å
        angles : (...) radians in (-π, π], from ``across[0]`` towards ``across[1]``
        distances : (...) Å
        """
        heights, a, b = self._offsets(points)
        return heights, np.arctan2(b, a), np.hypot(a, b)

    def wall_distances(self, points: ArrayLike) -> FloatArray:
        """Measure how far points lie outside the elliptical wall.

        Parameters
        ----------
        points : (..., 3) Å, columns x, y, z

        Returns
        -------
        (...) Å, negative inside; the distance along the ray from the axis, scaled to ``radius``
        """
        _, a, b = self._offsets(points)
        outside: FloatArray = np.hypot(a / self.half_axes[0], b / self.half_axes[1]) - 1
        return outside * self.radius

    def points(self, heights: ArrayLike, angles: ArrayLike, distances: ArrayLike) -> FloatArray:
        """Turn coordinates on the tube into points: the inverse of ``coordinates``.

        Parameters
        ----------
        heights, angles, distances : Å, radians, Å; broadcast against one another

        Returns
        -------
        (..., 3) Å, columns x, y, z
        """
        s, angle, distance = np.broadcast_arrays(
            *(np.asarray(c, dtype=np.float64) for c in (heights, angles, distances))
        )
        a = distance * np.cos(angle) + self.bend[0] * s**2
        b = distance * np.sin(angle) + self.bend[1] * s**2
        frame = np.stack([self.across[0], self.across[1], self.direction])
        return np.asarray(self.centre + np.stack([a, b, s], axis=-1) @ frame)

    def frames(self, heights: ArrayLike, angles: ArrayLike) -> FloatArray:
        """Make the axes of particles on the wall: x outwards, z along the filament.

        Parameters
        ----------
        heights : (n,) Å
        angles : (n,) radians

        Returns
        -------
        (n, 3, 3) rotation matrices, columns the particle's x, y and z in the tomogram
        """
        s, angle = np.asarray(heights, dtype=np.float64), np.asarray(angles, dtype=np.float64)
        tangent = self.direction + 2 * s[:, None] * (self.bend @ self.across)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        outward = np.cos(angle)[:, None] * self.across[0] + np.sin(angle)[:, None] * self.across[1]
        outward -= np.sum(outward * tangent, axis=1, keepdims=True) * tangent
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        return np.stack([outward, np.cross(tangent, outward), tangent], axis=-1)

    def _offsets(self, points: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Height and the two offsets from the bent axis."""
        relative = np.asarray(points, dtype=np.float64) - self.centre
        s = relative @ self.direction
        a, b = (relative @ self.across[i] - self.bend[i] * s**2 for i in (0, 1))
        return s, a, b


def fit_cylinder(points: ArrayLike, scores: ArrayLike | None = None) -> Cylinder:
    """Fit a gently bent tube to points on its wall, with other points strewn about it.

    The direction starts as the longest axis of the points near it (a principal axis, points
    farther out than a few median distances dropped, repeated); then a robust fit of all eight
    numbers puts the wall through the densest shell. Of several starts, that is taken whose wall
    has the most points beyond those beside it. The cross-section may be an ellipse with one axis
    along the beam, because a missing wedge stretches a tube that way.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z; n ≥ 16
    scores : (n,) higher for points that are more likely on the wall
        With them, the best half, quarter and eighth of the points give starts too, which finds a
        tube amid several times as many strays.

    Returns
    -------
    Cylinder
        Its s = 0 is at the mean of the points near the axis; the direction points to larger values
        of the coordinate that changes most along it.

    Raises
    ------
    ShapeError
        If the points are not a table of three columns, or the scores are not one a point.
    DataError
        If there are fewer than 16 points, or they lie on one line.
    """
    xyz = np.asarray(points, dtype=np.float64)
    if xyz.ndim != 2 or xyz.shape[1] != 3:
        raise ShapeError(f"points of a tube have shape {xyz.shape}; expected (n, 3), columns x y z")
    if len(xyz) < 2 * _PARAMETERS:
        raise DataError(
            f"{len(xyz)} points are too few to fit a tube; expected {2 * _PARAMETERS} or more"
        )
    subsets = _best_scoring(xyz, scores)
    spread = np.linalg.svd(xyz - xyz.mean(axis=0), compute_uv=False)
    if not spread[1] > _LEAST_SPREAD * np.abs(xyz).max():
        raise DataError(
            f"{len(xyz)} points lie on one line or in one place; expected points on a tube's wall"
        )
    starts = [_near_longest_axis(subset, reach) for subset in subsets for reach in _REACHES]
    wall = _WALL * max(radius for _, radius in starts)

    def excess(tube: Cylinder) -> int:
        distance = np.abs(tube.wall_distances(xyz))
        within = int(np.sum(distance < wall))
        return 2 * within - int(np.sum(distance < 2 * wall))  # within, less those beside

    return max((_fit_near(near, radius) for near, radius in starts), key=excess)


def _best_scoring(xyz: FloatArray, scores: ArrayLike | None) -> list[FloatArray]:
    """All points, and those with the best scores, half as many each time."""
    if scores is None:
        return [xyz]
    score = np.asarray(scores, dtype=np.float64)
    if score.shape != (len(xyz),):
        raise ShapeError(f"scores have shape {score.shape}; expected ({len(xyz)},), one a point")
    ranked = xyz[np.argsort(-score, kind="stable")]
    numbers = [len(xyz) // part for part in (1, 2, 4, 8)]
    return [ranked[:n] for n in numbers if n >= 2 * _PARAMETERS]


def _fit_near(near: FloatArray, radius: float) -> Cylinder:
    """Fit the wall to points about the axis, from a straight tube of a radius."""
    start = _straight(near, radius)
    length = float(np.ptp(_project(near, start)))

    def residuals(parameters: FloatArray) -> FloatArray:
        return _moved(start, parameters, radius, length).wall_distances(near)

    # Cauchy's loss: points on the wall count squared, strays hardly. The bounds keep the fit near
    # its start: half axes within a factor of two, the rest within a few radii.
    bound = np.array([1.0, 1.0, 3.0, 3.0, np.log(2), np.log(2), 3.0, 3.0])
    fit = least_squares(
        residuals,
        np.zeros(_PARAMETERS),
        bounds=(-bound, bound),
        loss="cauchy",
        f_scale=_WALL * radius,
    )
    return _moved(start, fit.x, radius, length)


def _near_longest_axis(xyz: FloatArray, reach: float) -> tuple[FloatArray, float]:
    """Points near the principal axis, and their median distance from it."""
    keep = np.ones(len(xyz), dtype=bool)
    for _ in range(100):
        centre = xyz[keep].mean(axis=0)
        axis = np.linalg.svd(xyz[keep] - centre, full_matrices=False)[2][0]
        relative = xyz - centre
        distance = np.linalg.norm(relative - np.outer(relative @ axis, axis), axis=1)
        nearer = distance < reach * np.median(distance[keep])
        if nearer.sum() < 2 * _PARAMETERS or np.array_equal(nearer, keep):
            break
        keep = nearer
    return xyz[keep], float(np.median(distance[keep]))


def _straight(near: FloatArray, radius: float) -> Cylinder:
    """Straight round tube along the principal axis of the points."""
    centre = near.mean(axis=0)
    axis = np.linalg.svd(near - centre, full_matrices=False)[2][0]
    largest = np.argmax(np.abs(axis))
    return _make(centre, axis * np.sign(axis[largest]), (radius, radius), (0.0, 0.0))


def _make(
    centre: FloatArray,
    direction: FloatArray,
    half_axes: tuple[float, float],
    bend: tuple[float, float],
) -> Cylinder:
    direction = direction / np.linalg.norm(direction)
    first = _BEAM - (_BEAM @ direction) * direction
    if np.linalg.norm(first) < 1e-3:  # along the beam: x instead
        first = np.array([1.0, 0.0, 0.0]) - direction[0] * direction
    first /= np.linalg.norm(first)
    across = np.stack([first, np.cross(direction, first)])
    return Cylinder(centre, direction, across, np.array(half_axes), np.array(bend))


def _moved(start: Cylinder, parameters: FloatArray, radius: float, length: float) -> Cylinder:
    """Apply eight numbers of order one: offset, lean (2 each), half axes, bend."""
    p = parameters
    centre = start.centre + radius * (p[0:2] @ start.across)
    direction = start.direction + radius / length * (p[2:4] @ start.across)
    bend = radius / length**2 * p[6:8]
    half_axes = radius * np.exp(p[4:6])
    return _make(centre, direction, (half_axes[0], half_axes[1]), (bend[0], bend[1]))


def _project(points: FloatArray, cylinder: Cylinder) -> FloatArray:
    return np.asarray((points - cylinder.centre) @ cylinder.direction)
