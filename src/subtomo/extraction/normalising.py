"""Boxes brought to one scale, by the box, by what surrounds the particle, or by its faces."""

from typing import Literal

import torch
from torch import Tensor

from subtomo.signal.normalise import normalise

Normalisation = Literal["box", "outside-sphere", "edge-mean", "none"]


def normalise_boxes(boxes: Tensor, how: Normalisation) -> Tensor:
    """Give each box mean 0 and standard deviation 1.

    Parameters
    ----------
    boxes : (m, n, n, n)
    how : box: of all its voxels; outside-sphere: of those farther than n / 2 from voxel n // 2, as
        Xmipp does; edge-mean: the mean of its six faces and the deviation of all voxels, as EMAN's
        normalize.edgemean does

    Returns
    -------
    (m, n, n, n); a box without variation there becomes 0
    """
    if how == "none":
        return boxes
    if how == "box":
        return normalise(boxes)
    if how == "outside-sphere":
        return normalise(boxes, _outside_sphere(boxes.shape[-1]).to(boxes))
    faces = _faces(boxes.shape[-1]).to(boxes)
    mean = (boxes * faces).sum((1, 2, 3), keepdim=True) / faces.sum()
    variance = (boxes - boxes.mean((1, 2, 3), keepdim=True)).square().mean((1, 2, 3), keepdim=True)
    tiny = torch.finfo(boxes.dtype).tiny
    return torch.where(variance > tiny, (boxes - mean) / variance.clamp_min(tiny).sqrt(), 0.0)


def _outside_sphere(n: int) -> Tensor:
    """Mark the voxels outside the largest sphere around voxel n // 2: (n, n, n) bool."""
    squared = (torch.arange(n) - n // 2).square()
    distance = squared[:, None, None] + squared[:, None] + squared
    return distance > (n / 2) ** 2


def _faces(n: int) -> Tensor:
    """Mark the outermost voxels: (n, n, n) bool."""
    inner = torch.zeros(n, n, n, dtype=torch.bool)
    inner[1:-1, 1:-1, 1:-1] = True
    return ~inner
