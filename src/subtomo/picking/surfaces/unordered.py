"""A surface from clicks without levels or order: a patch, or all around a vesicle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.picking.surfaces.closed_points import closed_surface, surrounds
from subtomo.picking.surfaces.level_curves import check_not_on_a_line
from subtomo.picking.surfaces.mesh_size import MeshSize, check_length
from subtomo.picking.surfaces.open_points import open_surface
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

_LEAST_OPEN, _LEAST_CLOSED = 4, 9


def surface_from_points(
    points: ArrayLike,
    *,
    control_interval: float,
    mesh_parameter: float,
    maximum_triangles: int = 100_000,
    subdivisions: int = 2,
    is_closed: bool | None = None,
) -> Surface:
    """Make a surface from clicks that have neither levels nor an order.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z
    control_interval : Å between the control points of the surface; larger ones smooth more
    mesh_parameter : Å, edge of the triangles before they are subdivided
    maximum_triangles : after subdivision; where there would be more, the edges are made longer
    subdivisions : how often each triangle is split into four
    is_closed : whether the surface encloses a space; None: judged by whether the clicks leave no
        wide side of their middle open

    Returns
    -------
    Surface
        Open: a patch that reaches as far as the outermost clicks. Closed: around a middle from
        which every part of it can be seen.

    Raises
    ------
    SettingsError
        If a length or a number is not positive.
    DataError
        If there are too few clicks, they lie on one line or, for a closed surface, in one plane,
        or a closed surface of this kind does not pass near them.
    """
    check_length("control_interval", control_interval)
    size = MeshSize(mesh_parameter, maximum_triangles, subdivisions)
    clicks = _checked(points)
    if is_closed is None:
        is_closed = len(clicks) >= _LEAST_CLOSED and not _in_a_plane(clicks) and surrounds(clicks)
    if is_closed and len(clicks) < _LEAST_CLOSED:
        raise DataError(
            f"surface: {len(clicks)} clicks; a closed surface needs at least {_LEAST_CLOSED}"
        )
    if is_closed and _in_a_plane(clicks):
        raise DataError(
            f"surface: all {len(clicks)} clicks lie in one plane; a closed surface needs clicks "
            "at several heights"
        )
    make = closed_surface if is_closed else open_surface
    return make(clicks, control_interval, size)


def _checked(points: ArrayLike) -> FloatArray:
    clicks = np.asarray(points, dtype=np.float64)
    if clicks.ndim != 2 or clicks.shape[1] != 3:
        raise ShapeError(f"surface: points have shape {clicks.shape}; expected (n, 3)")
    bad = np.flatnonzero(~np.isfinite(clicks).all(axis=1))
    if len(bad):
        raise DataError(f"surface: click {bad[0] + 1} is {clicks[bad[0]].tolist()}; remove it")
    clicks = np.unique(clicks, axis=0)
    if len(clicks) < _LEAST_OPEN:
        raise DataError(
            f"surface: {len(clicks)} different clicks; a surface needs at least {_LEAST_OPEN}"
        )
    check_not_on_a_line(clicks)
    return clicks


def _in_a_plane(points: FloatArray) -> bool:
    """Whether the thickness of the points is less than a thousandth of their extent."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[2] <= 1e-3 * spread[0])
