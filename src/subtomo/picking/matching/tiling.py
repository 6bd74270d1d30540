"""Cutting a tomogram into blocks that overlap by a template, so that memory is bounded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.model import Volume
from subtomo.signal.filters import apply_filter

Triple = tuple[int, int, int]
FilterMaker = Callable[[Sequence[int]], Tensor]

_MOST_VOXELS = 8_000_000
"""Of a block. A search takes about 50 bytes a voxel; larger blocks waste less in their overlap."""


@dataclass(frozen=True)
class Tile:
    """Positions searched together, and the block that they need.

    Parameters
    ----------
    first : (z, y, x) of the first position, a voxel of the tomogram
    count : (z, y, x) positions
    block : (z, y, x) voxels to transform, ``count + box - 1`` or more
    """

    first: Triple
    count: Triple
    block: Triple


def plan_tiles(first: Triple, count: Triple, box: int, *, largest: int | None = None) -> list[Tile]:
    """Divide positions into tiles with the least total work for blocks of bounded size.

    Parameters
    ----------
    first, count : (z, y, x), the first position and how many there are
    box : edge of the template, voxels
    largest : greatest edge of a block, voxels; default a bound on its volume only

    Returns
    -------
    Tiles of one shape, but those at the far ends may be smaller
    """
    options = [_divisions(n, box, largest) for n in count]
    best = min(product(*options), key=_work)
    starts = [
        [(a, min(each, n - a)) for a in range(0, n, each)]
        for n, (_, each, _) in zip(count, best, strict=True)
    ]
    z_block, y_block, x_block = (block for _, _, block in best)
    return [
        Tile(
            (first[0] + z, first[1] + y, first[2] + x),
            (nz, ny, nx),
            (z_block, y_block, x_block),
        )
        for (z, nz), (y, ny), (x, nx) in product(*starts)
    ]


def _divisions(n: int, box: int, largest: int | None) -> list[tuple[int, int, int]]:
    """Ways to cut n positions: (parts, positions a part, voxels of its block)."""
    ways = []
    for parts in range(1, max(1, n // box) + 1):
        each = -(-n // parts)
        block = fast_size(each + box - 1)
        if largest is None or block <= max(largest, fast_size(2 * box)):
            ways.append((-(-n // each), each, block))
    each = min(n, box)
    return ways or [(-(-n // each), each, fast_size(each + box - 1))]


def _work(ways: Sequence[tuple[int, int, int]]) -> tuple[bool, int]:
    """Voxels to transform in all; too large a block comes last."""
    block = ways[0][2] * ways[1][2] * ways[2][2]
    parts = ways[0][0] * ways[1][0] * ways[2][0]
    return block > _MOST_VOXELS, parts * block


def fast_size(n: int) -> int:
    """Find the next even number without prime factors above 7: what FFT libraries do well."""
    size = n + n % 2
    while True:
        rest = size
        for factor in (2, 3, 5, 7):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 2


def read_block(
    volume: Volume,
    start: Triple,
    shape: Triple,
    *,
    make_filter: FilterMaker | None = None,
    reach: float = 0.0,
    invert: bool = False,
) -> NDArray[np.float32]:
    """Read a block, filtered; it may stick out of the volume.

    Parameters
    ----------
    volume : read where needed only
    start : (z, y, x) of the first voxel, may be negative
    shape : (z, y, x)
    make_filter : from the shape of a grid to a filter in ``rfftn`` layout; None for no filter
    reach : Å, how far the filter spreads a point; so much more is read on each side
    invert : turn the contrast

    Returns
    -------
    (z, y, x) float32; outside the volume the mean of what is inside
    """
    margin = int(np.ceil(reach / volume.pixel_size)) if make_filter is not None else 0
    wide = [
        (a - margin, fast_size(n + 2 * margin) if make_filter is not None else n)
        for a, n in zip(start, shape, strict=True)
    ]
    values = _read_mirrored(volume, wide)
    if make_filter is not None:
        values = apply_filter(torch.from_numpy(values), make_filter(values.shape)).numpy()
        values = values[tuple(slice(margin, margin + n) for n in shape)]
    if invert:
        values = -values
    return _fill_outside(values, start, volume.shape)


def _read_mirrored(volume: Volume, spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Read a box of (start, length) spans; beyond the volume's faces its mirror image."""
    indices, cut = [], []
    for (start, length), n in zip(spans, volume.shape, strict=True):
        period = np.arange(start, start + length) % (2 * n)
        index = np.minimum(period, 2 * n - 1 - period)
        low, high = int(index.min()), int(index.max()) + 1
        cut.append(slice(low, high))
        indices.append(index - low)
    values = np.asarray(volume.data[tuple(cut)], dtype=np.float32)
    return np.ascontiguousarray(values[np.ix_(*indices)])


def _fill_outside(values: NDArray[np.float32], start: Triple, shape: Triple) -> NDArray[np.float32]:
    """Replace what is not of the volume by the mean of what is."""
    inside = tuple(
        slice(max(0, -a), max(0, min(n, size - a)))
        for a, n, size in zip(start, values.shape, shape, strict=True)
    )
    filled = np.full(values.shape, values[inside].mean(dtype=np.float64), dtype=np.float32)
    filled[inside] = values[inside]
    return filled
