"""A coarser grid over a block, on which a low-passed template is searched."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.tiling import Triple, fast_size
from subtomo.signal.fourier import fourier_crop
from subtomo.signal.resampling import interpolation_matrix

_RATIOS = (Fraction(2), Fraction(5, 3), Fraction(3, 2), Fraction(4, 3))
"""Sizes of a coarse voxel that are tried, in voxels, the largest first."""
_LEAST_BOX = 8  # coarse voxels


@dataclass(frozen=True)
class CoarseGrid:
    """A grid with larger voxels; its voxel 0 lies on the fine one's.

    Parameters
    ----------
    ratio : size of a coarse voxel, in voxels
    block : (z, y, x) voxels of the fine block
    box : edge of the templates, in fine voxels
    """

    ratio: Fraction
    block: Triple
    box: int

    @property
    def shape(self) -> Triple:
        """Coarse voxels (z, y, x), of sizes that FFTs do well."""
        z, y, x = (self._size(n) for n in self.block)
        return z, y, x

    @property
    def coarse_box(self) -> int:
        """Edge of the coarse templates: no longer than the fine ones."""
        return 2 * int(self.box / self.ratio / 2)

    def coarsen_block(self, values: Tensor, outside: float) -> Tensor:
        """Resample a block by cropping its transform.

        Parameters
        ----------
        values : (z, y, x)
        outside : value that the block goes on with, where the coarse grid is longer

        Returns
        -------
        (z, y, x) of `shape`
        """
        padded = values.new_full([int(n * self.ratio) for n in self.shape], outside)
        padded[tuple(slice(0, n) for n in self.block)] = values
        return fourier_crop(padded, self.shape)

    def template_matrix(self) -> Tensor:
        """Weights (coarse box, box) that resample templates, each axis times the ratio.

        So weighted, sums over coarse voxels are those over fine ones.
        """
        matrix = interpolation_matrix(self.box, self.coarse_box, float(self.ratio))
        return torch.from_numpy(matrix * np.float32(self.ratio))

    def centres(self) -> list[NDArray[np.float64]]:
        """Places (z, y, x) of the coarse positions, in fine positions; may lie outside."""
        half, ratio = self.coarse_box // 2, float(self.ratio)
        first = half * ratio - self.box // 2
        return [first + ratio * np.arange(n - 2 * half + 1.0) for n in self.shape]

    def nearest(self) -> list[NDArray[np.int64]]:
        """Fine positions nearest to the coarse ones, by axis."""
        return [
            np.clip(np.rint(centre), 0, n - self.box).astype(np.int64)
            for centre, n in zip(self.centres(), self.block, strict=True)
        ]

    def _size(self, n: int) -> int:
        """Find the least good number of coarse voxels that cover n and fill whole fine ones."""
        size = fast_size(math.ceil(n / self.ratio))
        while size % self.ratio.denominator:
            size = fast_size(size + 1)
        return size


def choose_grid(
    values: Tensor, templates: Sequence[Tensor], box: int, share: float
) -> CoarseGrid | None:
    """Choose the coarsest grid that still holds most of the score.

    Parameters
    ----------
    values : (z, y, x), the block
    templates : some rotations (box, box, box)
    box : edge of the templates
    share : of the variance of the scores, and of the template's power, that has to be left

    Returns
    -------
    CoarseGrid, or None where none is coarser than the block's
    """
    block = (values.shape[0], values.shape[1], values.shape[2])
    power = _by_frequency(values, box)
    signal = torch.stack([_by_frequency(t, box) for t in templates]).mean(dim=0)
    for ratio in _RATIOS:
        grid = CoarseGrid(ratio, block, box)
        if grid.coarse_box < _LEAST_BOX:
            continue
        left = [_share_below(signal * weight, ratio) for weight in (power, torch.ones_like(power))]
        if min(left) >= share:
            return grid
    return None


_BINS = 240  # up to the Nyquist frequency; a multiple of all that the ratios divide by


def _by_frequency(values: Tensor, box: int) -> Tensor:
    """Mean power in shells up to the Nyquist frequency, interpolated to `_BINS`."""
    squared = torch.fft.rfftn(values.float()).abs() ** 2
    axes = [torch.fft.fftfreq(n, device=values.device) for n in values.shape[:2]]
    axes.append(torch.fft.rfftfreq(values.shape[2], device=values.device))
    radius = (axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2).sqrt()
    shells = box // 2
    which = (radius * 2 * shells).round().long().clamp_max(shells + 1).ravel()
    sums = torch.zeros(shells + 2, dtype=torch.float64, device=values.device)
    count = torch.bincount(which, minlength=shells + 2)
    sums.index_add_(0, which, squared.ravel().double())
    mean = (sums / count.clamp_min(1))[: shells + 1].cpu().numpy()
    at = (np.arange(_BINS) + 0.5) / _BINS * shells
    return torch.from_numpy(np.interp(at, np.arange(shells + 1), mean))


def _share_below(power: Tensor, ratio: Fraction) -> float:
    """Share of what lies below a coarse grid's Nyquist frequency."""
    volume = (torch.arange(_BINS) + 0.5) ** 2
    weighted = power * volume
    return float(weighted[: int(_BINS / ratio)].sum() / weighted.sum().clamp_min(1e-30))
