"""Rotate and shift volumes in real space."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from subtomo.errors import ShapeError
from subtomo.signal.fourier import fourier_pad


def rotate_volumes(
    volumes: Tensor,
    matrices: Tensor,
    shifts_px: Tensor | None = None,
    *,
    oversampling: int = 1,
) -> Tensor:
    """Rotate volumes about voxel ``n // 2``, then shift them.

    The value at p (from the centre) is that of the input at ``Rᵀ (p - shift)``; zero outside.

    Parameters
    ----------
    volumes : (z, y, x), rotated by every matrix, or (b, z, y, x), each by its own
    matrices : (b, 3, 3) acting on xyz columns
    shifts_px : (b, 3) columns x, y, z; None for no shift
    oversampling : the trilinear interpolation runs on a grid this much finer (Fourier padding);
        1 is fast and smooths, 2 loses little, 3 almost nothing

    Returns
    -------
    (b, z, y, x)

    Raises
    ------
    ShapeError
        If the numbers of volumes and matrices differ.
    """
    if volumes.ndim == 4 and len(volumes) != len(matrices):
        raise ShapeError(
            f"{len(volumes)} volumes and {len(matrices)} rotation matrices; expected one each"
        )
    shape = volumes.shape[-3:]
    source = _sampling_points(shape, matrices.to(volumes.dtype), shifts_px) * oversampling
    if oversampling > 1:
        volumes = fourier_pad(volumes, [n * oversampling for n in shape])
    if volumes.ndim == 3:
        b = len(matrices)
        grid = _to_grid(source, volumes.shape).reshape(1, b * shape[0], shape[1], shape[2], 3)
        return grid_sample(volumes[None, None], grid, align_corners=True).reshape(b, *shape)
    grid = _to_grid(source, volumes.shape[1:])
    return grid_sample(volumes[:, None], grid, align_corners=True)[:, 0]


def _sampling_points(shape: torch.Size, matrices: Tensor, shifts_px: Tensor | None) -> Tensor:
    """Fractional source voxels (x, y, z) of every output voxel: (b, z, y, x, 3)."""
    axes = [torch.arange(n).to(matrices) - n // 2 for n in shape]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], dim=-1).reshape(-1, 3)
    centre = torch.tensor([n // 2 for n in reversed(shape)]).to(matrices)
    offset = centre.expand(len(matrices), 3)
    if shifts_px is not None:
        shift = shifts_px.to(matrices)
        offset = offset - (shift[:, None, :] @ matrices)[:, 0]
    # rows times R are Rᵀ times columns
    return (points @ matrices + offset[:, None]).reshape(len(matrices), *shape, 3)


def _to_grid(source: Tensor, shape: torch.Size) -> Tensor:
    """Turn fractional voxels into the -1 to 1 of grid_sample."""
    last = torch.tensor([max(n - 1, 1) for n in reversed(shape)]).to(source)
    return source * (2 / last) - 1
