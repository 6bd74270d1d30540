"""A closed surface through clicks all around it, in spherical harmonics."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, lpmv

from subtomo.errors import DataError
from subtomo.geometry.ellipsoid import Ellipsoid
from subtomo.geometry.ellipsoid_fit import fit_ellipsoid
from subtomo.geometry.sphere_fit import fit_sphere
from subtomo.picking.surfaces.mesh_size import MeshSize
from subtomo.picking.surfaces.penalised_fit import penalised_fit
from subtomo.picking.surfaces.spline_mesh import even_lengths
from subtomo.picking.surfaces.strip_mesh import ParameterMesh, mesh_of_rows
from subtomo.picking.surfaces.surface import Surface, unit_vectors

FloatArray = NDArray[np.float64]

_MAXIMUM_DEGREE = 16
_OPEN_SIDE_DEG = 60.0
"""Half the angle of the widest cone without clicks that a closed surface may have: a hemisphere
leaves 90 degrees, each of the two sides that the missing wedge hides 30 to 45."""
_SURELY_OPEN_DEG = 95.0
"""The same as seen from the middle of a sphere: what is around a point leaves less than 90."""
_FLATTEST = 0.2
"""Shortest over longest radius of the ellipsoid through clicks that go around something."""
_LOOKED_AT = 500
_WORST_MISFIT = 0.1
"""Of the mean radius: clicks farther from the surface show that it is of another form."""


def surrounds(points: FloatArray) -> bool:
    """Tell whether points lie all around a middle.

    Parameters
    ----------
    points : (n, 3), not in a plane

    Returns
    -------
    bool
        With the ellipsoid through them made a sphere, no cone of 60° half angle from its centre
        is empty, and the ellipsoid is not one of noise to both sides of a patch.
    """
    if _open_side_deg(unit_vectors(points - fit_sphere(points).centre)) > _SURELY_OPEN_DEG:
        return False
    ellipsoid = fit_ellipsoid(points).ellipsoid
    if ellipsoid.radii.min() < _FLATTEST * ellipsoid.radii.max():
        return False
    return _open_side_deg(_directions(points, ellipsoid)) < _OPEN_SIDE_DEG


def _open_side_deg(directions: FloatArray) -> float:
    """Half the angle of the widest cone without a direction."""
    nearest = (_fibonacci(_LOOKED_AT) @ directions.T).max(axis=1)
    return float(np.degrees(np.arccos(np.clip(nearest.min(), -1.0, 1.0))))


def closed_surface(points: FloatArray, control_interval: float, size: MeshSize) -> Surface:
    """Lay a smooth closed surface through points around a middle.

    Parameters
    ----------
    points : (n, 3) Å, at least 9, not in a plane
    control_interval : Å
    size : of the triangles

    Returns
    -------
    Surface
        A point in each direction from the middle, as a sum of spherical harmonics, half a wave of
        which spans a control interval at least. An ellipsoid costs no roughness.

    Raises
    ------
    DataError
        If it does not pass near the points.
    """
    ellipsoid = fit_ellipsoid(points).ellipsoid
    directions, radius = _directions(points, ellipsoid), float(ellipsoid.radii.max())
    degree = int(np.clip(np.ceil(np.pi * radius / control_interval), 1, _MAXIMUM_DEGREE))
    degree = min(degree, max(1, int(np.sqrt(2 * len(points)))))
    coefficients = _fit(points, directions, degree)
    misfit = np.linalg.norm(_harmonics(directions, degree) @ coefficients - points, axis=1)
    if np.sqrt((misfit**2).mean()) > _WORST_MISFIT * radius:
        raise DataError(
            f"surface: clicks are {np.sqrt((misfit**2).mean()):.0f} Å (RMS) from a closed surface "
            "around their middle; it may be open, or of a form that needs clicks by levels"
        )
    mesh = size.subdivided(lambda edge: _sphere(radius, edge), 4 * np.pi * radius**2)
    return Surface(_harmonics(_unit(mesh, radius), degree) @ coefficients, mesh.faces)


def _directions(points: FloatArray, ellipsoid: Ellipsoid) -> FloatArray:
    """Directions from the centre of an ellipsoid that is made a unit sphere, (n, 3)."""
    return unit_vectors(ellipsoid.unit_points(points))


def _fibonacci(n: int) -> FloatArray:
    """Directions spread over the sphere, (n, 3)."""
    z = 1 - (2 * np.arange(n) + 1) / n
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(n)
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), z], axis=1)


def _fit(points: FloatArray, directions: FloatArray, degree: int) -> FloatArray:
    """Coefficients of the harmonics, ((degree + 1)², 3)."""
    of_column = np.repeat(np.arange(degree + 1), 2 * np.arange(degree + 1) + 1).astype(float)
    cost = (of_column * (of_column + 1)) ** 3 * (of_column > 1) + 1e-6 * (of_column > 0)
    centre = points.mean(axis=0)
    design = _harmonics(directions, degree)
    coefficients, _ = penalised_fit(design, np.diag(cost), points - centre)
    coefficients[0] += centre  # the harmonic of degree 0 is 1
    return coefficients


def _harmonics(directions: FloatArray, degree: int) -> FloatArray:
    """Real spherical harmonics to a degree, (n, (degree + 1)²), of mean square 1."""
    z, angle = np.clip(directions[:, 2], -1, 1), np.arctan2(directions[:, 1], directions[:, 0])
    columns = []
    for k in range(degree + 1):
        for m in range(-k, k + 1):
            size = (2 * k + 1) * (1 if m == 0 else 2)
            norm = np.sqrt(size * np.exp(gammaln(k - abs(m) + 1) - gammaln(k + abs(m) + 1)))
            around = np.cos(m * angle) if m >= 0 else np.sin(-m * angle)
            columns.append(norm * lpmv(abs(m), k, z) * around)
    return np.stack(columns, axis=1)


def _sphere(radius: float, edge: float) -> ParameterMesh:
    """Rows of longitudes on a sphere, from pole to pole; u around and v up, both in Å."""
    turn = 2 * np.pi * radius
    n_rows = max(5, round(np.pi * radius / (edge * np.sqrt(3) / 2)) + 1)
    v = np.linspace(0.0, np.pi * radius, n_rows)
    rows = [
        even_lengths(turn, edge / np.sin(height / radius), i % 2 == 1, turn)
        if 0 < i < n_rows - 1
        else np.zeros(1)
        for i, height in enumerate(v)
    ]
    return mesh_of_rows(rows, v, turn)


def _unit(mesh: ParameterMesh, radius: float) -> FloatArray:
    """Directions of the vertices of a mesh on a sphere, (v, 3); the first row is the south."""
    around, up = mesh.u / radius, mesh.v / radius
    return np.stack([np.sin(up) * np.cos(around), np.sin(up) * np.sin(around), -np.cos(up)], axis=1)
