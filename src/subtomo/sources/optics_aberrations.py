"""Aberrations of the optics groups of a project."""

import numpy as np

from subtomo.errors import StarError
from subtomo.formats.star import StarTable
from subtomo.formats.star_vectors import vectors
from subtomo.model import Aberrations

_EVEN, _ODD = "rlnEvenZernike", "rlnOddZernike"
_MAGNIFICATION = tuple(f"rlnMagMat{row}{column}" for row in "01" for column in "01")


def optics_aberrations(optics: StarTable, *, magnification: bool) -> list[Aberrations]:
    """Read the aberrations of each optics group.

    Parameters
    ----------
    optics : a row a group
    magnification : use the groups' magnification matrices (``rlnMagMat*``)

    Returns
    -------
    one a row

    Raises
    ------
    StarError
        If a value is not what it should be, or matrices are wanted and there are none.
    """
    pairs = zip(_coefficients(optics, _EVEN), _coefficients(optics, _ODD), strict=True)
    aberrations = [Aberrations(even, odd) for even, odd in pairs]
    if not magnification:
        return aberrations
    optics.require(_MAGNIFICATION, why="asked for by --anisotropic-magnification")
    rows = optics.stacked(_MAGNIFICATION)
    bad = np.flatnonzero(np.abs(np.linalg.det(rows.reshape(-1, 2, 2))) < 1e-6)
    if len(bad):
        raise StarError(
            f"{optics.place(bad[0])}: rlnMagMat* cannot be inverted; expected a matrix near 1"
        )
    return [
        Aberrations(one.even, one.odd, ((a, b), (c, d)))
        for one, (a, b, c, d) in zip(aberrations, rows.tolist(), strict=True)
    ]


def _coefficients(optics: StarTable, tag: str) -> list[tuple[float, ...]]:
    """Read a column of Zernike coefficients; none where there is no such column."""
    if tag not in optics:
        return [()] * len(optics)
    return [tuple(row.tolist()) for row in vectors(optics, tag)]
