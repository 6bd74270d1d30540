"""Soft masks."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.signal.fourier import Device


def soft_sphere(
    shape: Sequence[int],
    radius_px: float,
    edge_px: float = 0.0,
    *,
    centre: Sequence[float] | None = None,
    device: Device = None,
) -> Tensor:
    """Make a disc or ball: 1 up to the radius, falling to 0 over a cosine edge outside it.

    Parameters
    ----------
    shape : (y, x) or (z, y, x)
    radius_px, edge_px : pixels
    centre : (x, y[, z]) voxel; default ``n // 2``

    Returns
    -------
    (*shape) float32, 0 to 1
    """
    points = centre if centre is not None else [n // 2 for n in reversed(shape)]
    squared = torch.zeros(tuple(shape), device=device)
    for axis, n in enumerate(shape):
        offset = torch.arange(n, device=device, dtype=torch.float32) - points[len(shape) - 1 - axis]
        squared = (
            squared
            + (offset**2)[tuple(slice(None) if i == axis else None for i in range(len(shape)))]
        )
    return cosine_edge(squared.sqrt() - radius_px, edge_px)


def soft_edge(binary: Tensor, edge_px: float) -> Tensor:
    """Add a cosine edge outside a binary mask.

    Parameters
    ----------
    binary : (y, x) or (z, y, x); inside where > 0.5
    edge_px : pixels from the mask's border to 0

    Returns
    -------
    Same shape and device, float32, 0 to 1

    Raises
    ------
    ShapeError
        If the mask has not two or three axes.
    """
    if binary.ndim not in (2, 3):
        raise ShapeError(f"mask has {binary.ndim} axes; expected (y, x) or (z, y, x)")
    inside = (binary > 0.5).cpu().numpy()
    if not inside.any():
        return torch.zeros(binary.shape, device=binary.device)
    distance = ndimage.distance_transform_edt(~inside).astype(np.float32)
    return cosine_edge(torch.from_numpy(distance).to(binary.device), edge_px)


def cosine_edge(distance_px: Tensor, edge_px: float) -> Tensor:
    """Fall from 1 at distance 0 to 0 at ``edge_px``."""
    if edge_px <= 0:
        return (distance_px <= 0).to(torch.float32)
    return 0.5 + 0.5 * torch.cos(math.pi * (distance_px / edge_px).clamp(0, 1))
