"""Where a surface of triangles meets a plane."""

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]


def plane_section(surface: Surface, axis: int, height: float) -> FloatArray:
    """Cut a surface by a plane at a right angle to x, y or z.

    Parameters
    ----------
    surface : Å
    axis : 0, 1 or 2 for x, y or z
    height : Å, of the plane along that axis

    Returns
    -------
    (m, 2, 3) Å
        The two ends of a straight piece for each triangle that the plane cuts.
    """
    corners = surface.vertices[surface.faces]
    above = corners[:, :, axis] >= height
    corners = corners[above.any(axis=1) & ~above.all(axis=1)]
    above = corners[:, :, axis] >= height
    # each triangle that is cut has one corner alone on its side
    lone = np.argmax(above == (above.sum(axis=1) == 1)[:, None], axis=1)
    rows = np.arange(len(corners))
    ends = [
        _crossing(corners[rows, lone], corners[rows, (lone + k) % 3], axis, height) for k in (1, 2)
    ]
    return np.stack(ends, axis=1)


def _crossing(start: FloatArray, end: FloatArray, axis: int, height: float) -> FloatArray:
    """Points at a height on the way from one to another."""
    share = (height - start[:, axis]) / (end[:, axis] - start[:, axis])
    return np.asarray(start + share[:, None] * (end - start))
