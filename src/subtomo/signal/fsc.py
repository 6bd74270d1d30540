"""Fourier shell correlation of two half maps."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.signal.fourier import frequency_radius

RANDOMISE_BELOW = 0.8  # unmasked FSC under which phases are randomised; RELION's choice
SHELLS_KEPT = 2  # shells after that frequency where the masked curve still stands, as in RELION
_RANDOMISATIONS = 5  # whose mean corrects: one alone leaves its noise of some 0.05 in small boxes


@dataclass(frozen=True, eq=False)
class FscCurves:
    """Fourier shell correlations of two half maps; all (shell,).

    Parameters
    ----------
    frequency : 1/Å
    unmasked : of the maps as they are
    masked : under the mask
    randomised : under the mask, phases beyond ``randomised_from`` made random
    corrected : what of ``masked`` is not the mask's doing
    randomised_from : 1/Å
    """

    frequency: NDArray[np.float64]
    unmasked: NDArray[np.float64]
    masked: NDArray[np.float64]
    randomised: NDArray[np.float64]
    corrected: NDArray[np.float64]
    randomised_from: float


def shell_frequencies(n: int, pixel_size: float) -> NDArray[np.float64]:
    """Frequency in 1/Å of every shell of an n-voxel cube, 0 to Nyquist: (n // 2 + 1,)."""
    return np.arange(n // 2 + 1) / (n * pixel_size)


def fourier_shell_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of two volumes, shell by shell.

    Parameters
    ----------
    a, b : (..., n, n, n)

    Returns
    -------
    (..., n // 2 + 1)
        Shell i holds the components whose radius rounds to i; 0 where a shell is empty.

    Raises
    ------
    ShapeError
        If the volumes are not cubes of one size.
    """
    if a.shape != b.shape or len(set(a.shape[-3:])) != 1:
        raise ShapeError(
            f"half maps of {tuple(a.shape)} and {tuple(b.shape)}; expected cubes of one size"
        )
    n = a.shape[-1]
    fa, fb = (torch.fft.rfftn(x.double(), dim=(-3, -2, -1)) for x in (a, b))
    cross = shell_sums((fa * fb.conj()).real, n)
    power = shell_sums(fa.abs() ** 2, n) * shell_sums(fb.abs() ** 2, n)
    return torch.where(power > 0, cross / power.clamp_min(1e-300).sqrt(), 0.0)


def shell_sums(values: Tensor, n: int) -> Tensor:
    """Sum over whole shells what is given on the half grid of a real transform.

    Parameters
    ----------
    values : (..., n, n, n // 2 + 1), equal at opposite frequencies

    Returns
    -------
    (..., n // 2 + 1)
    """
    shells, columns = _shells(n, values.device)
    flat = (values * columns.to(values.dtype)).reshape(-1, shells.numel())
    out = torch.zeros(len(flat), n + 1, dtype=values.dtype, device=values.device)
    out.index_add_(1, shells.reshape(-1), flat)
    return out[:, : n // 2 + 1].reshape(*values.shape[:-3], n // 2 + 1)


def _shells(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Shell of every entry, and how often its column stands for two entries."""
    shells = (frequency_radius((n, n, n), 1 / n, device, dtype=torch.float64)).round().long()
    columns = torch.full((n // 2 + 1,), 2.0, device=device)
    columns[0] = 1
    if n % 2 == 0:
        columns[-1] = 1
    return shells.clamp(max=n), columns


def masked_fsc(
    half1: Tensor,
    half2: Tensor,
    mask: Tensor,
    pixel_size: float,
    seed: int = 0,
    *,
    shared_shells: int = 0,
) -> FscCurves:
    """Fourier shell correlation under a mask, corrected for the mask by phase randomisation.

    Parameters
    ----------
    half1, half2 : (n, n, n)
    mask : (n, n, n), 0 to 1
    pixel_size : Å
    seed : of the random phases
    shared_shells : shells, zero's among them, that both halves were aligned to share
        They keep their phases: what they have in common is not independent, and the mask carries it
        into finer shells.

    Returns
    -------
    FscCurves

    Raises
    ------
    ShapeError
        If the three are not cubes of one size.

    Notes
    -----
    ``corrected = (masked - randomised) / (1 - randomised)``: Chen et al., Ultramicroscopy 135,
    24-35 (2013), equation 4, with the mean of several randomisations. Phases are randomised from
    the first shell where the unmasked curve is under 0.8; up to two shells beyond it the masked
    curve stands.
    """
    if mask.shape != half1.shape:
        raise ShapeError(
            f"mask of {tuple(mask.shape)} for half maps of {tuple(half1.shape)}; expected the same"
        )
    frequency = shell_frequencies(half1.shape[-1], pixel_size)
    unmasked = fourier_shell_correlation(half1, half2).cpu().numpy()
    masked = fourier_shell_correlation(half1 * mask, half2 * mask).cpu().numpy()
    below = np.flatnonzero(unmasked[1:] < RANDOMISE_BELOW)
    start = int(below[0]) + 1 if len(below) else len(unmasked)
    start = min(max(start, shared_shells), len(unmasked))
    generator = torch.Generator().manual_seed(seed)
    randomised = np.zeros_like(masked)
    for _ in range(_RANDOMISATIONS):
        random1, random2 = (randomise_phases(half, start, generator) for half in (half1, half2))
        curve = fourier_shell_correlation(random1 * mask, random2 * mask)
        randomised += curve.cpu().numpy() / _RANDOMISATIONS
    corrected = masked.copy()
    tail = slice(start + SHELLS_KEPT, None)
    corrected[tail] = (masked[tail] - randomised[tail]) / np.maximum(1 - randomised[tail], 1e-6)
    from_frequency = float(frequency[start]) if start < len(frequency) else math.inf
    return FscCurves(frequency, unmasked, masked, randomised, corrected, from_frequency)


def randomise_phases(volume: Tensor, from_shell: int, generator: torch.Generator) -> Tensor:
    """Give all components from a shell on random phases and their own amplitudes.

    Parameters
    ----------
    volume : (n, n, n)
    from_shell : first shell that is changed
    generator : on the CPU

    Returns
    -------
    (n, n, n)
    """
    n = volume.shape[-1]
    transform = torch.fft.rfftn(volume)
    shells, _ = _shells(n, volume.device)
    # phases of white noise: uniform, and with the symmetry of a real volume
    noise = torch.fft.rfftn(torch.randn(n, n, n, generator=generator).to(volume))
    phases = noise / noise.abs().clamp_min(1e-20)
    mixed = torch.where(shells >= from_shell, transform.abs() * phases, transform)
    randomised: Tensor = torch.fft.irfftn(mixed, s=(n, n, n))
    return randomised


def resolution_at(
    frequency: NDArray[np.floating], curve: NDArray[np.floating], threshold: float
) -> float:
    """Resolution where a curve first falls below a threshold, interpolated between shells.

    Parameters
    ----------
    frequency : (shell,) 1/Å, rising from 0
    curve : (shell,)
    threshold : 0.143 for half maps, 0.5 against a known map

    Returns
    -------
    Å; the Nyquist resolution if the curve never falls, infinite if it starts below
    """
    below = np.flatnonzero(np.asarray(curve)[1:] < threshold)
    if not len(below):
        return float(1 / frequency[-1])
    i = int(below[0]) + 1
    high = 1.0 if i == 1 else float(curve[i - 1])
    if i == 1 and frequency[0] == 0 and curve[1] < threshold <= 0:
        return math.inf
    step = (high - threshold) / (high - float(curve[i]))
    crossing = frequency[i - 1] + step * (frequency[i] - frequency[i - 1])
    return float(1 / crossing) if crossing > 0 else math.inf
