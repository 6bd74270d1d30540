"""Back-projection of spectra into Fourier sums: every voxel gathers from the slices near it."""

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.signal.fourier_sums import FourierSums

Array = NDArray[Any]

_LANES = 3  # real part, imaginary part, weight
_STEEPEST = 1e7  # a slice's slope along an axis counts as this at least, inverted
_FAR = 1e6  # beyond every voxel
_TORCH_BYTES = 512e6  # of the torch kernel's tables at a time

# unsigned, so that numba doesn't look for indices that count from the end
_U1, _U2, _U3, _U4, _U5 = (np.uint64(i) for i in range(1, 6))


def insert_slices_gather(
    sums: FourierSums, spectra: Tensor, weights: Tensor, matrices: Tensor, radii: Tensor
) -> None:
    """Add spectra of projections, and their weights, to Fourier sums.

    Parameters
    ----------
    sums : added to, on the device of the spectra
    spectra : (k, s, s // 2 + 1) complex64
        As ``rfft2`` gives them of images whose centre is at pixel s // 2.
    weights : (k, s, s // 2 + 1) float32 or float64
    matrices : (k, 3, 3) float64
        From a voxel (x, y, z) of the sums to (u, v, w) of the slice: columns, rows, and the
        distance from it.
    radii : (k,) int64
        Voxels farther from zero frequency are left out; at most s // 2 + 1.

    Raises
    ------
    ShapeError
        If the arrays do not fit together.

    Notes
    -----
    A voxel with -1 < w < 1 gets ``1 - |w|`` times the value at (u, v), bilinear between pixels.
    Each voxel adds up the slices in their order, however many come in one call.
    Source: RELION 5, commit 73f0a3c0.
    """
    s = sums.box_size
    shape = (len(spectra), s, s // 2 + 1)
    if spectra.shape != shape or weights.shape != shape or matrices.shape != (len(spectra), 3, 3):
        raise ShapeError(
            f"spectra {tuple(spectra.shape)}, weights {tuple(weights.shape)} and matrices "
            f"{tuple(matrices.shape)} for sums of {s} voxels; expected {shape} and (k, 3, 3)"
        )
    if len(radii) and int(radii.max()) > s // 2 + 1:
        raise ShapeError(
            f"slices reach {int(radii.max())} voxels into sums of {s}; "
            f"expected {s // 2 + 1} at most"
        )
    if sums.values.device.type != "cpu":
        insert_slices_torch(sums, spectra, weights, matrices, radii)
        return
    padded = np.empty((len(spectra), s + 3, s // 2 + 3, _LANES), dtype=_real_type(weights))
    _pad(torch.view_as_real(spectra.contiguous()).numpy(), weights.numpy(), padded)
    roots = np.sqrt(np.arange((s // 2 + 1) ** 2 + 1)).astype(np.int64)
    _gather(padded, matrices.numpy(), radii.numpy(), roots, sums.values.numpy())


def insert_slices_torch(
    sums: FourierSums, spectra: Tensor, weights: Tensor, matrices: Tensor, radii: Tensor
) -> None:
    """Do as :func:`insert_slices_gather` in torch, on any device."""
    s, device = sums.box_size, sums.values.device
    padded = _padded(spectra, weights)
    points = _points(s, device)
    squared, columns = points.square().sum(-1), points.T.contiguous()
    matrices, limits = matrices.to(device), radii.to(device)[:, None] ** 2
    flat = sums.values.view(-1, _LANES)
    step = max(1, int(_TORCH_BYTES / (20 * len(points))))
    for start in range(0, len(spectra), step):
        part = slice(start, start + step)
        near = ((matrices[part, 2] @ columns).abs() < 1) & (squared <= limits[part])
        number, voxel = near.nonzero(as_tuple=True)
        values = _read(padded[part], matrices[part], number, points[voxel])
        counts = near.sum(1).tolist()
        # slice by slice: in one of them no voxel comes twice, so that the order of sums is fixed
        parts = (torch.split(each, counts) for each in (voxel, values))
        for index, gathered in zip(*parts, strict=True):
            flat[index] += gathered


def _real_type(weights: Tensor) -> Any:
    return np.float64 if weights.dtype == torch.float64 else np.float32


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _pad(spectra: Array, weights: Array, padded: Array) -> None:
    """Lay spectra out with rows from -s/2 - 1 to s/2 + 1, so that no index runs over an edge.

    Phases become relative to the centre. Beyond the last column comes the one before it, as in
    RELION.
    """
    n_rows, n_columns = weights.shape[1], weights.shape[2]
    for k in range(len(spectra)):
        for row in range(padded.shape[1]):
            y = (row - n_rows // 2 - 1) % n_rows
            target = padded[k, row]
            for x in range(n_columns):
                sign = -1 if (x + y) % 2 else 1
                target[x, 0] = sign * spectra[k, y, x, 0]
                target[x, 1] = sign * spectra[k, y, x, 1]
                target[x, 2] = weights[k, y, x]
            for lane in range(_LANES):
                target[n_columns, lane] = target[n_columns - 2, lane]
                target[n_columns + 1, lane] = 0


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})  # type: ignore[untyped-decorator]
def _gather(padded: Array, matrices: Array, radii: Array, roots: Array, sums: Array) -> None:
    """Add all slices plane by plane, so that a plane stays in the cache."""
    n = sums.shape[0]
    half, columns = n // 2, padded.shape[2]
    limit = half + 1.0
    values, out = padded.reshape(-1), sums.reshape(-1)
    for z in range(-half, half):
        for k in range(len(padded)):
            radius = radii[k]
            if abs(z) > radius:
                continue
            ux, uy, uz = matrices[k, 0, 0], matrices[k, 0, 1], matrices[k, 0, 2]
            vx, vy, vz = matrices[k, 1, 0], matrices[k, 1, 1], matrices[k, 1, 2]
            wx, wy, wz = matrices[k, 2, 0], matrices[k, 2, 1], matrices[k, 2, 2]
            slope_x, slope_y = _inverse(wx), _inverse(wy)
            rest = radius * radius - z * z
            # some x from 0 to the radius has |w| < 1
            reach = 0.5 * wx * radius
            y0, y1 = _within(-(wz * z + reach) * slope_y, (1.0 + abs(reach)) * slope_y)
            y0, y1 = max(y0, -min(roots[rest], half)), min(y1, roots[rest], half - 1)
            for y in range(y0, y1 + 1):
                w = wy * y + wz * z
                x0, x1 = _within(-w * slope_x, slope_x)
                x0, x1 = max(x0, 0), min(x1, roots[np.uint64(rest - y * y)], half)
                if x0 > x1:
                    continue
                u, v = uy * y + uz * z, vy * y + vz * z
                while x0 <= x1 and (abs(u + ux * x0) >= limit or abs(v + vx * x0) >= limit):
                    x0 += 1
                while x0 <= x1 and (abs(u + ux * x1) >= limit or abs(v + vx * x1) >= limit):
                    x1 -= 1
                row = (z if z >= 0 else z + n) * n + (y if y >= 0 else y + n)
                at = np.uint64(_LANES * (row * (half + 1) + x0))
                first = k * padded.shape[1]
                for x in range(x0, x1 + 1):
                    ur, vr = u + ux * x, v + vx * x
                    share = np.float32(max(1.0 - abs(w + wx * x), 0.0))
                    sign = 1.0 if ur >= 0 else -1.0
                    ur, vr = sign * ur, sign * vr + limit
                    i, j = np.int32(ur), np.int32(vr)
                    s, t = np.float32(ur - i), np.float32(vr - j)
                    below = t * share
                    above = share - below
                    c01, c11 = s * above, s * below
                    c00, c10 = above - c01, below - c11
                    p = np.uint64(_LANES * ((first + j) * columns + i))
                    q = p + np.uint64(_LANES * columns)
                    real = c00 * values[p] + c01 * values[p + _U3]
                    real += c10 * values[q] + c11 * values[q + _U3]
                    imaginary = c00 * values[p + _U1] + c01 * values[p + _U4]
                    imaginary += c10 * values[q + _U1] + c11 * values[q + _U4]
                    weight = c00 * values[p + _U2] + c01 * values[p + _U5]
                    weight += c10 * values[q + _U2] + c11 * values[q + _U5]
                    out[at] += real
                    out[at + _U1] += np.float32(sign) * imaginary
                    out[at + _U2] += weight
                    at += _U3


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")  # type: ignore[untyped-decorator]
def _inverse(slope: float) -> float:
    """Give 1/slope, or a large number."""
    return 1.0 / slope if abs(slope) > 1.0 / _STEEPEST else _STEEPEST


@numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")  # type: ignore[untyped-decorator]
def _within(middle: float, width: float) -> tuple[int, int]:
    """Give the first and the last whole number nearer to the middle than the width."""
    low, high = middle - abs(width), middle + abs(width)
    return int(np.ceil(max(low, -_FAR))), int(np.floor(min(high, _FAR)))


def _padded(spectra: Tensor, weights: Tensor) -> Tensor:
    """Do as :func:`_pad`: (k, s + 3, s // 2 + 2, 3)."""
    s, device = weights.shape[1], weights.device
    index = torch.arange(s, device=device)
    spectra = spectra * torch.where((index[:, None] + index[: s // 2 + 1]) % 2 == 1, -1.0, 1.0)
    values = torch.stack([spectra.real, spectra.imag, weights], dim=-1)
    rows = (torch.arange(s + 3, device=device) - s // 2 - 1) % s
    values = values[:, rows]
    return torch.cat([values, values[:, :, -2:-1]], dim=2)


def _points(s: int, device: torch.device) -> Tensor:
    """Give the voxels of a half volume in the order of memory: (voxel, 3) columns x, y, z."""
    y = torch.arange(s, dtype=torch.float64, device=device)
    y = torch.where(y < s // 2, y, y - s)
    x = torch.arange(s // 2 + 1, dtype=torch.float64, device=device)
    return torch.stack(torch.meshgrid(y, y, x, indexing="ij")[::-1], dim=-1).reshape(-1, 3)


def _read(padded: Tensor, matrices: Tensor, number: Tensor, points: Tensor) -> Tensor:
    """Read slices, given by their number, where points (m, 3) meet them: (m, 3) float64."""
    limit = padded.shape[1] // 2
    u, v, w = (matrices[number] * points[:, None]).sum(-1).unbind(-1)
    inside = (u.abs() < limit) & (v.abs() < limit)
    sign = torch.where(u < 0, -1.0, 1.0)
    u = torch.where(inside, sign * u, 0.0)
    v = torch.where(inside, sign * v, 0.0) + limit
    share = torch.where(inside, 1 - w.abs(), 0.0)
    i, j = u.long(), v.long()
    s, t = u - i, v - j
    values = torch.zeros((len(points), _LANES), dtype=torch.float64, device=points.device)
    for row, part in ((j, 1 - t), (j + 1, t)):
        for column, of_part in ((i, 1 - s), (i + 1, s)):
            values += (share * part * of_part)[:, None] * padded[number, row, column]
    values[:, 1] *= sign
    return values
