"""Constrained correlation of a particle with a rotated reference, for all shifts at once.

The reference is rotated, not the data: its transform is read at the rotated frequencies, multiplied
by the particle's transfer function and compared with the particle's transform over the components
that were measured, within a band. The correlation for every shift within reach is an inverse
transform of the products, evaluated for those shifts only (three small matrix products).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.sums import PAD
from subtomo.signal.fourier_sampling import Kernel, sample_point, sample_transform
from subtomo.signal.slices import padded_size, transform_volume


@dataclass(frozen=True)
class Band:
    """The Fourier components that are compared, and the shifts that are tried.

    Parameters
    ----------
    box : of the particles
    radius : largest frequency, Fourier voxels
    max_shift_px : largest shift, voxels
    shift_edge_px : voxels before it over which scores begin to count less, half at the largest
    """

    box: Box
    radius: float
    max_shift_px: float
    shift_edge_px: float = 0.0

    @property
    def reach(self) -> int:
        """Largest index along an axis."""
        return max(1, math.floor(self.radius))

    @cached_property
    def components(self) -> Tensor:
        """Indices (x, y, z) of the components in the half sphere without zero: (m, 3) long."""
        full = torch.arange(-self.reach, self.reach + 1)
        z, y, x = torch.meshgrid(full, full, torch.arange(self.reach + 1), indexing="ij")
        points = torch.stack([x, y, z], dim=-1).reshape(-1, 3)
        squared = (points**2).sum(dim=1)
        kept = (squared > 0) & (squared <= self.radius**2)
        return points[kept].to(self.box.device)

    @cached_property
    def places(self) -> Tensor:
        """Place of each component in the flattened block of products: (m,) long."""
        x, y, z = self.components.unbind(dim=1)
        side = 2 * self.reach + 1
        return ((z + self.reach) * side + y + self.reach) * (self.reach + 1) + x

    @cached_property
    def indices(self) -> Tensor:
        """Place of each component in a flattened half transform of the box: (m,) long."""
        x, y, z = self.components.unbind(dim=1)
        n = self.box.size
        return ((z % n) * n + y % n) * (n // 2 + 1) + x

    @cached_property
    def multiplicity(self) -> Tensor:
        """How many components of the full transform each stands for: (m,)."""
        return torch.where(self.components[:, 0] > 0, 2.0, 1.0)

    @cached_property
    def shifts(self) -> Tensor:
        """Whole shifts along an axis, one more than allowed on both sides for the parabola."""
        most = math.floor(self.max_shift_px) + 1
        return torch.arange(-most, most + 1, device=self.box.device)

    @cached_property
    def allowed(self) -> Tensor:
        """Which whole shifts (z, y, x) are within reach."""
        squared = self.shifts**2
        total = squared[:, None, None] + squared[None, :, None] + squared[None, None, :]
        return total <= self.max_shift_px**2

    @cached_property
    def likely(self) -> Tensor:
        """What heights at whole shifts (z, y, x) count: 1, and less towards the largest shift."""
        squared = (self.shifts**2).to(torch.float32)
        length = (squared[:, None, None] + squared[None, :, None] + squared[None, None, :]).sqrt()
        return self.weight_of_shift(length)

    def weight_of_shift(self, length_px: Tensor) -> Tensor:
        """Weight of the score at shifts of some length: a cosine edge, 1/2 at the largest."""
        if self.shift_edge_px <= 0:
            return torch.ones_like(length_px)
        beyond = (length_px - self.max_shift_px + self.shift_edge_px) / (2 * self.shift_edge_px)
        return 0.5 * (1 + torch.cos(math.pi * beyond.clamp(0, 1)))

    def take(self, half: Tensor) -> Tensor:
        """Pick the components out of half transforms: (..., n, n, n // 2 + 1) to (..., m)."""
        return half.flatten(-3)[..., self.indices]

    def correlate_shifts(self, products: Tensor) -> Tensor:
        """Inverse transform of products for the whole shifts.

        Parameters
        ----------
        products : (r, block) complex64

        Returns
        -------
        (r, s, s, s) real: the sum of ``products · exp(2πi k·shift / n)``, z, y, x
        """
        side, s = 2 * self.reach + 1, len(self.shifts)
        angle = (2 * math.pi / self.box.size) * torch.outer(
            self.shifts.double(), torch.arange(-self.reach, self.reach + 1).to(self.shifts).double()
        )
        wave = torch.polar(torch.ones_like(angle), angle).to(products.dtype)
        block = torch.matmul(wave, products.reshape(-1, side, side * (self.reach + 1)))
        block = torch.matmul(wave, block.reshape(-1, side, self.reach + 1))
        along_x = wave[:, self.reach :].mT
        # only the real part is wanted: the other half of the transform is its conjugate
        real = block.real @ along_x.real - block.imag @ along_x.imag
        return real.reshape(-1, s, s, s)


@dataclass(frozen=True, eq=False)
class Observed:
    """A particle, ready to be compared.

    Parameters
    ----------
    products : (m,) complex64, transform · transfer · weight
    power : (m,) transfer² · weight
    norm : sum of weight · |transform|² over the measured components
    """

    products: Tensor
    power: Tensor
    norm: float


def observe(
    one: Tensor, transfer: Tensor, shift_px: Tensor, weights: Tensor, band: Band
) -> Observed:
    """Transform a particle and weight it.

    Parameters
    ----------
    one : (n, n, n), a box
    transfer : (n, n, n // 2 + 1)
    shift_px : (3,) x, y, z, where shift 0 is, from voxel n // 2
    weights : (n // 2 + 1,) by shell, such as 1 / noise power
    band : the components

    Returns
    -------
    Observed
    """
    box = band.box
    spectrum = band.take(torch.fft.rfftn(torch.fft.ifftshift(one * box.sphere)))
    angle = 2 * math.pi * (band.components.to(torch.float32) @ shift_px.to(one)) / box.size
    spectrum = spectrum * torch.polar(torch.ones_like(angle), angle)
    weight = band.take(box.by_shell(weights.to(one))) * band.multiplicity
    t = band.take(transfer)
    measured = (t.abs() > 0.02 * transfer.abs().max()).to(one.dtype)
    norm = float((weight * measured * spectrum.abs() ** 2).sum())
    return Observed(spectrum * t * weight, t**2 * weight, max(norm, 1e-30))


def prepare_reference(reference: Tensor) -> Tensor:
    """Transform a reference for `correlate`: (n, n, n) to (p, p, p // 2 + 1), p = 2 n."""
    return transform_volume(reference, PAD)


def correlate(
    spectrum: Tensor,
    observed: Observed,
    matrices: Tensor,
    band: Band,
    *,
    kernel: Kernel | None = None,
) -> tuple[Tensor, Tensor]:
    """Correlate a particle with a reference in several rotations.

    Parameters
    ----------
    spectrum : of the reference, from `prepare_reference`
    observed : the particle
    matrices : (r, 3, 3), reference to box
    band : components and shifts

    Returns
    -------
    score : (r,) correlation coefficient at the best shift, -1 to 1
    shift : (r, 3) voxels, x, y, z, to a fraction of a voxel
    """
    if kernel is None:
        kernel = "numba" if spectrum.device.type == "cpu" else "torch"
    multiply = _multiply_numba if kernel == "numba" else _multiply_torch
    products, power = multiply(spectrum, observed, matrices.to(torch.float32), band)
    maps = band.correlate_shifts(products)
    norm = (power.clamp_min(1e-30) * observed.norm).sqrt().to(maps.dtype)
    score, shift = best_shift(maps, band)
    return score / norm, shift


def best_shift(maps: Tensor, band: Band) -> tuple[Tensor, Tensor]:
    """Find the highest allowed place of correlation maps, between voxels by a paraboloid.

    Parameters
    ----------
    maps : (r, s, s, s) over the whole shifts of the band

    Returns
    -------
    height : (r,) less where shifts begin to count less
    shift : (r, 3) voxels, x, y, z; a whole one where the paraboloid leads beyond reach
    """
    s = len(band.shifts)
    if band.shift_edge_px > 0:
        weighted = torch.where(band.allowed, maps * band.likely, -math.inf)
    else:
        weighted = torch.where(band.allowed, maps, -math.inf)
    place = weighted.flatten(1).max(dim=1).indices
    flat, rows = maps.flatten(1), torch.arange(len(maps), device=maps.device)
    top = flat[rows, place]
    strides = (1, s, s * s)  # x, y, z

    def at(offset: int) -> Tensor:
        return flat[rows, place + offset]

    gradient = torch.stack([(at(i) - at(-i)) / 2 for i in strides], dim=1)
    bends = torch.stack(
        [
            at(i) - 2 * top + at(-i)
            if i == j
            else (at(i + j) - at(i - j) - at(j - i) + at(-i - j)) / 4
            for i in strides
            for j in strides
        ],
        dim=1,
    ).reshape(-1, 3, 3)
    scale = top.abs().clamp_min(1e-20)
    ridge = 1e-6 * torch.eye(3, device=maps.device) * scale[:, None, None]
    offset = torch.linalg.solve(ridge - bends, gradient)
    whole = torch.stack([place % s, place // s % s, place // (s * s)], dim=1) - s // 2
    shift = whole + offset
    is_peak = (torch.linalg.eigvalsh(bends) < 0).all(dim=1)
    is_near = (offset.abs() <= 1).all(dim=1)
    is_allowed = torch.linalg.vector_norm(shift, dim=1) <= band.max_shift_px
    used = is_peak & is_near & is_allowed
    height = torch.where(used, top + 0.5 * (gradient * offset).sum(dim=1), top)
    shift = torch.where(used[:, None], shift, whole.to(shift.dtype))
    return height * band.weight_of_shift(torch.linalg.vector_norm(shift, dim=1)), shift


def _multiply_torch(
    spectrum: Tensor, observed: Observed, matrices: Tensor, band: Band
) -> tuple[Tensor, Tensor]:
    """Products with the rotated references (r, block), and their weighted power (r,)."""
    scale = padded_size(band.box.size, PAD) / band.box.size
    points = band.components.to(torch.float32) @ (matrices * scale)  # rows times R: Rᵀ k
    values = sample_transform(spectrum, points, kernel="torch")  # (r, m)
    side = 2 * band.reach + 1
    block = torch.zeros(
        len(matrices), side * side * (band.reach + 1), dtype=values.dtype, device=values.device
    )
    block[:, band.places] = observed.products * values.conj()
    return block, (observed.power * values.abs() ** 2).sum(dim=1)


def _multiply_numba(
    spectrum: Tensor, observed: Observed, matrices: Tensor, band: Band
) -> tuple[Tensor, Tensor]:
    """As `_multiply_torch`, one compiled pass without temporaries."""
    scale = padded_size(band.box.size, PAD) / band.box.size
    side = 2 * band.reach + 1
    block = torch.zeros(len(matrices), side * side * (band.reach + 1), dtype=torch.complex64)
    power = torch.zeros(len(matrices), dtype=torch.float32)
    _multiply(
        spectrum.to(torch.complex64).contiguous().numpy(),
        (matrices * scale).contiguous().numpy(),
        band.components.to(torch.float32).numpy(),
        band.places.numpy(),
        observed.products.to(torch.complex64).numpy(),
        observed.power.to(torch.float32).numpy(),
        block.numpy(),
        power.numpy(),
    )
    return block, power


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _multiply(
    spectrum: Any,
    matrices: Any,
    components: Any,
    places: Any,
    products: Any,
    power: Any,
    block: Any,
    total: Any,
) -> None:
    """Read the rotated reference and multiply, component by component."""
    for r in range(matrices.shape[0]):
        m = matrices[r]
        summed = 0.0
        for i in range(components.shape[0]):
            kx, ky, kz = components[i, 0], components[i, 1], components[i, 2]
            value = sample_point(
                spectrum,
                m[0, 0] * kx + m[1, 0] * ky + m[2, 0] * kz,
                m[0, 1] * kx + m[1, 1] * ky + m[2, 1] * kz,
                m[0, 2] * kx + m[1, 2] * ky + m[2, 2] * kz,
            )
            block[r, places[i]] = products[i] * np.conj(value)
            summed += power[i] * (value.real * value.real + value.imag * value.imag)
        total[r] = summed
