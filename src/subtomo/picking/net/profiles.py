"""How bright it is around a place, shell by shell: numbers that no training is needed for."""

import math

import torch
from torch import Tensor

from subtomo.picking.net.embedding_network import STRIDE

_RADII = (0.0, 1.7, 2.9, 4.2, 5.4, 6.7)  # input voxels, up to two thirds of a particle
_WIDTH = 0.9
_BLURS = (0.9, 1.7)  # input voxels; the squares of blurred values tell texture
_TEXTURE_RADII = (0.0, 2.5, 5.0)
_TEXTURE_WIDTH = 1.25
N_PROFILES = len(_RADII) + len(_BLURS) * len(_TEXTURE_RADII)
"""Numbers of a place."""


def shell_profiles(blocks: Tensor) -> Tensor:
    """Average blocks, and squares of blurred blocks, over soft shells about every place.

    Parameters
    ----------
    blocks : (n, z, y, x), of even edges; shells reach around the faces

    Returns
    -------
    (n, `N_PROFILES`, z / 2, y / 2, x / 2), on the places of the embedding network
    """
    shape = tuple(blocks.shape[-3:])
    squared = _squared_frequency(shape, blocks.device)
    dims = (-3, -2, -1)
    spectrum = torch.fft.rfftn(blocks, dim=dims)
    spectra = [spectrum * _shell(squared, radius, _WIDTH) for radius in _RADII]
    for blur in _BLURS:
        smooth = torch.fft.irfftn(spectrum * _shell(squared, 0.0, blur), s=shape, dim=dims)
        texture = torch.fft.rfftn(smooth**2, dim=dims)
        spectra += [texture * _shell(squared, r, _TEXTURE_WIDTH) for r in _TEXTURE_RADII]
    profiles = torch.stack([torch.fft.irfftn(s, s=shape, dim=dims) for s in spectra], dim=1)
    # a place of the network lies in the middle of two voxels along each axis
    pooled: Tensor = torch.nn.functional.avg_pool3d(profiles, STRIDE)
    return pooled


def _shell(squared: Tensor, radius: float, width: float) -> Tensor:
    """Transform of a sphere's surface blurred by a Gaussian, its integral 1."""
    return torch.sinc(2 * squared.sqrt() * radius) * torch.exp(
        -2 * (math.pi * width) ** 2 * squared
    )


def _squared_frequency(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Squares of frequencies, cycles a voxel, in the layout of ``rfftn``."""
    z, y = (torch.fft.fftfreq(n, device=device) for n in shape[:2])
    x = torch.fft.rfftfreq(shape[2], device=device)
    squared: Tensor = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2
    return squared
