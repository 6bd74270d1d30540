"""A surface from clicks on levels: a curve on each, joined smoothly."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.picking.surfaces.level_curves import level_curves
from subtomo.picking.surfaces.level_parameters import LevelParameters, level_parameters
from subtomo.picking.surfaces.mesh_size import MeshSize, check_length
from subtomo.picking.surfaces.spline_basis import SplineBasis
from subtomo.picking.surfaces.spline_mesh import even_rows, spline_mesh
from subtomo.picking.surfaces.spline_surface import SplineSurface, fit_spline_surface
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

_MAXIMUM_CONTROLS = 1200
"""Control points of the fit, whose cost grows with the third power of their number."""


def surface_from_levels(
    points: ArrayLike,
    levels: ArrayLike,
    *,
    control_interval: float,
    mesh_parameter: float,
    maximum_triangles: int = 100_000,
    subdivisions: int = 2,
    is_closed: bool | None = None,
    is_ordered: bool | None = None,
) -> Surface:
    """Make a surface from clicks on levels.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z
    levels : (n,) the level that each was clicked on, as whole numbers in the order of the levels
        A level of a single click can only be the first or the last: the surface ends there.
    control_interval : Å between the control points of the surface, along and across the levels
        Larger ones smooth more.
    mesh_parameter : Å, edge of the triangles before they are subdivided
    maximum_triangles : after subdivision; where there would be more, the edges are made longer
    subdivisions : how often each triangle is split into four
    is_closed : whether the curves go around; None: judged from the clicks
    is_ordered : whether a level's clicks are in order along its curve; None: they are unless
        their path turns back and is longer than the shortest through them

    Returns
    -------
    Surface
        Through the clicks, less their noise. One side is as good as the other: see
        :func:`~subtomo.picking.surfaces.orientation.point_outward`.

    Raises
    ------
    SettingsError
        If a length or a number is not positive.
    DataError
        If clicks are too few or on one line, or a curve crosses itself; the message names it.

    Notes
    -----
    Levels, control points, mesh and subdivision are those of Dynamo's "membrane by levels"
    (Castaño-Díez et al. 2017, J. Struct. Biol. 197, 135). The spline through all levels at once,
    with a smoothness found by cross-validation, is our own.
    """
    check_length("control_interval", control_interval)
    size = MeshSize(mesh_parameter, maximum_triangles, subdivisions)
    points = np.asarray(points, dtype=np.float64)
    curves, is_closed = level_curves(
        points, np.asarray(levels), is_closed=is_closed, is_ordered=is_ordered
    )
    parameters = level_parameters(curves, is_closed=is_closed)
    spline = _fit(parameters, control_interval)
    is_point = (curves[0].curve is None, curves[-1].curve is None)
    mesh = size.subdivided(
        lambda edge: even_rows(
            spline, parameters.ends, edge, turn=parameters.turn, is_point=is_point
        ),
        float(np.ptp(parameters.u) * np.ptp(parameters.v)),
    )
    return spline_mesh(spline, mesh)


def _fit(parameters: LevelParameters, control_interval: float) -> SplineSurface:
    """Fit the spline; no more control points than clicks can tell of."""
    v, turn = parameters.ends[:, 0], parameters.turn
    low, high = parameters.ends[:, 1].min(), parameters.ends[:, 2].max()
    if turn is not None:
        low, high = 0.0, turn
    per_level = max(np.unique(parameters.v, return_counts=True)[1])
    n_along = np.clip(np.ceil((high - low) / control_interval), 4 if turn else 1, per_level + 2)
    n_across = np.clip(np.ceil((v[-1] - v[0]) / control_interval), 1, len(v) + 1)
    too_many = np.sqrt(max(1.0, n_along * n_across / _MAXIMUM_CONTROLS))
    along = SplineBasis(low, high, max(4, int(n_along / too_many)), turn is not None)
    across = SplineBasis(v[0], v[-1], max(1, int(n_across / too_many)))
    return fit_spline_surface(parameters.points, parameters.u, parameters.v, along, across)
