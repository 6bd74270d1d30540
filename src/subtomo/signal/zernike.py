"""Higher-order aberrations as phases: sums of Zernike polynomials."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Indices = Callable[[int], tuple[int, int]]


def even_phase(coefficients: Sequence[float], frequencies: Tensor) -> Tensor:
    """Phase of the symmetric aberrations, which the CTF's phase is reduced by.

    Parameters
    ----------
    coefficients : of Z(m, n), in RELION's order (rlnEvenZernike)
    frequencies : (..., 2) 1/Å, columns x, y

    Returns
    -------
    (...) radians, float64

    Notes
    -----
    The i-th term has n = 2⌊√i⌋, m = 2(i - ⌊√i⌋² - ⌊√i⌋); its radius is the frequency in 1/Å.
    Source: RELION 5, commit 73f0a3c0; Zivanov, Nakane and Scheres, IUCrJ 7, 253 (2020).
    """
    return _phase(coefficients, frequencies, _even_indices)


def odd_phase(coefficients: Sequence[float], frequencies: Tensor) -> Tensor:
    """Phase of the antisymmetric aberrations; images are multiplied by exp(-i · phase).

    Parameters
    ----------
    coefficients : of Z(m, n), in RELION's order (rlnOddZernike)
    frequencies : (..., 2) 1/Å, columns x, y

    Returns
    -------
    (...) radians, float64

    Notes
    -----
    The i-th term has, with j = ⌊(√(1 + 4i) - 1)/2⌋, n = 2j + 1, m = 2(i - j² - j) - n.
    Source: as of :func:`even_phase`.
    """
    return _phase(coefficients, frequencies, _odd_indices)


def _even_indices(i: int) -> tuple[int, int]:
    k = math.isqrt(i)
    return 2 * (i - k * k - k), 2 * k


def _odd_indices(i: int) -> tuple[int, int]:
    j = (math.isqrt(1 + 4 * i) - 1) // 2
    n = 2 * j + 1
    return 2 * (i - j * j - j) - n, n


def _phase(coefficients: Sequence[float], frequencies: Tensor, indices: Indices) -> Tensor:
    x, y = frequencies.double().unbind(-1)
    radius, angle = torch.hypot(x, y), torch.atan2(y, x)
    phase = torch.zeros_like(radius)
    for i, coefficient in enumerate(coefficients):
        if coefficient:
            phase += coefficient * _zernike(*indices(i), radius, angle)
    return phase


def _zernike(m: int, n: int, radius: Tensor, angle: Tensor) -> Tensor:
    """Evaluate Z(m, n): its radial polynomial times cos(m·angle), or sin(|m|·angle) for m < 0."""
    order = abs(m)
    radial = torch.zeros_like(radius)
    for k in range((n - order) // 2 + 1):
        numerator = (-1) ** k * math.factorial(n - k)
        denominator = (
            math.factorial(k)
            * math.factorial((n + order) // 2 - k)
            * math.factorial((n - order) // 2 - k)
        )
        radial += numerator / denominator * radius ** (n - 2 * k)
    return radial * (torch.cos(m * angle) if m >= 0 else torch.sin(order * angle))
