"""Forward insertion of projections into a Fourier volume: every pixel goes to eight voxels."""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import ShapeError

Array = NDArray[Any]

_LANES = 4  # real part, imaginary part, weight, multiplicity
_TORCH_PIXELS = 2_000_000  # inserted at a time: eight voxels each


@dataclass(frozen=True, eq=False)
class PseudoSums:
    """What insertion gathers for one pseudo-subtomogram.

    Parameters
    ----------
    values : (c, c, c // 2 + 1, 4) float64, c even
        ``rfftn`` layout, phases relative to voxel c // 2: real part, imaginary part, weight and
        multiplicity (how much was inserted).

    Raises
    ------
    ShapeError
        If the values have another shape or type.
    """

    values: Tensor

    def __post_init__(self) -> None:
        c = self.values.shape[0]
        expected = (c, c, c // 2 + 1, _LANES)
        if tuple(self.values.shape) != expected or c % 2 or self.values.dtype != torch.float64:
            raise ShapeError(
                f"sums are {self.values.dtype} of shape {tuple(self.values.shape)}; expected "
                f"float64 of {expected}, c even"
            )

    @staticmethod
    def empty(box_size: int, device: str = "cpu") -> "PseudoSums":
        """Begin the sums of a pseudo-subtomogram of c³ voxels, c even."""
        shape = (box_size, box_size, box_size // 2 + 1, _LANES)
        return PseudoSums(torch.zeros(shape, dtype=torch.float64, device=device))

    @property
    def box_size(self) -> int:
        """Edge c of the pseudo-subtomogram."""
        return int(self.values.shape[0])

    @property
    def data(self) -> Tensor:
        """Sum of the spectra: (c, c, c // 2 + 1) complex128, a copy."""
        return torch.complex(self.values[..., 0], self.values[..., 1])

    @property
    def weight(self) -> Tensor:
        """Sum of the weights: (c, c, c // 2 + 1), a view."""
        return self.values[..., 2]

    @property
    def multiplicity(self) -> Tensor:
        """Sum of the interpolation's own weights: (c, c, c // 2 + 1), a view."""
        return self.values[..., 3]


def insert_slices_forward(
    sums: PseudoSums, spectra: Tensor, weights: Tensor, slopes: Tensor, ends: Tensor
) -> None:
    """Add spectra of projections, and their weights, to the sums of a pseudo-subtomogram.

    Parameters
    ----------
    sums : added to, on the device of the spectra
    spectra : (k, s, s // 2 + 1) complex64
        ``rfftn`` layout, phases relative to pixel s // 2; row s // 2 is the negative Nyquist
        frequency.
    weights : (k, s, s // 2 + 1) float32
    slopes : (k, 2, 3) float64
        Vectors u, v from voxel to voxel (x, y, z): column x and row y go to x·u + y·v.
    ends : (k, s) int64, one past the last column of each row that is inserted

    Raises
    ------
    ShapeError
        If the arrays do not fit together.

    Notes
    -----
    Trilinear, times |u|·|v|. Points with negative x count by their mirror image; what falls on
    x = 0 is added to its mirror image too. Rows below zero frequency start at column 1. Voxels at
    +c/2 along y and z are none. Source: RELION 5, commit 73f0a3c0 (relion_tomo_subtomo).
    """
    k, s = spectra.shape[:2]
    shapes = (tuple(spectra.shape), tuple(weights.shape), tuple(slopes.shape), tuple(ends.shape))
    if shapes != ((k, s, s // 2 + 1), (k, s, s // 2 + 1), (k, 2, 3), (k, s)) or s % 2:
        raise ShapeError(
            f"spectra, weights, slopes and ends have shapes {shapes}; expected (k, s, s // 2 + 1) "
            "twice, (k, 2, 3) and (k, s), s even"
        )
    if sums.values.device.type != "cpu":
        insert_slices_torch(sums, spectra, weights, slopes, ends)
        return
    _insert(
        torch.view_as_real(spectra.contiguous()).numpy(),
        weights.numpy(),
        slopes.numpy(),
        ends.numpy(),
        sums.values.numpy(),
    )


def insert_slices_torch(
    sums: PseudoSums, spectra: Tensor, weights: Tensor, slopes: Tensor, ends: Tensor
) -> None:
    """Do as :func:`insert_slices_forward` in torch, on any device."""
    device, c = sums.values.device, sums.box_size
    s = spectra.shape[1]
    row = torch.arange(s, device=device)
    row = torch.where(row < s // 2, row, row - s)
    column = torch.arange(s // 2 + 1, device=device)
    wanted = column < ends.to(device)[..., None]
    wanted &= (column > 0) | (row[:, None] >= 0)
    slopes = slopes.to(device)
    share = slopes.norm(dim=-1).prod(-1)
    flat = sums.values.view(-1, _LANES)
    places = wanted.nonzero()
    for start in range(0, len(places), _TORCH_PIXELS):
        k, y, x = places[start : start + _TORCH_PIXELS].unbind(-1)
        point = x[:, None] * slopes[k, 0] + row[y][:, None] * slopes[k, 1]
        value = spectra[k, y, x]
        one = torch.ones(len(x), dtype=torch.float64, device=device)
        lanes = torch.stack([value.real, value.imag, weights[k, y, x], one], dim=-1)
        mirrored = point[:, 0] < 0
        lanes[mirrored, 1] *= -1
        point = torch.where(mirrored[:, None], -point, point)
        _scatter(flat, c, point, lanes * share[k, None])


def _scatter(flat: Tensor, c: int, point: Tensor, lanes: Tensor) -> None:
    """Add values at points x, y, z to the voxels around them."""
    base = point.floor()
    rest = point - base
    corners = torch.cartesian_prod(*[torch.arange(2, device=flat.device)] * 3)
    half = c // 2
    for corner in corners:
        x, y, z = (base.long() + corner).unbind(-1)
        inside = (x <= half) & (y >= -half) & (y < half) & (z >= -half) & (z < half)
        share = torch.where(corner.bool(), rest, 1 - rest).prod(-1)
        add = (lanes * share[:, None])[inside]
        x, y, z = x[inside], y[inside], z[inside]
        flat.index_add_(0, (z % c * c + y % c) * (half + 1) + x, add)
        edge = x == 0
        add = add[edge] * torch.tensor([1.0, -1.0, 1.0, 1.0], device=flat.device)
        flat.index_add_(0, (-z[edge] % c * c + -y[edge] % c) * (half + 1), add)


@numba.njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _insert(spectra: Array, weights: Array, slopes: Array, ends: Array, sums: Array) -> None:
    """Add pixel by pixel, in their order."""
    c, s = sums.shape[0], spectra.shape[1]
    half = c // 2
    for k in range(len(spectra)):
        ux, uy, uz = slopes[k, 0]
        vx, vy, vz = slopes[k, 1]
        share = np.sqrt(ux * ux + uy * uy + uz * uz) * np.sqrt(vx * vx + vy * vy + vz * vz)
        for row in range(s):
            ky = row if row < s // 2 else row - s
            for kx in range(1 if ky < 0 else 0, ends[k, row]):
                x, y, z = kx * ux + ky * vx, kx * uy + ky * vy, kx * uz + ky * vz
                sign = 1.0 if x >= 0 else -1.0
                x, y, z = sign * x, sign * y, sign * z
                x0, y0, z0 = int(x), int(np.floor(y)), int(np.floor(z))
                real = share * spectra[k, row, kx, 0]
                imaginary = share * sign * spectra[k, row, kx, 1]
                weight = share * weights[k, row, kx]
                for dz in range(2):
                    zi = z0 + dz
                    if zi < -half or zi >= half:
                        continue
                    part_z = z - z0 if dz else 1 - (z - z0)
                    for dy in range(2):
                        yi = y0 + dy
                        if yi < -half or yi >= half:
                            continue
                        part_y = part_z * (y - y0 if dy else 1 - (y - y0))
                        for dx in range(2):
                            xi = x0 + dx
                            if xi > half:
                                continue
                            part = part_y * (x - x0 if dx else 1 - (x - x0))
                            voxel = sums[zi % c, yi % c, xi]
                            voxel[0] += part * real
                            voxel[1] += part * imaginary
                            voxel[2] += part * weight
                            voxel[3] += part * share
                            if xi == 0:
                                voxel = sums[-zi % c, -yi % c, 0]
                                voxel[0] += part * real
                                voxel[1] -= part * imaginary
                                voxel[2] += part * weight
                                voxel[3] += part * share
