"""The filter by how well a pick's neighbours lie on a lattice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles
from subtomo.picking.cleaning.classes import rows_by_class
from subtomo.picking.cleaning.verdict import Verdict, in_range

FloatArray = NDArray[np.float64]

LATTICE_FIT = "subtomoLatticeFit"


@dataclass(frozen=True)
class LatticeFit:
    """Keep picks whose neighbours lie around them as on a lattice.

    Parameters
    ----------
    spacing : Å, of neighbours on the lattice
    tolerance : Å, by which a neighbour's distance may differ
    fold : neighbours of a complete site, such as 6 for hexagonal, 4 for square lattices
    least : fit that is kept, up to 1
    per_class : only picks of the same class count
    """

    spacing: float
    tolerance: float
    fold: int
    least: float
    per_class: bool = False
    name: str = "lattice"

    def __call__(self, picks: Particles, rows: NDArray[np.int64]) -> Verdict:
        """Judge picks."""
        fit = np.zeros(len(picks))
        axes = matrices_from_quaternions(picks.orientation)[:, :, 2]
        axes[~picks.is_oriented] = np.nan
        for same in rows_by_class(picks, per_class=self.per_class):
            fit[same] = lattice_fit(
                picks.position[same],
                axes[same],
                spacing=self.spacing,
                tolerance=self.tolerance,
                fold=self.fold,
            )
        return Verdict(*in_range(fit, self.least, None, "lattice fit"), {LATTICE_FIT: fit})


def lattice_fit(
    position: FloatArray, axes: FloatArray, *, spacing: float, tolerance: float, fold: int
) -> FloatArray:
    """Measure how well the neighbours of each point lie around it as on a lattice in a sheet.

    Parameters
    ----------
    position : (n, 3)
    axes : (n, 3) unit normals of the sheet; NaN where unknown: then that of the plane through the
        neighbours
    spacing, tolerance : distance of neighbours and by how much it may differ, as positions
    fold : neighbours of a complete site

    Returns
    -------
    (n,) |Σ exp(i · fold · φ)| over the neighbours' directions φ in the sheet, divided by their
        number, or by ``fold`` where there are fewer: 1 for a complete site, less where neighbours
        are missing or stand at other angles, 0 without neighbours

    Notes
    -----
    Source: the bond-orientational order parameter of Nelson and Halperin (1979), Phys. Rev. B 19,
    2457, here also lowered by missing neighbours.
    """
    fit = np.zeros(len(position))
    if not len(position):
        return fit
    tree = cKDTree(position)
    around = tree.query_ball_point(position, spacing + tolerance)
    for i, found in enumerate(around):
        apart = position[found] - position[i]
        length = np.linalg.norm(apart, axis=1)
        bonds = apart[(np.abs(length - spacing) <= tolerance) & (length > 0)]
        if len(bonds):
            first, second = _sheet(axes[i], bonds)
            phi = np.arctan2(bonds @ second, bonds @ first)
            fit[i] = np.abs(np.exp(1j * fold * phi).sum()) / max(fold, len(bonds))
    return fit


def _sheet(axis: FloatArray, bonds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors across the axis, or across the direction in which bonds reach least."""
    if not np.isfinite(axis).all():
        axis = np.linalg.svd(bonds, full_matrices=True)[2][2]
    start = np.eye(3)[np.argmin(np.abs(axis))]
    first = np.cross(axis, start)
    first /= np.linalg.norm(first)
    return first, np.cross(axis, first)
