"""Normals averaged along a surface, for surfaces whose triangles show the steps of voxels."""

import numpy as np
from scipy.spatial import cKDTree

from subtomo.picking.surfaces.surface import Surface, unit_vectors

_REACH = 2.5
"""Of the Gaussian, in standard deviations."""
_VERTICES_A_TIME = 10_000


def with_smooth_normals(surface: Surface, width: float) -> Surface:
    """Take for each normal the mean of those around it, weighted by area and a Gaussian.

    Normals that point the other way are left out: those of the other face of a thin sheet, which
    a smoother volume would lose.

    Parameters
    ----------
    surface : any
    width : Å, standard deviation of the Gaussian

    Returns
    -------
    Surface
        With the same vertices and faces.
    """
    vertices, n = surface.vertices, len(surface.vertices)
    area = np.bincount(surface.faces.ravel(), np.repeat(surface.triangle_areas, 3), minlength=n)
    tree = cKDTree(vertices)
    means = np.empty_like(surface.normals)
    for start in range(0, n, _VERTICES_A_TIME):
        part = slice(start, min(start + _VERTICES_A_TIME, n))
        near = tree.query_ball_point(vertices[part], _REACH * width)
        row = np.repeat(np.arange(len(near)), [len(found) for found in near])
        other = np.concatenate(near).astype(np.int64)
        squares = ((vertices[part][row] - vertices[other]) ** 2).sum(axis=1)
        along = (surface.normals[part][row] * surface.normals[other]).sum(axis=1)
        weight = np.where(along > 0, area[other] * np.exp(-squares / (2 * width**2)), 0.0)
        for axis in range(3):
            means[part, axis] = np.bincount(
                row, weight * surface.normals[other, axis], minlength=len(near)
            )
    return Surface(vertices, surface.faces, unit_vectors(means))
