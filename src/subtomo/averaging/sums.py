"""Sums over particles in the frame of the reference, and the average they give.

A particle is X = T · (R moves the reference by a shift) + noise, T being its transfer function. Its
part of the average at the reference's frequency k is conj(T) X of frequency R k, and its weight
T² there.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.signal.fourier_sampling import Kernel, sample_transform
from subtomo.signal.slices import padded_size, transform_volume

PAD = 2.0  # of boxes whose transform is read between voxels
_MEASURED = 0.02  # transfer, over its greatest value, from which a component counts as measured


@dataclass(frozen=True, eq=False)
class ParticleSums:
    """Sums over particles; half transforms of (n, n, n // 2 + 1), shells of (n // 2 + 1,).

    Parameters
    ----------
    data : complex, the weighted transforms, phases relative to voxel n // 2
    weight : the squared transfers
    power : sums of the mean measured power of each shell, particle by particle
    count : number of particles, or the sum of their weights
    """

    data: Tensor
    weight: Tensor
    power: Tensor
    count: float

    @staticmethod
    def empty(box: Box) -> "ParticleSums":
        """Make sums of nothing, in double precision."""
        shape = (box.size, box.size, box.size // 2 + 1)
        return ParticleSums(
            torch.zeros(shape, dtype=torch.complex128),
            torch.zeros(shape, dtype=torch.float64),
            torch.zeros(box.size // 2 + 1, dtype=torch.float64),
            0,
        )

    def __add__(self, other: "ParticleSums") -> "ParticleSums":
        return ParticleSums(
            self.data + other.data,
            self.weight + other.weight,
            self.power + other.power,
            self.count + other.count,
        )


def particle_sums(
    boxes: Tensor,
    transfers: Tensor,
    matrices: Tensor,
    shifts_px: Tensor,
    box: Box,
    *,
    weights: Tensor | None = None,
    kernel: Kernel | None = None,
) -> ParticleSums:
    """Add particles up in the frame of the reference.

    Parameters
    ----------
    boxes : (b, n, n, n)
    transfers : (b, n, n, n // 2 + 1), in the frame of the boxes
    matrices : (b, 3, 3), reference to box
    shifts_px : (b, 3) columns x, y, z, of the particle from voxel n // 2
    box : of the boxes
    weights : (b,) what each particle counts; default 1, and with 0 it is left out

    Returns
    -------
    ParticleSums, on the CPU
    """
    total = ParticleSums.empty(box)
    inside = box.shells < box.size // 2
    k = box.frequencies[inside]
    counts = [1.0] * len(boxes) if weights is None else weights.tolist()
    given = zip(boxes, transfers, matrices, shifts_px, counts, strict=True)
    for one, transfer, matrix, shift, count in given:
        if count == 0:
            continue
        points = k @ matrix.to(k).mT
        measured = sample_transform(_centred_half(transfer), points, kernel=kernel)
        spectrum = transform_volume(one * box.sphere, PAD)
        scale = padded_size(box.size, PAD) / box.size
        values = sample_transform(spectrum, points * scale, kernel=kernel)
        angle = 2 * torch.pi * (points @ shift.to(k)) / box.size
        values = values * torch.polar(torch.ones_like(angle), angle) * measured
        part = ParticleSums.empty(box)
        place = inside.cpu()
        part.data[place] = count * values.to(part.data.dtype).cpu()
        part.weight[place] = count * (measured.double() ** 2).cpu()
        power = count * measured_power(one, transfer, box).cpu()
        total = total + ParticleSums(part.data, part.weight, power, count)
    return total


def measured_power(one: Tensor, transfer: Tensor, box: Box) -> Tensor:
    """Mean power of each shell of a box where its transfer is not zero: (n // 2 + 1,)."""
    spectrum = torch.fft.rfftn(one * box.sphere)
    is_measured = (transfer.abs() > _MEASURED * transfer.abs().max()).to(torch.float32)
    power = box.shell_mean(spectrum.abs() ** 2 * is_measured)
    return power / box.shell_mean(is_measured).clamp_min(1e-6)


def average_of(sums: ParticleSums, box: Box, regularisation: Tensor | float) -> Tensor:
    """Average of particles: the sum of their data over that of their weights.

    Parameters
    ----------
    sums : over particles
    box : of the particles, on the CPU
    regularisation : one number, or (n // 2 + 1,) one a shell
        What is added to the weights, as a fraction of the shell's mean weight. The optimal one is
        the noise-to-signal ratio of the average.

    Returns
    -------
    (n, n, n) float32, the particle's centre at voxel n // 2

    Notes
    -----
    ``data / (weight + tau)`` with ``tau`` = regularisation · mean weight of the shell: a Wiener
    filter. It damps shells of much noise, which keeps their noise from leaking into their
    neighbours under a mask.
    """
    fraction = torch.as_tensor(regularisation, dtype=torch.float64)
    mean = box.by_shell(box.shell_mean(sums.weight))
    tau = box.by_shell(fraction.expand(box.size // 2 + 1)) * mean
    tiny = 1e-12 * float(sums.weight.max()) + 1e-30
    return _to_volume(sums.data / (sums.weight + tau).clamp_min(tiny), box)


def symmetrised(
    sums: ParticleSums, box: Box, matrices: Tensor, *, kernel: Kernel | None = None
) -> ParticleSums:
    """Average sums over the rotations of a point group.

    Parameters
    ----------
    sums : over particles
    box : of the particles, on the CPU
    matrices : (g, 3, 3), the identity among them

    Returns
    -------
    ParticleSums
    """
    if len(matrices) == 1:
        return sums
    inside = box.shells < box.size // 2
    k = box.frequencies[inside]
    spectrum = transform_volume(_to_volume(sums.data, box), PAD)
    weights = _centred_half(sums.weight.to(torch.float32))
    scale = padded_size(box.size, PAD) / box.size
    data, weight = torch.zeros_like(sums.data), torch.zeros_like(sums.weight)
    for matrix in matrices.to(k):
        points = k @ matrix.mT
        data[inside] += sample_transform(spectrum, points * scale, kernel=kernel)
        weight[inside] += sample_transform(weights, points, kernel=kernel)
    return ParticleSums(data / len(matrices), weight / len(matrices), sums.power, sums.count)


def _to_volume(transform: Tensor, box: Box) -> Tensor:
    """Real volume of a half transform whose phases are relative to voxel n // 2."""
    volume: Tensor = torch.fft.fftshift(torch.fft.irfftn(transform, s=(box.size,) * 3))
    return volume.to(torch.float32)


def _centred_half(half: Tensor) -> Tensor:
    """Put zero frequency of a half transform at [n // 2, n // 2, 0]."""
    centred: Tensor = torch.fft.fftshift(half, dim=(0, 1))
    return centred
