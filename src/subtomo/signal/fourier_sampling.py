"""Values of a Fourier volume between its voxels, at any points."""

from typing import Any, Literal

import numba
import numpy as np
import torch
from torch import Tensor

Kernel = Literal["numba", "torch"]


def sample_transform(transform: Tensor, points: Tensor, *, kernel: Kernel | None = None) -> Tensor:
    """Read a centred half volume at points, trilinearly.

    Parameters
    ----------
    transform : (p, p, p // 2 + 1) real or complex, zero frequency at ``[p // 2, p // 2, 0]``
        The other half is its point reflection, conjugated.
    points : (..., 3) columns x, y, z, in voxels from zero frequency
    kernel : "numba" on a CPU, "torch" anywhere; None: the faster one for the device

    Returns
    -------
    (...) of the transform's type; zero where a coordinate reaches p // 2 voxels
    """
    if kernel is None:
        kernel = "numba" if transform.device.type == "cpu" else "torch"
    flat = points.reshape(-1, 3)
    if kernel == "torch":
        return _sample_torch(transform, flat.to(transform.real.dtype)).reshape(points.shape[:-1])
    out = torch.empty(len(flat), dtype=transform.dtype)
    _sample_numba(
        transform.contiguous().numpy(), flat.to(torch.float32).contiguous().numpy(), out.numpy()
    )
    return out.reshape(points.shape[:-1])


def _sample_torch(transform: Tensor, points: Tensor) -> Tensor:
    """Sample with tensor operations; points (m, 3)."""
    p = transform.shape[0]
    limit = p // 2
    opposite = points[:, 0] < 0
    inside = (points.abs() < limit).all(dim=1)
    points = torch.where(opposite[:, None], -points, points)
    points = torch.where(inside[:, None], points, 0.0)
    low = points.floor()
    fraction = points - low
    x, y, z = low.long().unbind(dim=1)
    value = torch.zeros(len(points), dtype=transform.dtype, device=transform.device)
    for dz in (0, 1):
        for dy in (0, 1):
            for dx in (0, 1):
                share = torch.ones_like(fraction[:, 0])
                for axis, step in enumerate((dx, dy, dz)):
                    share = share * (fraction[:, axis] if step else 1 - fraction[:, axis])
                row, column = (z + dz + limit) % p, (y + dy + limit) % p
                value = value + share * transform[row, column, x + dx]
    value = torch.where(opposite, value.conj(), value)
    return torch.where(inside, value, torch.zeros_like(value))


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _sample_numba(transform: Any, points: Any, out: Any) -> None:
    """Sample point by point."""
    for i in range(points.shape[0]):
        out[i] = sample_point(transform, points[i, 0], points[i, 1], points[i, 2])


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def sample_point(transform: Any, x: Any, y: Any, z: Any) -> Any:
    """Sample one point; for use in compiled loops."""
    p = transform.shape[0]
    limit = p // 2
    if abs(x) >= limit or abs(y) >= limit or abs(z) >= limit:
        return transform[0, 0, 0] * np.float32(0)
    opposite = x < 0
    if opposite:
        x, y, z = -x, -y, -z
    ix, iy, iz = int(x), int(np.floor(y)), int(np.floor(z))
    fx, fy, fz = np.float32(x - ix), np.float32(y - iy), np.float32(z - iz)
    gx, gy, gz = np.float32(1) - fx, np.float32(1) - fy, np.float32(1) - fz
    y0, z0 = iy + limit, iz + limit
    y1, z1 = (y0 + 1) % p, (z0 + 1) % p
    near = (transform[z0, y0, ix] * gx + transform[z0, y0, ix + 1] * fx) * gy + (
        transform[z0, y1, ix] * gx + transform[z0, y1, ix + 1] * fx
    ) * fy
    far = (transform[z1, y0, ix] * gx + transform[z1, y0, ix + 1] * fx) * gy + (
        transform[z1, y1, ix] * gx + transform[z1, y1, ix + 1] * fx
    ) * fy
    value = near * gz + far * fz
    return np.conj(value) if opposite else value
