"""What multiplies the spectra of a tilt series' particle images, tabulated once a series."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from subtomo.errors import DataError
from subtomo.model import Aberrations, TiltSeries
from subtomo.signal.ctf import electron_wavelength
from subtomo.signal.dose import dose_weight
from subtomo.signal.fourier import frequency_vectors
from subtomo.signal.zernike import even_phase, odd_phase


@dataclass(frozen=True, eq=False)
class SpectrumGrids:
    """Factors of the half spectra of particle images, all float32 and on one device.

    The transfer of an image of tilt t whose particle lies d Å along the beam is
    ``amplitude[t] · sin 2π(turns[t] + d · turns_per_depth)``.

    Parameters
    ----------
    turns : (tilt, s, s // 2 + 1) phase of the CTF at the centre's depth, in turns, -½ to ½
    turns_per_depth : (s, s // 2 + 1) turns/Å
    amplitude : (tilt, s, s // 2 + 1) scale, B-factor envelope and dose weight
    dose : (tilt, s, s // 2 + 1) the dose weight alone
    whitening : (tilt, s, s // 2 + 1) or None
    aberration : (s, s // 2 + 1) complex64, of the odd terms, or None
    """

    turns: Tensor
    turns_per_depth: Tensor
    amplitude: Tensor
    dose: Tensor
    whitening: Tensor | None = None
    aberration: Tensor | None = None

    @property
    def box_size(self) -> int:
        """Size s of the images."""
        return int(self.turns.shape[1])

    def ends_above(self, cutoff_fraction: float) -> Tensor:
        """Give one past the last column with a dose weight above a fraction: (tilt, s) int64.

        Parameters
        ----------
        cutoff_fraction : least dose weight; only columns inside the circle of s² // 4 count
        """
        s = self.box_size
        x = torch.arange(s // 2 + 1, device=self.dose.device)
        y = torch.arange(s, device=self.dose.device)
        y = torch.where(y < s // 2, y, y - s)
        inside = (x**2 + y[:, None] ** 2) <= s * s // 4
        counts = inside & (self.dose > cutoff_fraction)
        ends: Tensor = torch.where(counts, x + 1, 0).amax(-1)
        return ends

    def cut_off(self, cutoff_fraction: float) -> "SpectrumGrids":
        """Set the amplitude to zero where too little of the dose is left or beyond the circle."""
        x = torch.arange(self.box_size // 2 + 1, device=self.dose.device)
        inside = x < self.ends_above(cutoff_fraction)[..., None]
        return replace(self, amplitude=torch.where(inside, self.amplitude, 0.0))

    def only_extent(self) -> "SpectrumGrids":
        """Make the transfer 1 wherever its amplitude is not zero, for any depth."""
        return replace(
            self,
            turns=torch.full_like(self.turns, 0.25),  # a sine of 1
            turns_per_depth=torch.zeros_like(self.turns_per_depth),
            amplitude=(self.amplitude != 0).to(self.amplitude.dtype),
        )


def spectrum_grids(
    tilt_series: TiltSeries,
    box_size: int,
    pixel_size: float,
    *,
    ctf: bool = True,
    aberrations: Aberrations | None = None,
    whitening: Tensor | None = None,
    device: str = "cpu",
) -> SpectrumGrids:
    """Tabulate the factors of a tilt series.

    Parameters
    ----------
    tilt_series
    box_size : s, pixels
    pixel_size : Å, of the box
    ctf : multiply by the CTF and the dose weight; if not, the transfer is 1 everywhere
    aberrations : of the optics group
    whitening : (tilt, s, s // 2 + 1)
    device : of the result

    Raises
    ------
    DataError
        If the CTF is wanted and the series has none.

    Notes
    -----
    χ/2π with χ of :func:`subtomo.signal.ctf.ctf_at`, less the even aberrations' phase; the
    envelope is scale · exp(-B k²/4), and the dose weight that of Grant and Grigorieff (2015) or,
    with a B factor β by dose, exp(-β · dose · k²/4). Source: RELION 5, commit 73f0a3c0.
    """
    aberrations = aberrations or Aberrations()
    recorded = frequency_vectors((box_size, box_size), pixel_size, dtype=torch.float64)
    frequencies = recorded
    if aberrations.magnification is not None:
        frequencies = recorded @ torch.tensor(aberrations.magnification, dtype=torch.float64).T
    dose = _dose(tilt_series, frequencies)
    turns, per_depth = torch.full_like(dose, 0.25), torch.zeros_like(dose[0])  # a sine of 1
    amplitude = torch.ones_like(dose)
    if ctf:
        turns, per_depth = _turns(tilt_series, frequencies, aberrations.even)
        amplitude = _envelope(tilt_series, frequencies) * dose
    aberration = None
    if any(aberrations.odd):
        phase = odd_phase(aberrations.odd, frequencies)
        aberration = torch.polar(torch.ones_like(phase), -phase).to(torch.complex64).to(device)
    return SpectrumGrids(
        turns=(turns - turns.round()).float().to(device),
        turns_per_depth=per_depth.float().to(device),
        amplitude=amplitude.float().to(device),
        dose=dose.float().to(device),
        whitening=whitening,
        aberration=aberration,
    )


def _turns(
    tilt_series: TiltSeries, frequencies: Tensor, even: Sequence[float]
) -> tuple[Tensor, Tensor]:
    """Give χ/2π (tilt, s, s // 2 + 1) at the centre and what a depth of 1 Å adds."""
    ctf, acquisition = tilt_series.ctf, tilt_series.acquisition
    if ctf is None:
        raise DataError(
            f"tilt series {tilt_series.name} has no CTF (rlnDefocusU); add it, or give --no-ctf"
        )
    wavelength = electron_wavelength(acquisition.voltage)
    u, v, angle, shift = (
        torch.from_numpy(np.array(column, dtype=np.float64))[:, None, None]
        for column in (ctf.defocus_u, ctf.defocus_v, ctf.defocus_angle, ctf.phase_shift)
    )
    kx, ky = frequencies.unbind(-1)
    squared = kx**2 + ky**2
    cos, sin = torch.cos(torch.deg2rad(angle)), torch.sin(torch.deg2rad(angle))
    along = u * (cos * kx + sin * ky) ** 2 + v * (cos * ky - sin * kx) ** 2
    spherical = 1e7 * acquisition.spherical_aberration * wavelength**3
    chi = math.pi * wavelength * along - 0.5 * math.pi * spherical * squared**2
    chi = chi + torch.deg2rad(shift) + math.asin(acquisition.amplitude_contrast)
    if any(even):
        chi = chi - even_phase(even, frequencies)
    step = tilt_series.handedness * tilt_series.defocus_slope
    return chi / (2 * math.pi), 0.5 * wavelength * step * squared


def _envelope(tilt_series: TiltSeries, frequencies: Tensor) -> Tensor:
    assert tilt_series.ctf is not None  # checked with the phases
    scale, bfactor = (
        torch.from_numpy(np.array(column, dtype=np.float64))[:, None, None]
        for column in (tilt_series.ctf.scale, tilt_series.ctf.bfactor)
    )
    return scale * torch.exp(-bfactor / 4 * frequencies.square().sum(-1))


def _dose(tilt_series: TiltSeries, frequencies: Tensor) -> Tensor:
    """Give the dose weights (tilt, s, s // 2 + 1)."""
    dose = torch.from_numpy(np.array(tilt_series.dose, dtype=np.float64))[:, None, None]
    squared = frequencies.square().sum(-1)
    if tilt_series.dose_bfactor > 0:
        return torch.exp(-tilt_series.dose_bfactor * dose * squared / 4)
    return dose_weight(squared.sqrt(), dose)
