"""Mean of a volume over all turns about the z axis through its centre."""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from subtomo.signal.fourier import fourier_pad

_STEP = 0.25  # voxels between radii, whose values are then interpolated linearly


def cylindrical_mean(volume: Tensor, *, oversampling: int = 4) -> Tensor:
    """Average a volume over all turns about z through voxel ``n // 2``.

    Parameters
    ----------
    volume : (z, y, x)
    oversampling : planes are read between voxels on a grid this much finer (Fourier padding)
        1 smooths by a few per cent and cannot ring.

    Returns
    -------
    (z, y, x) of the same type
        At a radius that reaches beyond the volume, the mean of what lies in it.
    """
    height, width = volume.shape[-2:]
    y = torch.arange(height, dtype=volume.dtype, device=volume.device) - height // 2
    x = torch.arange(width, dtype=volume.dtype, device=volume.device) - width // 2
    radius = torch.hypot(y[:, None], x)
    profile = _profile(volume, float(radius.max()), oversampling)
    place = radius / _STEP
    low = place.floor().long()
    share = place - low
    return profile[:, low] * (1 - share) + profile[:, low + 1] * share


def _profile(volume: Tensor, largest: float, finer: int) -> Tensor:
    """Mean around each circle of a plane: (z, radii)."""
    height, width = volume.shape[-2:]
    radii = torch.arange(math.ceil(largest / _STEP) + 2).to(volume) * _STEP
    angles = torch.arange(math.ceil(2 * math.pi * largest)).to(volume)
    angles = angles * (2 * math.pi / len(angles))
    x = radii[:, None] * angles.cos() + width // 2
    y = radii[:, None] * angles.sin() + height // 2
    is_inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    planes = fourier_pad(volume, [height * finer, width * finer]) if finer > 1 else volume
    last = torch.tensor([width * finer - 1, height * finer - 1]).to(volume)
    grid = torch.stack([x, y], dim=-1) * finer * (2 / last) - 1
    values = grid_sample(planes[None], grid[None], align_corners=True)[0]
    total = (values * is_inside).sum(-1)
    count = is_inside.sum(-1)
    # the outermost voxels lie between a circle that is known and one that is not
    known = torch.arange(len(radii)).clamp(max=int(count.nonzero().max()))
    mean: Tensor = (total / count.clamp_min(1))[:, known]
    return mean
