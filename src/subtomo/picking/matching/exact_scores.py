"""Exact scores of chosen positions in chosen orientations, by plain sums over the template."""

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.local_deviation import FLAT, widened
from subtomo.picking.matching.rotations import RotatedTemplates

_BATCH = 16  # rotations prepared at a time
NOT_SEARCHED = np.float32(-2)
"""Score, below any correlation, of positions that are not searched."""

FloatArray = NDArray[np.float32]


class ExactScores:
    """Correlation coefficients of a block and rotated templates, position by position.

    Parameters
    ----------
    values : (z, y, x) float32, the block, standardised
    templates : that make the rotations
    matrices : (r, 3, 3)
    weight : (z, y, x) by position, 1 / deviation under a spherical mask; 0 where not searched
    counts : (z, y, x) bool by position, searched
    """

    def __init__(
        self,
        values: Tensor,
        templates: RotatedTemplates,
        matrices: NDArray[np.float64],
        weight: Tensor | None,
        counts: Tensor,
    ) -> None:
        self._values = values
        self._templates = templates
        self._matrices = matrices
        self._weight = weight
        self._counts = counts.cpu().numpy()
        support = templates.support
        self._rows = _row_bounds(support.cpu().numpy())  # a ball or a cube: rows have no gaps
        strides = torch.tensor(values.stride(), device=values.device)
        self._offsets = (support.nonzero() * strides).sum(dim=1)
        self._strides = strides

    def patches(self, position: NDArray[np.int64]) -> tuple[Tensor, Tensor | None]:
        """Cut out what the templates meet at some positions.

        Parameters
        ----------
        position : (m, 3) z, y, x, may lie outside

        Returns
        -------
        values : (m, v) voxels of the templates' support; zeros outside and where not searched
        weight : (m,) 1 / deviation, or None where the mask is not spherical
        """
        inside, counts = self._inside(position)
        if self._values.device.type == "cpu":
            values = torch.from_numpy(
                _cut_out(self._values.numpy(), *self._rows, len(self._offsets), inside, counts)
            )
        else:
            values = self.patches_torch(inside, counts)
        if self._weight is None:
            return values, None
        where = torch.from_numpy(inside).to(self._values.device)
        return values, self._weight[tuple(where.T)]

    def patches_torch(self, position: NDArray[np.int64], counts: NDArray[np.bool_]) -> Tensor:
        """Cut out patches (m, v) in torch, on any device; zeros where they do not count."""
        where = torch.from_numpy(position).to(self._values.device)
        starts = (where * self._strides).sum(dim=1)
        values = self._values.flatten()[starts[:, None] + self._offsets]
        return values * torch.from_numpy(counts).to(values.device)[:, None]

    def at(self, rotation: NDArray[np.int64], position: NDArray[np.int64]) -> FloatArray:
        """Score pairs of rotation and position.

        Parameters
        ----------
        rotation : (m,) rows of ``matrices``
        position : (m, 3) z, y, x

        Returns
        -------
        (m,) correlation coefficients; `NOT_SEARCHED` outside and where nothing is searched
        """
        out = np.full(len(rotation), NOT_SEARCHED, dtype=np.float32)
        _, counts = self._inside(position)
        order = np.flatnonzero(counts)
        order = order[np.argsort(rotation[order], kind="stable")]
        which, first = np.unique(rotation[order], return_index=True)
        ends = np.append(first, len(order))
        for start in range(0, len(which), _BATCH):
            some = which[start : start + _BATCH]
            even = np.append(some, some[-1:]) if len(some) % 2 else some
            volumes, masks = self._templates.normalised(self._matrices[even])
            for i in range(len(some)):
                pairs = order[ends[start + i] : ends[start + i + 1]]
                out[pairs] = self._scores(volumes[i], masks[i], position[pairs])
        return out

    def _inside(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Nearest position in the block, and whether the given one is there and searched."""
        nearest = np.clip(position, 0, np.array(self._counts.shape) - 1)
        counts = (nearest == position).all(axis=1) & self._counts[tuple(nearest.T)]
        return nearest, np.asarray(counts)

    def _scores(self, volume: Tensor, mask: Tensor, position: NDArray[np.int64]) -> FloatArray:
        """Score positions for one rotation."""
        if self._values.device.type == "cpu":
            sums, moments = self._sums_numba(volume, mask, position)
        else:
            sums, moments = self.sums_torch(volume, mask, position)
        if self._weight is not None:
            weight = self._weight[tuple(torch.from_numpy(position.T))].cpu().numpy()
        else:
            variance = moments[:, 1] - moments[:, 0] ** 2
            weight = np.where(variance > FLAT, 1 / np.sqrt(np.maximum(variance, FLAT)), 0)
        return np.where(weight > 0, sums * weight, NOT_SEARCHED).astype(np.float32)

    def _sums_numba(
        self, volume: Tensor, mask: Tensor, position: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sum over the template, and the moments under its mask if they depend on the rotation."""
        values = self._values.numpy()
        sums = _sums(values, volume.numpy(), *self._rows, position)
        if self._weight is not None:
            return sums, np.empty((0, 2))
        return sums, _moments(values, mask.numpy(), *self._rows, position)

    def sums_torch(
        self, volume: Tensor, mask: Tensor, position: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Do the same in torch, on any device."""
        values = widened(self.patches(position)[0])
        inside = self._templates.support
        sums = values @ widened(volume[inside])
        weights = widened(mask[inside])
        moments = torch.stack([values @ weights, (values * values) @ weights], dim=1)
        return sums.cpu().numpy(), moments.cpu().numpy()


def _row_bounds(support: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First voxel along x of each row (z, y) of a template, and the one after its last."""
    n = support.shape[2]
    some = support.any(axis=2)
    first = np.where(some, support.argmax(axis=2), 0)
    last = np.where(some, n - support[:, :, ::-1].argmax(axis=2), 0)
    return first.astype(np.int64), last.astype(np.int64)


@numba.njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _cut_out(
    block: FloatArray,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    size: int,
    position: NDArray[np.int64],
    counts: NDArray[np.bool_],
) -> FloatArray:
    """Copy the rows that templates at some positions meet: (m, size)."""
    out = np.zeros((position.shape[0], size), dtype=np.float32)
    for i in range(position.shape[0]):
        if not counts[i]:
            continue
        pz, py, px = position[i]
        at = 0
        for z in range(first.shape[0]):
            for y in range(first.shape[1]):
                for x in range(first[z, y], last[z, y]):
                    out[i, at] = block[pz + z, py + y, px + x]
                    at += 1
    return out


@numba.njit(fastmath=True, nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _sums(
    block: FloatArray,
    template: FloatArray,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    position: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Σ template(j) · block(p + j) of some positions p."""
    out = np.zeros(position.shape[0])
    n = template.shape[0]
    for i in range(position.shape[0]):
        pz, py, px = position[i]
        total = 0.0
        for z in range(n):
            for y in range(n):
                row = np.float32(0)
                for x in range(first[z, y], last[z, y]):
                    row += template[z, y, x] * block[pz + z, py + y, px + x]
                total += np.float64(row)
        out[i] = total
    return out


@numba.njit(fastmath=True, nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _moments(
    block: FloatArray,
    mask: FloatArray,
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    position: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Mean and mean square of the block under a mask of sum 1, at some positions: (m, 2)."""
    out = np.zeros((position.shape[0], 2))
    n = mask.shape[0]
    for i in range(position.shape[0]):
        pz, py, px = position[i]
        for z in range(n):
            for y in range(n):
                row, squares = np.float32(0), np.float32(0)
                for x in range(first[z, y], last[z, y]):
                    value = block[pz + z, py + y, px + x]
                    weighted = mask[z, y, x] * value
                    row += weighted
                    squares += weighted * value
                out[i, 0] += row
                out[i, 1] += squares
    return out
