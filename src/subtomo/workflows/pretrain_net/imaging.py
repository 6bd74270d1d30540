"""How a made-up piece of a tomogram is seen: its wedge, contrast transfer, dose and noise."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.net.preparation import normalised
from subtomo.signal.ctf import CtfParameters, ctf_at
from subtomo.signal.dose import dose_weight
from subtomo.signal.filters import bandpass
from subtomo.signal.fourier import frequency_vectors
from subtomo.simulation.noise import LEVEL_PIXEL_SIZE

_EXTREME = (48.0, 66.0)  # degrees, of the highest tilt
_STEPS = (2.0, 3.0, 4.0)  # degrees
_TOTAL_DOSE = (80.0, 160.0)  # e⁻/Å²
_DEFOCUS = (15_000.0, 60_000.0)  # Å
_AMPLITUDE_CONTRAST = (0.07, 0.12)
_UNCORRECTED = 0.6  # share of tomograms whose CTF was left as it is; the others' is flipped
_DOSE_WEIGHTED = 0.7  # share of tomograms


@dataclass(frozen=True, eq=False)
class Imaging:
    """What a microscope and a weighted back-projection make of a density.

    Parameters
    ----------
    signal : (n, n, n // 2 + 1) transfer of the density
    noise : (n, n, n // 2 + 1) amplitude of the noise, against that of one image
    """

    signal: Tensor
    noise: Tensor

    def apply(self, density: Tensor, noise_sd: Tensor, generator: torch.Generator) -> Tensor:
        """Image densities with fresh noise.

        Parameters
        ----------
        density : (boxes, n, n, n) Da/Å³
        noise_sd : (boxes,) of an untilted image, in Da/Å³ times voxels, at the box's own voxels
        generator : of the random numbers

        Returns
        -------
        (boxes, n, n, n) mean 0, standard deviation 1
        """
        n = density.shape[-1]
        white = torch.randn(density.shape, generator=generator)
        # a slice through n³ voxels holds n² components of an image of n² pixels
        scale = (noise_sd / n**0.5).reshape(-1, 1, 1, 1)
        spectrum = torch.fft.rfftn(density, dim=(-3, -2, -1)) * self.signal
        spectrum += torch.fft.rfftn(white, dim=(-3, -2, -1)) * self.noise * scale
        seen = torch.fft.irfftn(spectrum, s=(n, n, n), dim=(-3, -2, -1))
        return normalised(seen, dims=(-3, -2, -1))


def random_imaging(
    n: int, pixel_size: float, high_pass: float, rng: np.random.Generator
) -> Imaging:
    """Draw a tilt scheme, a dose and a defocus.

    Parameters
    ----------
    n : edge of the boxes, voxels
    pixel_size : Å of a voxel
    high_pass : Å, removes coarser features
    rng : random numbers
    """
    extreme, step = rng.uniform(*_EXTREME), rng.choice(_STEPS)
    tilts = np.arange(-extreme, extreme + 0.01, step)
    order = np.argsort(np.argsort(np.abs(tilts), kind="stable"))
    dose = order * rng.uniform(*_TOTAL_DOSE) / len(tilts)
    is_flipped, is_weighted = rng.random() > _UNCORRECTED, rng.random() < _DOSE_WEIGHTED
    defocus, amplitude = rng.uniform(*_DEFOCUS), rng.uniform(*_AMPLITUDE_CONTRAST)
    frequencies = frequency_vectors((n, n, n), pixel_size)
    band = bandpass((n, n, n), pixel_size, high_pass=high_pass)
    total = torch.zeros(frequencies.shape[:-1])
    squares, covered = torch.zeros_like(total), torch.zeros_like(total)
    for tilt, before in zip(np.deg2rad(tilts), dose, strict=True):
        distance = _distance_from_slice(frequencies, tilt, n * pixel_size)
        near = distance < 1
        weight = 1 - distance[near]
        radius = frequencies[near].norm(dim=-1)
        damage = dose_weight(radius, float(before))
        in_reconstruction = damage if is_weighted else torch.ones_like(damage)
        contrast = _contrast(radius, defocus, amplitude)
        contrast = contrast.abs() if is_flipped else contrast
        total[near] += weight * damage * in_reconstruction * contrast
        squares[near] += weight * in_reconstruction**2
        covered[near] += weight
    covered = covered.clamp_min(1)
    return Imaging(band * total / covered, band * squares.sqrt() / covered)


def noise_deviation(variance: float, signal_to_noise: float, pixel_size: float) -> float:
    """Give the noise of one untilted image at a signal-to-noise ratio of `LEVEL_PIXEL_SIZE`.

    Parameters
    ----------
    variance : of the reference's projection, (Da/Å²)²
    signal_to_noise : as `subtomo.simulation.noise.SIGNAL_TO_NOISE` defines it
    pixel_size : Å

    Returns
    -------
    Standard deviation in Da/Å³ times voxels of ``pixel_size``
    """
    level = np.sqrt(variance / signal_to_noise) * LEVEL_PIXEL_SIZE / pixel_size
    return float(level / pixel_size)


def _distance_from_slice(frequencies: Tensor, tilt: float, extent: float) -> Tensor:
    """Distance of every component from a tilt's slice, in units of the slice's thickness."""
    normal: NDArray[np.float64] = np.array([-np.sin(tilt), 0.0, np.cos(tilt)])
    return (frequencies @ torch.as_tensor(normal * extent, dtype=torch.float32)).abs()


def _contrast(radius: Tensor, defocus: float, amplitude: float) -> Tensor:
    """CTF without astigmatism at frequencies (n,)."""
    zero = torch.tensor(0.0)
    optics = CtfParameters(
        torch.tensor(defocus),
        torch.tensor(defocus),
        zero,
        zero,
        zero,
        torch.tensor(1.0),
        amplitude_contrast=amplitude,
    )
    return ctf_at(optics, torch.stack([radius, torch.zeros_like(radius)], dim=-1))
