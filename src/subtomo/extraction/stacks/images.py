"""Images of particles from their views on a tilt series."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from subtomo.geometry.particle_views import ParticleViews
from subtomo.model import ImageTiles
from subtomo.signal.circle import gridding_weights, subtract_background
from subtomo.signal.spectrum_grids import SpectrumGrids
from subtomo.signal.view_spectra import view_batches, view_spectra


@dataclass(frozen=True)
class ImageSteps:
    """What is done to the images.

    Parameters
    ----------
    window_size : S, pixels in the tilt image
    factor : of the images' values, with the contrast's sign
    border : pixels cut away on each side of the box
    circle_crop, circle_precrop, grid_precorrection : as in the settings
    device : where it is computed
    """

    window_size: int
    factor: float
    border: int
    circle_crop: bool
    circle_precrop: bool
    grid_precorrection: bool
    device: str = "cpu"


def particle_images(
    tiles: ImageTiles, views: ParticleViews, grids: SpectrumGrids, steps: ImageSteps
) -> Iterator[tuple[int, Tensor]]:
    """Compute the images of particles, one particle after the other.

    Parameters
    ----------
    tiles : the tilt images
    views : of the particles
    grids : of the tilt series, for boxes of s pixels
    steps : what is done

    Yields
    ------
    particle : its index
    images : (visible tilt, c, c) float32 on the CPU

    Notes
    -----
    Window, circle, transform, Fourier crop, shift to the centre, times CTF and dose weight, back,
    circle, cut. Source: RELION 5, commit 73f0a3c0 (relion_tomo_subtomo).
    """
    for batch, spectra, _ in batch_spectra(tiles, views, grids, steps):
        images = finished_images(spectra, grids.box_size, steps).cpu()
        particles, first = np.unique(batch.particle, return_index=True)
        parts = torch.tensor_split(images, first[1:].tolist())
        yield from zip(particles.tolist(), parts, strict=True)


def batch_spectra(
    tiles: ImageTiles, views: ParticleViews, grids: SpectrumGrids, steps: ImageSteps
) -> Iterator[tuple[ParticleViews, Tensor, Tensor]]:
    """Compute the spectra of views batch by batch, whole particles in each.

    Yields
    ------
    views : (k,) of the batch
    spectra : (k, s, s // 2 + 1), so that ``irfft2`` gives images of the scale asked for
    transfer : (k, s, s // 2 + 1), what they were multiplied with beside ``steps.factor``
    """
    tiles.expect(views.first, steps.window_size)
    for batch in view_batches(views, steps.window_size):
        spectra, transfer = view_spectra(
            tiles,
            batch,
            grids,
            window_size=steps.window_size,
            subtract=steps.circle_precrop,
            factor=steps.factor * grids.box_size / steps.window_size,
            device=steps.device,
        )
        yield batch, spectra, transfer


def finished_images(spectra: Tensor, box_size: int, steps: ImageSteps) -> Tensor:
    """Transform back, subtract the background and cut.

    Parameters
    ----------
    spectra : (k, s, s // 2 + 1); changed
    box_size : s
    steps : what is done

    Returns
    -------
    (k, c, c) float32
    """
    inner = slice(steps.border, box_size - steps.border)
    return whole_images(spectra, box_size, steps)[:, inner, inner]


def whole_images(spectra: Tensor, box_size: int, steps: ImageSteps) -> Tensor:
    """Do as :func:`finished_images`, but leave the images whole: (k, s, s) float32."""
    if steps.circle_crop:
        spectra[:, 0, 0] = 0  # a constant goes anyway, and would take digits from the rest
    images: Tensor = torch.fft.irfft2(spectra, s=(box_size, box_size))
    radius = box_size // 2 - steps.border
    if steps.circle_crop:
        subtract_background(images, radius)
    if steps.grid_precorrection:
        images *= gridding_weights(box_size, radius, images.device)
    return images
