"""Aberrations of an optics group beyond defocus and astigmatism."""

from dataclasses import dataclass

Matrix = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Aberrations:
    """Higher-order aberrations and the magnification of an optics group.

    Parameters
    ----------
    even, odd : Zernike coefficients in RELION's order
    magnification : ((m00, m01), (m10, m11)), or None
        Turns a frequency (x, y) of the recorded image into that of the object.
    """

    even: tuple[float, ...] = ()
    odd: tuple[float, ...] = ()
    magnification: Matrix | None = None
