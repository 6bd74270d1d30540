"""The tutorial's convnet: three convolutions on slabs of nine slices.

Architecture, targets and losses are those of EMAN2's ``e2spt_boxer_convnet`` as published with it.
"""

from typing import Literal

import torch
from torch import Tensor, nn

BOX = 96
"""Edge of the training boxes, voxels."""
SHRINK = 4
"""Input voxels from one output voxel to the next."""
FIRST = 1.5
"""Input voxel, counted from 0, in the middle of output voxel 0."""
SLICES = 9
"""Slices of a slab: they are added in threes, which makes three channels."""

_WIDTH, _KERNEL, _INITIAL_SD = 48, 9, 0.01
LIMIT = 4.0
"""Standard deviations at which voxels are clipped."""


class CompatibleNetwork(nn.Module):
    """Three convolutions of 9 × 9, two of them followed by the maximum of 2 × 2."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, _WIDTH, _KERNEL, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(_WIDTH, _WIDTH, _KERNEL, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(_WIDTH, 1, _KERNEL, padding="same"),
            nn.ReLU(),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.trunc_normal_(layer.weight, std=_INITIAL_SD)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Score (n, y / 4, x / 4) images (n, 3, y, x)."""
        scores: Tensor = self.layers(x)[:, 0]
        return scores


def channels_of_slab(slab: Tensor) -> Tensor:
    """Add nine slices in threes, a third each, clipped.

    Parameters
    ----------
    slab : (..., 9, y, x) standard deviation 1

    Returns
    -------
    (..., 3, y, x)
    """
    shape = slab.shape
    threes = slab.reshape(*shape[:-3], 3, 3, *shape[-2:]).sum(dim=-3) / 3
    clipped: Tensor = threes.clamp(-LIMIT, LIMIT)
    return clipped


def box_loss(
    scores: Tensor,
    is_positive: Tensor,
    *,
    target_size: float,
    positive_weight: float,
    kind: Literal["sum", "max"],
) -> Tensor:
    """Compare the scores of boxes with a Gaussian in the middle of the positive ones.

    Parameters
    ----------
    scores : (n, m, m)
    is_positive : (n,)
    target_size : T, output voxels: Gaussians are exp(-r² / T²), wide ones exp(-r² / 4 T²)
    positive_weight : of positive boxes against negative ones
    kind
        "sum": positive Σ (y - wide)², negative Σ y². "max": positive 1 - max(min(y, 1) · wide),
        negative Σ (y · narrow)².

    Returns
    -------
    Mean over the boxes
    """
    axis = torch.arange(scores.shape[-1], device=scores.device) - (BOX / 2 - FIRST) / SHRINK
    squared = (axis[:, None] ** 2 + axis**2) / target_size**2
    narrow, wide = torch.exp(-squared), torch.exp(-squared / 4)
    if kind == "sum":
        positive = ((scores - wide) ** 2).sum(dim=(1, 2))
        negative = (scores**2).sum(dim=(1, 2))
    else:
        positive = 1 - (scores.clamp_max(1) * wide).amax(dim=(1, 2))
        negative = ((scores * narrow) ** 2).sum(dim=(1, 2))
    share = positive_weight / (1 + positive_weight)
    return torch.where(is_positive, share * positive, (1 - share) * negative).mean()


def centre_scores(scores: Tensor) -> Tensor:
    """Give (n,) the highest score within two output voxels of the boxes' middles (n, m, m)."""
    middle = scores.shape[-1] // 2
    near = scores[:, middle - 2 : middle + 2, middle - 2 : middle + 2]
    return near.amax(dim=(1, 2))
