"""The best score of each voxel over the rotations: a numba kernel and its torch equivalent."""

from dataclasses import dataclass

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass
class RunningBest:
    """What a search keeps of all the rotations it has seen.

    Parameters
    ----------
    score : (z, y, x) float32, the highest so far; -2, below any correlation, before the first
    index : (z, y, x) int32, the rotation that gave it; -1 before the first
    sums : (2,) sum and sum of squares of every score of every rotation
    """

    score: Tensor
    index: Tensor
    sums: Tensor

    @staticmethod
    def before_first(shape: tuple[int, int, int], device: torch.device) -> "RunningBest":
        """Make the state before the first rotation."""
        return RunningBest(
            torch.full(shape, -2.0, device=device),
            torch.full(shape, -1, dtype=torch.int32, device=device),
            torch.zeros(2, dtype=_widest(device), device=device),
        )

    def update(self, planes: Tensor, weight: Tensor, *, first: int, rotation: int, n: int) -> None:
        """Take in one or two rotations for some of the planes.

        Parameters
        ----------
        planes : (planes, y, x) complex64
            Numerators of rotation ``rotation`` (real part) and ``rotation + 1`` (imaginary part).
        weight : (planes, y, x) float32
            One over the local standard deviation; 0 where nothing is searched.
        first : z of the first plane
        rotation : index of the rotation in the real part
        n : 1 if only the real part counts, else 2
        """
        z = slice(first, first + len(planes))
        if planes.device.type == "cpu":
            _update_numba(
                planes.numpy(),
                weight.numpy(),
                self.score[z].numpy(),
                self.index[z].numpy(),
                self.sums.numpy(),
                rotation,
                n == 2,
            )
        else:
            self.update_torch(planes, weight, first=first, rotation=rotation, n=n)

    def update_torch(
        self, planes: Tensor, weight: Tensor, *, first: int, rotation: int, n: int
    ) -> None:
        """Do as ``update`` in torch, on any device."""
        z = slice(first, first + len(planes))
        for part, scores in enumerate((planes.real, planes.imag)[:n]):
            scores = scores * weight
            better = scores > self.score[z]
            self.score[z] = torch.where(better, scores, self.score[z])
            self.index[z] = torch.where(better, rotation + part, self.index[z])
            wide = self.sums.dtype
            self.sums += torch.stack([scores.sum(dtype=wide), (scores * scores).sum(dtype=wide)])


def _widest(device: torch.device) -> torch.dtype:
    """Give the widest floating type of a device: Apple's has no double precision."""
    return torch.float32 if device.type == "mps" else torch.float64


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _update_row(
    row: NDArray[np.complex64],
    weight: NDArray[np.float32],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
    rotation: int,
) -> tuple[np.float32, np.float32]:
    """Take in two rotations for a row; both loops free of branches so that they vectorise."""
    total = np.float32(0)
    squares = np.float32(0)
    gain = np.float32(-1)
    for x in range(row.shape[0]):
        a = row[x].real * weight[x]
        b = row[x].imag * weight[x]
        total += a + b
        squares += a * a + b * b
        gain = max(gain, max(a, b) - score[x])
    if gain > 0:  # rare after the first hundred rotations, and writing costs more than reading
        first = np.int32(rotation)
        second = np.int32(rotation + 1)
        for x in range(row.shape[0]):
            a = row[x].real * weight[x]
            b = row[x].imag * weight[x]
            value = max(a, b)
            which = second if b > a else first
            index[x] = which if value > score[x] else index[x]
            score[x] = max(value, score[x])
    return total, squares


@numba.njit(fastmath=True, nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _update_numba(
    planes: NDArray[np.complex64],
    weight: NDArray[np.float32],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
    sums: NDArray[np.float64],
    rotation: int,
    both: bool,
) -> None:
    """Take in one or two rotations for some planes."""
    for z in range(planes.shape[0]):
        for y in range(planes.shape[1]):
            if both:
                total, squares = _update_row(
                    planes[z, y], weight[z, y], score[z, y], index[z, y], rotation
                )
                sums[0] += total
                sums[1] += squares
                continue
            for x in range(planes.shape[2]):
                value = planes[z, y, x].real * weight[z, y, x]
                sums[0] += value
                sums[1] += value * value
                if value > score[z, y, x]:
                    score[z, y, x] = value
                    index[z, y, x] = rotation
