"""Noise levels, and images of electron counts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.signal.masks import soft_sphere
from subtomo.signal.slices import project_volume

FloatArray = NDArray[np.float64]
Images = NDArray[np.float32]

NoiseLevel = Literal["easy", "medium", "hard"]

SIGNAL_TO_NOISE: dict[NoiseLevel, float] = {"easy": 0.3, "medium": 0.1, "hard": 0.03}
"""Variance of the signal over variance of the noise inside the particle's circle in one untilted
particle image, before the CTF, at `LEVEL_PIXEL_SIZE`."""

LEVEL_PIXEL_SIZE = 10.0
"""Å: the pixels that the levels are defined for."""

_N_VIEWS = 200  # the mean variance of so many views is known to 1 or 2 %


def signal_variance(density: NDArray[np.floating], radius_px: float) -> float:
    """Measure the variance of a particle's projection inside its circle, before the CTF.

    Parameters
    ----------
    density : (n, n, n) at `LEVEL_PIXEL_SIZE`
    radius_px : voxels, of the circle about the image's centre

    Returns
    -------
    Mean over orientations spread over all rotations, in squared units of the projection
    (density · voxels)
    """
    views = random_quaternions(_N_VIEWS, np.random.default_rng(0))
    matrices = torch.as_tensor(matrices_from_quaternions(views), dtype=torch.float32)
    volume = torch.tensor(density, dtype=torch.float32)
    circle = soft_sphere(density.shape[:2], radius_px) > 0.5
    projections = project_volume(volume, matrices)[:, circle].to(torch.float64)
    return float(projections.var(dim=1, correction=0).mean())


@dataclass(frozen=True)
class CountModel:
    """How a projection becomes electron counts.

    ``counts = Poisson(mean · (transmission - modulation · signal)) + detector noise``

    Parameters
    ----------
    mean_counts : electrons a pixel in an untilted image of ice
    modulation : per unit of projected density, Å² / Da
    detector_sd : electrons a pixel, standard deviation of Gaussian noise, the same in every tilt
    """

    mean_counts: float
    modulation: float
    detector_sd: float


def count_model(
    signal_to_noise: float,
    variance: float,
    *,
    dose: float,
    transmission: float,
    pixel_size: float,
    detector_share: float,
) -> CountModel:
    """Find the modulation at which the images have a given signal-to-noise ratio.

    Parameters
    ----------
    signal_to_noise : see `SIGNAL_TO_NOISE`
    variance : (Da/Å²)², of the reference particle's projection (`signal_variance`); 0: no signal
    dose : e⁻/Å², of one tilt
    transmission : 0 to 1, of the ice in an untilted image
    pixel_size : Å
    detector_share : 0 to 1, part of the noise's variance that is not shot noise

    Returns
    -------
    CountModel

    Notes
    -----
    With N electrons in a pixel of 10 Å, shot noise has a relative variance of 1/N; all noise,
    1 / (N (1 - share)); the signal, modulation² · variance. Noise is white: images with another
    pixel size, averaged or interpolated to 10 Å, have the same ratio.
    """
    level_counts = dose * LEVEL_PIXEL_SIZE**2 * transmission
    relative = 1 / (level_counts * (1 - detector_share))
    modulation = np.sqrt(signal_to_noise * relative / variance) if variance > 0 else 0.0
    mean = dose * pixel_size**2 * transmission
    detector = np.sqrt(mean * detector_share / (1 - detector_share))
    return CountModel(float(mean), float(modulation), float(detector))


def expected_counts(model: CountModel, signal: Images, attenuation: FloatArray) -> Images:
    """Turn signals into mean counts; protein is dark where the CTF is positive.

    Parameters
    ----------
    model
    signal : (tilt, y, x) Da/Å², attenuated as the beam is
    attenuation : (tilt,) of the beam, against an untilted image

    Returns
    -------
    (tilt, y, x) electrons a pixel, never negative
    """
    background = attenuation.astype(np.float32)[:, None, None]
    counts = model.mean_counts * (background - np.float32(model.modulation) * signal)
    return np.maximum(counts, 0, dtype=np.float32)


def counted(model: CountModel, expected: Images, rng: np.random.Generator) -> Images:
    """Draw noisy images (tilt, y, x) of expected ones: shot noise, then detector noise."""
    noisy = np.empty_like(expected)
    for tilt, image in enumerate(expected):
        shot = rng.poisson(image.astype(np.float64))
        noisy[tilt] = shot + rng.normal(scale=model.detector_sd, size=image.shape)
    return noisy


def signal_to_noise_in_circle(
    signal: NDArray[np.floating], noise: NDArray[np.floating], radius_px: float
) -> float:
    """Measure the ratio that the noise levels are defined by.

    Parameters
    ----------
    signal : (n, y, x), images of particles before the CTF and without noise, at 10 Å pixels, the
        particle at pixel ``n // 2``
    noise : (n, y, x), noisy images minus noise-free ones
    radius_px : of the particle's circle

    Returns
    -------
    Mean variance of the signal over mean variance of the noise inside the circle
    """
    circle = soft_sphere(signal.shape[1:], radius_px).numpy() > 0.5
    signal_part = signal[:, circle].astype(np.float64).var(axis=1).mean()
    return float(signal_part / noise[:, circle].astype(np.float64).var(axis=1).mean())
