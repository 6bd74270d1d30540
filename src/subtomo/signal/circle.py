"""A soft circle around the centre of images, with the background outside it subtracted."""

import math
from functools import lru_cache

import torch
from torch import Tensor

FALLOFF_PX = 5.0
"""Width of the circle's soft edge, inside its radius, as in RELION 5."""


def subtract_background(images: Tensor, radius: float) -> None:
    """Subtract from each image its mean outside a circle, and fade it out towards the circle.

    Parameters
    ----------
    images : (k, n, n), changed in place
    radius : pixels from the centre n // 2; the mean is over the pixels farther away, if any

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0 (circle crop).
    """
    outside, circle = circle_weights(images.shape[-1], radius, images.device)
    means = images.flatten(1) @ outside.flatten()
    images.sub_(means[:, None, None]).mul_(circle)


@lru_cache(maxsize=16)
def circle_weights(n: int, radius: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give the weights of the mean outside a circle, and the circle with its raised-cosine edge.

    Parameters
    ----------
    n : size of the images
    radius : pixels
    device : of the tensors

    Returns
    -------
    outside, circle : (n, n) float32
    """
    r = radii(n, device)
    outside = (r > radius).double()
    edge = 0.5 - 0.5 * torch.cos(math.pi * (radius - r) / FALLOFF_PX)
    circle = torch.where(r < radius - FALLOFF_PX, 1.0, torch.where(r < radius, edge, 0.0))
    return (outside / outside.sum().clamp_min(1)).float(), circle.float()


@lru_cache(maxsize=16)
def gridding_weights(n: int, radius: float, device: torch.device) -> Tensor:
    """Weights that undo, in real space, what trilinear insertion will do to an image.

    Parameters
    ----------
    n : size of the images
    radius : R, pixels

    Returns
    -------
    (n, n) float32: r / sin(πr/R) beyond one pixel, 0 from R - 1 on

    Notes
    -----
    Source: RELION 5, commit 73f0a3c0 (gridding precorrection).
    """
    r = radii(n, device)
    weights = r / torch.sin(math.pi * r / radius)
    weights = torch.where(r < radius - 1, weights, torch.zeros_like(r))
    return torch.where(r < 1, torch.ones_like(r), weights).float()


def radii(n: int, device: torch.device) -> Tensor:
    """Distances of an image's pixels from its centre n // 2: (n, n) float64."""
    axis = torch.arange(n, dtype=torch.float64, device=device) - n // 2
    return torch.hypot(axis[:, None], axis[None, :])
