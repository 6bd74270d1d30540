"""Evenly spaced points on a surface, with their normals."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.errors import SettingsError
from subtomo.geometry.even_points import MOST_POINTS
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

_SAMPLES_PER_POINT, _SAMPLES_PER_POINT_OF_MANY, _MANY = 30, 10, 3000
"""Of many points the samples are fewer, which leaves the spacing and costs a third."""
_ROUNDS = 10
"""Of moving each point to the middle of what is nearest to it; more change the spacing by 1 %."""
_ATTEMPTS, _ATTEMPTS_FOR_FEW, _FEW = 6, 20, 100
_FIRST_RADIUS = 0.8
"""Of the first spread, whose points move apart as they settle."""
_GOOD = 0.02


def crop_points(surface: Surface, cropping_parameter: float) -> tuple[FloatArray, FloatArray]:
    """Spread points evenly over a surface.

    Parameters
    ----------
    surface : of any form, open or closed
    cropping_parameter : Å, distance between neighbours

    Returns
    -------
    positions : (n, 3) Å, columns x, y, z, on the surface
    normals : (n, 3) unit, outward
        The median distance to the nearest neighbour is the one asked, to 5 % where there are
        a dozen points or more. The same surface gives the same points.

    Raises
    ------
    SettingsError
        If the distance is not positive, or so small that there would be too many points.

    Notes
    -----
    Each point is moved to the centre of the part of the surface that is nearer to it than to the
    others, again and again (Lloyd 1982, IEEE Trans. Inf. Theory 28, 129), which ends near hexagons;
    from points that keep a distance (Cook 1986, ACM Trans. Graphics 5, 51), which is corrected by
    the spacing that comes out.
    """
    if not (np.isfinite(cropping_parameter) and cropping_parameter > 0):
        raise SettingsError(f"cropping_parameter is {cropping_parameter} Å; expected a length > 0")
    expected = surface.area / (np.sqrt(3) / 2 * cropping_parameter**2)
    if expected > MOST_POINTS:
        raise SettingsError(
            f"cropping_parameter {cropping_parameter:g} Å would make {expected:.3g} points of a "
            f"surface of {surface.area:g} Å²; expected at most {MOST_POINTS}: enlarge it"
        )
    if surface.area == 0:
        return np.empty((0, 3)), np.empty((0, 3))
    found = surface.closest(_spread(surface, expected, cropping_parameter))
    return found.position, found.normal


def median_spacing(positions: FloatArray) -> float:
    """Give the median distance from a point to the nearest other one.

    Parameters
    ----------
    positions : (n, 3)

    Returns
    -------
    float
        NaN where there are fewer than two.
    """
    if len(positions) < 2:
        return float("nan")
    return float(np.median(cKDTree(positions).query(positions, k=2)[0][:, 1]))


def _spread(surface: Surface, expected: float, spacing: float) -> FloatArray:
    """Try distances for the first spread until the spacing is the one asked; keep the best."""
    per_point = _SAMPLES_PER_POINT if expected < _MANY else _SAMPLES_PER_POINT_OF_MANY
    samples = _even_samples(surface, max(2000, round(per_point * expected)))
    tree = cKDTree(samples)
    radius, best, error = _FIRST_RADIUS * spacing, samples[:1], np.inf
    for attempt in range(_ATTEMPTS if expected > _FEW else _ATTEMPTS_FOR_FEW):
        positions = _settled(samples, samples[_apart(tree, radius)])
        factor = median_spacing(positions) / spacing
        if len(positions) < 3 or abs(factor - 1) < error:
            best, error = positions, abs(factor - 1)
        if len(positions) < 3 or error <= _GOOD:
            break
        # A few points come in steps: correcting goes around in circles, and smaller steps help.
        radius *= factor ** (-1.0 if attempt < 2 else -0.4)
    return best


def _apart(tree: cKDTree, radius: float) -> list[int]:
    """Take samples in their order, none closer than a radius to one that was taken."""
    is_free = np.ones(tree.n, dtype=bool)
    taken = []
    for k in range(tree.n):
        if is_free[k]:
            taken.append(k)
            is_free[tree.query_ball_point(tree.data[k], radius)] = False
    return taken


def _even_samples(surface: Surface, n: int) -> FloatArray:
    """Points on the surface, every part of the area having its share, in a shuffled order."""
    random = np.random.default_rng(0)
    run = np.cumsum(surface.triangle_areas)
    triangle = np.searchsorted(run, (np.arange(n) + 0.5) / n * run[-1])
    triangle = np.minimum(triangle, len(run) - 1)
    root, part = np.sqrt(random.random(n)), random.random(n)
    weights = np.stack([1 - root, root * (1 - part), root * part], axis=1)
    corners = surface.vertices[surface.faces[triangle]]
    return np.asarray(random.permutation(np.einsum("nk,nkx->nx", weights, corners)))


def _settled(samples: FloatArray, points: FloatArray) -> FloatArray:
    """Move points to the middles of the samples that are nearest to them, round after round."""
    for _ in range(_ROUNDS):
        owner = cKDTree(points).query(samples)[1]
        count = np.bincount(owner, minlength=len(points))
        sums = [np.bincount(owner, weights=samples[:, k], minlength=len(points)) for k in range(3)]
        middles = np.stack(sums, axis=1) / np.maximum(count, 1)[:, None]
        points = np.where(count[:, None] > 0, middles, points)
    return points
