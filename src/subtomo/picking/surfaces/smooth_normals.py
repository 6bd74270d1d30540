"""Normals averaged along a surface, for surfaces whose triangles show the steps of voxels."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags

from subtomo.picking.surfaces.surface import Surface, unit_vectors

FloatArray = NDArray[np.float64]

_STEPS = 3
"""Of the flow: of a single one the weights fall off more slowly than a Gaussian's."""
_EXACT = 1e-4
_MOST_ROUNDS = 1000


def with_smooth_normals(surface: Surface, width: float) -> Surface:
    """Take for each normal the mean of those around it, weighted by area and about a Gaussian.

    Means are taken along the surface: of the two faces of a thin sheet neither knows of the other.

    Parameters
    ----------
    surface : any
    width : Å, standard deviation of the Gaussian

    Returns
    -------
    Surface
        With the same vertices and faces.

    Notes
    -----
    Normals flow as heat does, for a time of half the squared width, in implicit steps (Desbrun,
    Meyer, Schröder and Barr 1999, SIGGRAPH, 317), between vertices by the cotangents of the angles
    opposite their edge (Pinkall and Polthier 1993, Experim. Math. 2, 15).
    """
    area, conduction = _area_and_conduction(surface)
    outflow = diags(np.asarray(conduction.sum(axis=1)).ravel()) - conduction
    step = csr_matrix(diags(area) + width**2 / 2 / _STEPS * outflow)
    normals = surface.normals
    for _ in range(_STEPS):
        normals = _solved(step, area[:, None] * normals, normals)
    return Surface(surface.vertices, surface.faces, unit_vectors(normals))


def _area_and_conduction(surface: Surface) -> tuple[FloatArray, csr_matrix]:
    """Area around each vertex (v,), and half the sum of cotangents for each edge (v, v)."""
    corners, n = surface.vertices[surface.faces], len(surface.vertices)
    thrice = np.bincount(surface.faces.ravel(), np.repeat(surface.triangle_areas, 3), minlength=n)
    rows, columns, values = [], [], []
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        dot = ((corners[:, i] - corners[:, k]) * (corners[:, j] - corners[:, k])).sum(axis=1)
        half_cotangent = dot / np.maximum(4 * surface.triangle_areas, 1e-12)
        rows += [surface.faces[:, i], surface.faces[:, j]]
        columns += [surface.faces[:, j], surface.faces[:, i]]
        values += [half_cotangent, half_cotangent]
    at = (np.concatenate(rows), np.concatenate(columns))
    return thrice / 3, coo_matrix((np.concatenate(values), at), shape=(n, n)).tocsr()


def _solved(matrix: csr_matrix, wanted: FloatArray, start: FloatArray) -> FloatArray:
    """Solve for columns (v, 3) by conjugate gradients (Hestenes and Stiefel 1952).

    That of SciPy takes a column at a time, and many threads for sums that are too short for them.
    """
    scale = 1 / np.maximum(matrix.diagonal(), 1e-300)[:, None]
    found, left = start, wanted - matrix @ start
    direction = scale * left
    size = (left * direction).sum(axis=0)
    goal = _EXACT**2 * (wanted * scale * wanted).sum()
    for _ in range(_MOST_ROUNDS):
        if size.max() <= goal:
            break
        image = matrix @ direction
        along = (direction * image).sum(axis=0)
        part = np.divide(size, along, out=np.zeros(3), where=along > 0)
        found, left = found + part * direction, left - part * image
        before, size = size, (left * scale * left).sum(axis=0)
        ratio = np.divide(size, before, out=np.zeros(3), where=before > 0)
        direction = scale * left + ratio * direction
    return found
