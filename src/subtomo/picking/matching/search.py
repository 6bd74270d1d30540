"""Exhaustive search of one block: every position, every rotation."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import ShapeError
from subtomo.picking.matching.block_correlation import BlockCorrelation
from subtomo.picking.matching.local_deviation import LocalDeviation, widened
from subtomo.picking.matching.rotations import RotatedTemplates
from subtomo.picking.matching.running_best import RunningBest
from subtomo.picking.matching.template import Template


@dataclass(frozen=True, eq=False)
class SearchResult:
    """Best score and rotation of every position where the template fits into the block.

    Parameters
    ----------
    score : (z, y, x) float32, correlation coefficients; 0 where not searched
    index : (z, y, x) int32, the rotation of the best score; -1 where not searched
    n_scores : positions searched times rotations
    total, total_squares : sums over all of them
    exact : (z, y, x) bool, where the score is the best of all rotations and not an estimate
    """

    score: NDArray[np.float32]
    index: NDArray[np.int32]
    n_scores: int
    total: float
    total_squares: float
    exact: NDArray[np.bool_]


def search_block(
    block: NDArray[np.float32],
    template: Template,
    matrices: NDArray[np.float64],
    *,
    transfer: Tensor | None = None,
    searched: NDArray[np.bool_] | None = None,
    device: str = "cpu",
) -> SearchResult:
    """Correlate a template with a block, locally normalised, for all rotations.

    Parameters
    ----------
    block : (z, y, x)
    template : density and mask, n voxels wide
    matrices : (r, 3, 3), reference to tomogram
    transfer : (n, n, n // 2 + 1), ``rfftn`` layout
        Multiplied to every rotated template; None for no weighting.
    searched : (z - n + 1, y - n + 1, x - n + 1)
        Positions that count; None for all.
    device : a torch device

    Returns
    -------
    SearchResult
        Arrays of (z - n + 1, y - n + 1, x - n + 1), all of them exact; entry p belongs to the
        template's centre on voxel ``p + n // 2`` of the block.

    Raises
    ------
    ShapeError
        If the template does not fit into the block.

    Notes
    -----
    Roseman, Ultramicroscopy 94, 225-236 (2003). With a spherical mask the local standard deviation
    is computed once; another mask turns with the template and needs it for every rotation.
    """
    n = template.box
    if min(block.shape) < n:
        raise ShapeError(
            f"template {template.name} is {n} voxels wide, the block {block.shape}; "
            "expected a block that holds it"
        )
    where = torch.device(device)
    values = standardised(block, where)
    score = BlockCorrelation(values, n)
    counts = torch.ones(score.valid, dtype=torch.bool, device=where)
    if searched is not None:
        counts = torch.from_numpy(searched).to(where)
    best = RunningBest.before_first(score.valid, where)
    templates = RotatedTemplates(template, transfer, where)
    wide = widened(values)
    local = LocalDeviation(wide, wide * wide, n, counts)
    weight = local.weight(torch.from_numpy(template.mask).to(where) / float(template.mask.sum()))
    for first, size, packed, masks in templates.pairs(matrices):
        if template.is_spherical:
            for z, planes in score.planes(packed):
                best.update(planes, weight[z : z + len(planes)], first=z, rotation=first, n=size)
            continue
        both = score.correlate(packed)
        for part in range(size):
            weight = local.weight(masks[part])
            one = (both.imag if part else both.real) + 0j
            best.update(one, weight, first=0, rotation=first + part, n=1)
    return _result(best, (weight > 0) & counts, len(matrices))


def standardised(block: NDArray[np.float32], device: torch.device) -> Tensor:
    """Give a block mean 0 and standard deviation 1, so that single precision is enough."""
    mean, deviation = float(block.mean(dtype=np.float64)), float(block.std(dtype=np.float64))
    values = (block - np.float32(mean)) / np.float32(deviation or 1.0)
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)


def _result(best: RunningBest, searched: Tensor, n_rotations: int) -> SearchResult:
    """Bring a search's outcome back to numpy."""
    score = torch.where(searched, best.score, 0.0)
    index = torch.where(searched, best.index, -1)
    total, squares = best.sums.tolist()
    n_scores = int(searched.sum()) * n_rotations
    return SearchResult(
        score.cpu().numpy(),
        index.cpu().numpy(),
        n_scores,
        total,
        squares,
        searched.cpu().numpy(),
    )
