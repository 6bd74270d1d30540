"""Spectra of particle images, centred and multiplied by their transfer: numba and torch."""

import math
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.signal.spectrum_grids import SpectrumGrids

Array = NDArray[Any]


def _sine_coefficients() -> tuple[float, ...]:
    """Fit sin πx on [-½, ½] by x · (c0 + c1 x² + ... + c4 x⁸), to 5e-9, at Chebyshev nodes."""
    x = 0.5 * np.cos(math.pi * (np.arange(32) + 0.5) / 32)
    powers = x[:, None] ** np.arange(1, 11, 2)
    return tuple(float(c) for c in np.linalg.lstsq(powers, np.sin(math.pi * x), rcond=None)[0])


_C0, _C1, _C2, _C3, _C4 = (np.float32(c) for c in _sine_coefficients())


def particle_spectra(
    spectra: Tensor,
    shifts: Tensor,
    tilts: Tensor,
    depths: Tensor,
    grids: SpectrumGrids,
    factor: float,
) -> tuple[Tensor, Tensor]:
    """Crop spectra, move the particle to the centre and multiply by the transfer.

    Parameters
    ----------
    spectra : (k, S, S // 2 + 1) complex64, of the windows, as ``torch.fft.rfft2`` gives them
    shifts : (k, 2) pixels of the box, columns x, y, of the particle from the centre
    tilts : (k,) int64
    depths : (k,) Å along the beam
    grids : of the tilt series, for boxes of s ≤ S pixels; S and s even
    factor : multiplies all: the contrast's sign and the scale

    Returns
    -------
    spectra : (k, s, s // 2 + 1) complex64
        times the transfer, the whitening and the odd aberrations. Row s // 2 is the negative
        Nyquist frequency.
    transfer : (k, s, s // 2 + 1) float32, ``factor`` left out
    """
    if spectra.device.type != "cpu":
        return particle_spectra_torch(spectra, shifts, tilts, depths, grids, factor)
    s = grids.box_size
    out = torch.empty((len(spectra), s, s // 2 + 1), dtype=torch.complex64)
    transfer = torch.empty((len(spectra), s, s // 2 + 1), dtype=torch.float32)
    nothing = torch.empty((0, 0, 0))
    whitening = nothing if grids.whitening is None else grids.whitening
    aberration = nothing if grids.aberration is None else torch.view_as_real(grids.aberration)
    _multiply(
        torch.view_as_real(spectra).numpy(),
        shifts.double().numpy(),
        tilts.numpy(),
        depths.float().numpy(),
        grids.turns.numpy(),
        grids.turns_per_depth.numpy(),
        grids.amplitude.numpy(),
        whitening.numpy(),
        aberration.numpy(),
        factor,
        torch.view_as_real(out).numpy(),
        transfer.numpy(),
    )
    return out, transfer


def particle_spectra_torch(
    spectra: Tensor,
    shifts: Tensor,
    tilts: Tensor,
    depths: Tensor,
    grids: SpectrumGrids,
    factor: float,
) -> tuple[Tensor, Tensor]:
    """Do as :func:`particle_spectra` in torch, on any device."""
    s = grids.box_size
    transfer = transfer_of(tilts, depths, grids)
    half = s // 2
    rows = torch.cat([spectra[:, :half, : half + 1], spectra[:, -half:, : half + 1]], dim=1)
    out = rows * transfer * _centring(shifts, s) * factor
    if grids.whitening is not None:
        out = out * grids.whitening[tilts]
    if grids.aberration is not None:
        out = out * grids.aberration
    return out, transfer


def transfer_of(tilts: Tensor, depths: Tensor, grids: SpectrumGrids) -> Tensor:
    """Give the transfer of images.

    Parameters
    ----------
    tilts : (k,) int64
    depths : (k,) Å along the beam
    grids : of the tilt series

    Returns
    -------
    (k, s, s // 2 + 1) float32
    """
    turns = grids.turns[tilts] + depths.float()[:, None, None] * grids.turns_per_depth
    return grids.amplitude[tilts] * torch.sin(2 * math.pi * (turns - turns.round()))


def _centring(shifts: Tensor, size: int) -> Tensor:
    """Give the phase factors exp 2πi(kx dx + ky dy)/s."""
    device = shifts.device
    x = torch.arange(size // 2 + 1, device=device) / size
    y = torch.fft.fftfreq(size, device=device)
    dx, dy = shifts[:, 0, None, None], shifts[:, 1, None, None]
    angles = 2 * math.pi * (x * dx + y[:, None] * dy)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


@numba.njit(cache=True, error_model="numpy", fastmath=True)  # type: ignore[untyped-decorator]
def _multiply(
    spectra: Array,
    shifts: Array,
    tilts: Array,
    depths: Array,
    turns: Array,
    turns_per_depth: Array,
    amplitude: Array,
    whitening: Array,
    aberration: Array,
    factor: float,
    out: Array,
    transfer: Array,
) -> None:
    """Fill ``out`` and ``transfer``; everything but angles in single precision."""
    n_rows, n_columns = out.shape[1], out.shape[2]
    half = n_rows // 2
    skipped = spectra.shape[1] - n_rows
    cos_x, sin_x = np.empty(n_columns, np.float32), np.empty(n_columns, np.float32)
    values = np.empty(n_columns, np.float32)
    for k in range(len(tilts)):
        tilt, depth = tilts[k], depths[k]
        for x in range(n_columns):
            angle = 2 * math.pi * x * shifts[k, 0] / n_rows
            cos_x[x], sin_x[x] = np.float32(math.cos(angle)), np.float32(math.sin(angle))
        for y in range(n_rows):
            ky = y if y < half else y - n_rows
            angle = 2 * math.pi * ky * shifts[k, 1] / n_rows
            cos_y = np.float32(math.cos(angle) * factor)
            sin_y = np.float32(math.sin(angle) * factor)
            row = transfer[k, y]
            phase_row, depth_row, size_row = turns[tilt, y], turns_per_depth[y], amplitude[tilt, y]
            for x in range(n_columns):  # amplitude · sin 2π(turns)
                phase = phase_row[x] + depth * depth_row[x]
                t = np.float32(2) * (phase - np.floor(phase + np.float32(0.5)))
                u = min(abs(t), np.float32(1) - abs(t))  # keeps the digits near both zeros
                q = u * u
                sine = _C3 + q * _C4
                sine = _C2 + q * sine
                sine = _C1 + q * sine
                row[x] = size_row[x] * math.copysign(u, t) * (_C0 + q * sine)
                values[x] = row[x]
            if len(whitening):
                for x in range(n_columns):
                    values[x] *= whitening[tilt, y, x]
            source = spectra[k, y if y < half else y + skipped]
            target = out[k, y]
            for x in range(n_columns):
                cos = values[x] * (cos_x[x] * cos_y - sin_x[x] * sin_y)
                sin = values[x] * (sin_x[x] * cos_y + cos_x[x] * sin_y)
                real, imaginary = source[x, 0], source[x, 1]
                target[x, 0] = real * cos - imaginary * sin
                target[x, 1] = real * sin + imaginary * cos
            if len(aberration):
                for x in range(n_columns):
                    real, imaginary = target[x, 0], target[x, 1]
                    a, b = aberration[y, x, 0], aberration[y, x, 1]
                    target[x, 0] = real * a - imaginary * b
                    target[x, 1] = real * b + imaginary * a
