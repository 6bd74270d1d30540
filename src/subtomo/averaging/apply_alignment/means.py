"""Means of boxes that were turned to a common axis: plain, weighted, and about the axis."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.signal.cylindrical import cylindrical_mean
from subtomo.signal.fourier import centre_real_transform, half_of_centred
from subtomo.signal.fourier_sampling import sample_transform

_TINY = 1e-6  # of the greatest weight: floor of a shell that nothing measured


@dataclass(frozen=True, eq=False)
class AlignedSums:
    """Sums over turned boxes, in double precision.

    Parameters
    ----------
    plain : (n, n, n), of the boxes
    data : (n, n, n // 2 + 1) complex, of their transforms times their transfer functions
    weight : (n, n, n // 2 + 1), of the squared transfer functions
    count : boxes
    """

    plain: Tensor
    data: Tensor
    weight: Tensor
    count: int

    @staticmethod
    def empty(box: Box) -> "AlignedSums":
        """Make sums of nothing."""
        n = box.size
        return AlignedSums(
            torch.zeros(n, n, n, dtype=torch.float64),
            torch.zeros(n, n, n // 2 + 1, dtype=torch.complex128),
            torch.zeros(n, n, n // 2 + 1, dtype=torch.float64),
            0,
        )

    def __add__(self, other: "AlignedSums") -> "AlignedSums":
        return AlignedSums(
            self.plain + other.plain,
            self.data + other.data,
            self.weight + other.weight,
            self.count + other.count,
        )

    @staticmethod
    def total(parts: Any, box: Box) -> "AlignedSums":
        """Add up in order."""
        return reduce(AlignedSums.__add__, parts, AlignedSums.empty(box))


def sums_of(boxes: Tensor, transfers: Tensor) -> AlignedSums:
    """Add up turned boxes.

    Parameters
    ----------
    boxes : (b, n, n, n)
    transfers : (b, n, n, n // 2 + 1), turned alike

    Returns
    -------
    AlignedSums, on the CPU
    """
    spectra = torch.fft.rfftn(boxes, dim=(-3, -2, -1)).cpu()
    weights = transfers.cpu()
    return AlignedSums(
        boxes.cpu().sum(0, dtype=torch.float64),
        (spectra * weights).sum(0, dtype=torch.complex128),
        weights.square().sum(0, dtype=torch.float64),
        len(boxes),
    )


def turned_transfers(transfers: Tensor, matrices: Tensor, box: Box) -> Tensor:
    """Turn transfer functions as their boxes are turned.

    Parameters
    ----------
    transfers : (b, n, n, n // 2 + 1), in the frame of the boxes
    matrices : (b, 3, 3), reference to box
    box : of the boxes

    Returns
    -------
    (b, n, n, n // 2 + 1), in the frame of the reference; 0 from the Nyquist shell on
    """
    inside = box.shells < box.size // 2
    k = box.frequencies[inside]
    turned = torch.zeros_like(transfers)
    for out, transfer, matrix in zip(turned, transfers, matrices.to(k), strict=True):
        out[inside] = sample_transform(torch.fft.fftshift(transfer, dim=(0, 1)), k @ matrix.mT)
    return turned


def plain_mean(sums: AlignedSums) -> Tensor:
    """Mean of the boxes: (n, n, n) float32."""
    return (sums.plain / sums.count).float()


def weighted_mean(sums: AlignedSums, box: Box, floor: float) -> Tensor:
    """Mean of the boxes, each component by those that measured it.

    Parameters
    ----------
    sums : over the boxes
    box : of the boxes, on the CPU
    floor : least weight to divide by, as a fraction of the shell's mean weight

    Returns
    -------
    (n, n, n) float32

    Notes
    -----
    ``Σ T X / max(Σ T², floor · mean of Σ T²)``, X the transform of a box and T its transfer
    function: the least-squares average where enough was measured, less than it elsewhere.
    Components beyond the Nyquist shell are left out.
    """
    least = floor * box.shell_mean(sums.weight)
    return _divided(sums.data, sums.weight, box, least).float()


def cylindrical_weighted_mean(sums: AlignedSums, box: Box, floor: float) -> Tensor:
    """Weighted mean over the boxes and over all their turns about z; see `weighted_mean`.

    Data and weights are each averaged about the axis before they are divided, so that what one
    box did not measure comes from the directions in which it, or another, did. The quotient is
    averaged about the axis once more: a cubic grid of frequencies is not round.
    """
    data = cylindrical_mean(_volume(sums.data, box))
    full = centre_real_transform(sums.weight, box.size)
    weight = half_of_centred(cylindrical_mean(full, oversampling=1))  # its steps would ring
    least = floor * box.shell_mean(sums.weight)
    return cylindrical_mean(_divided(torch.fft.rfftn(data), weight, box, least)).float()


def _divided(data: Tensor, weight: Tensor, box: Box, least: Tensor) -> Tensor:
    """Divide data by weights, which count as the least of their shell where they are less."""
    floor = box.by_shell(least)
    is_measured = floor > _TINY * weight.max()  # not so beyond the Nyquist shell
    return _volume(torch.where(is_measured, data / torch.maximum(weight, floor), 0.0), box)


def _volume(transform: Tensor, box: Box) -> Tensor:
    volume: Tensor = torch.fft.irfftn(transform, s=(box.size,) * 3)
    return volume
