"""The standard deviation of a block under a mask, at every position."""

import torch
from torch import Tensor

from subtomo.picking.matching.block_correlation import BlockCorrelation

FLAT = 1e-6
"""Variance under the mask, over that of the block, below which nothing is scored."""


class LocalDeviation:
    """Standard deviation of a block under a mask at every position.

    Parameters
    ----------
    values, squares : (z, y, x)
        The block and its square; double precision, where there is one, for the mean's square is
        taken from the mean square.
    box : edge of the masks
    counts : (z - box + 1, …) bool, positions that are searched
    """

    def __init__(self, values: Tensor, squares: Tensor, box: int, counts: Tensor) -> None:
        self._moments = BlockCorrelation(torch.complex(values, squares), box)
        self._counts = counts

    def weight(self, mask: Tensor) -> Tensor:
        """Compute 1 / deviation under a mask of sum 1; 0 where flat or not searched."""
        weight = torch.zeros(self._moments.valid, device=mask.device)
        for z, planes in self._moments.planes(mask + 0j):
            cut = slice(z, z + len(planes))
            variance = planes.imag - planes.real**2
            some = (variance > FLAT) & self._counts[cut]
            weight[cut] = torch.where(some, variance.clamp_min(FLAT).rsqrt(), 0.0).float()
        return weight


def widened(values: Tensor) -> Tensor:
    """Give values in the widest precision that their device has."""
    return values if values.device.type == "mps" else values.double()
