"""The two sheets of a membrane that a segmentation has as a thin label, and its middle."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from subtomo.errors import DataError
from subtomo.model import Volume
from subtomo.picking.surfaces.orientation import point_outward
from subtomo.picking.surfaces.pieces import keep_faces, number_pieces
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]
Sheet = Literal["both", "outer", "inner", "middle"]

_STEP_PX = 0.5
_OPPOSITE = -0.8
"""Cosine of normals of the two sheets: at the rim of a patch they turn from one to the other."""
_THIN = 1.5
"""Area times thickness over twice the volume: 1 of a sheet, 2 of a rod, 3 of a ball."""
_SCRAP = 4.0
"""Squared thicknesses: smaller pieces are left over where a sheet was cut off at its rim."""


def take_sheet(
    surface: Surface, label: Volume, level: float, sheet: Sheet, marker: ArrayLike | None
) -> Surface:
    """Take sheets of the surface around a thin label, or make the middle of both.

    Parameters
    ----------
    surface : around the label, its normals out of it
    label : values above ``level`` are inside
    level : at which the surface lies
    sheet : which; ``middle`` has the triangles of the outer one, half way through the label
    marker : (3,) Å, columns x, y, z, on the inner side; None: as in ``point_outward``

    Returns
    -------
    Surface
        Without the rim that joins the sheets of an open membrane; its normals point to the outer
        side, on both sheets. Both of a label that is not thin are all of its surface.

    Raises
    ------
    DataError
        If one sheet of a label that is not thin is asked for, or the label is so flat that its
        sides need a marker.
    """
    thickness = _thickness(surface, label, level)
    is_paired = np.isfinite(thickness)
    usual = float(np.median(thickness[is_paired])) if is_paired.any() else np.inf
    volume = float((label.data > level).sum()) * label.pixel_size**3
    if not surface.area * usual <= _THIN * 2 * volume:
        if sheet == "both":
            return point_outward(surface, marker)
        raise DataError("is no thin sheet, and has no outer and inner one; take both")
    is_facing = np.asarray(is_paired[surface.faces].all(axis=1))
    sheets = keep_faces(surface, is_facing)
    half = thickness[np.unique(surface.faces[is_facing])][:, None] / 2
    middle = Surface(sheets.vertices - half * sheets.normals, sheets.faces, sheets.normals)
    of_face, _ = number_pieces(middle)
    is_piece = np.bincount(of_face, middle.triangle_areas)[of_face] >= _SCRAP * usual**2
    pointed = point_outward(middle, marker)
    is_outer = (pointed.faces == middle.faces).all(axis=1)
    areas = [middle.triangle_areas[is_piece & side].sum() for side in (is_outer, ~is_outer)]
    if min(areas) < 0.5 * max(areas):
        raise DataError("has two sides that cannot be told apart; give a marker on the inner one")
    if sheet == "both":
        return keep_faces(Surface(sheets.vertices, pointed.faces, pointed.normals), is_piece)
    if sheet == "middle":
        return keep_faces(middle, is_piece & is_outer)
    if sheet == "outer":
        return keep_faces(sheets, is_piece & is_outer)
    return keep_faces(sheets, is_piece & ~is_outer).flipped()


def _thickness(surface: Surface, label: Volume, level: float) -> FloatArray:
    """Å through the label against the normals, (v,); NaN where no opposite sheet is met."""
    thickness = np.full(len(surface.vertices), np.nan)
    rows, step = np.arange(len(thickness)), _STEP_PX * label.pixel_size
    before, depth = np.full(len(rows), np.inf), 0.0
    while len(rows) and depth < np.linalg.norm(label.shape) * label.pixel_size:
        depth += step
        at = surface.vertices[rows] - depth * surface.normals[rows]
        index = label.position_to_index(at)[:, ::-1].T
        value = map_coordinates(label.data, index, order=1, mode="nearest")
        is_out = value <= level
        passed = (level - value[is_out]) / (before[is_out] - value[is_out])  # of the step, outside
        thickness[rows[is_out]] = depth - step * passed
        rows, before = rows[~is_out], value[~is_out]
    met = np.flatnonzero(np.isfinite(thickness))
    end = surface.vertices[met] - thickness[met, None] * surface.normals[met]
    other = cKDTree(surface.vertices).query(end)[1]
    is_opposite = (surface.normals[met] * surface.normals[other]).sum(axis=1) < _OPPOSITE
    thickness[met[~is_opposite]] = np.nan
    return thickness
