"""Search of one block: on a coarse grid first, then exactly about the peaks found there."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.block_correlation import BlockCorrelation
from subtomo.picking.matching.coarse_grid import CoarseGrid, choose_grid
from subtomo.picking.matching.exact_map import ExactMap
from subtomo.picking.matching.exact_scores import NOT_SEARCHED, ExactScores
from subtomo.picking.matching.local_deviation import LocalDeviation, widened
from subtomo.picking.matching.orientation_cover import cover_orientations
from subtomo.picking.matching.orientation_profile import SHIFTS, OrientationProfiles
from subtomo.picking.matching.peaks import find_peaks
from subtomo.picking.matching.rotations import RotatedTemplates
from subtomo.picking.matching.running_best import RunningBest
from subtomo.picking.matching.search import SearchResult, search_block, standardised
from subtomo.picking.matching.template import Template

_SHARE = 0.8  # of the scores' variance that the coarse grid has to hold
_LEAST_ROTATIONS = 100
_LEAST_WORK = 500_000_000  # voxels times rotations; less is searched as fast exhaustively
_LEAST_PEAKS, _POSITIONS_A_PEAK = 300, 1000
"""How many peaks are scored exactly: far more than there are particles."""
_PAIRS = 128  # at most, of orientation and shift, about each peak, that are scored exactly
_PAIRS_ALSO = 4  # where only the position is asked for
_ROUNDS = 3  # of moving a peak to its best neighbour; few move twice
_SAMPLED_ROTATIONS, _SAMPLED_POSITIONS = 256, 128
"""How many scores tell the mean and deviation of all: to 0.4 %."""


def search_coarse_to_fine(
    block: NDArray[np.float32],
    template: Template,
    matrices: NDArray[np.float64],
    *,
    transfer: Tensor | None = None,
    searched: NDArray[np.bool_] | None = None,
    also: NDArray[np.bool_] | None = None,
    device: str = "cpu",
) -> SearchResult:
    """Find the peaks that ``search_block`` finds, with their exact scores, in less time.

    Parameters
    ----------
    block, template, matrices, transfer, searched, device : as in ``search_block``
    also : (z, y, x) by position
        Positions that are scored exactly besides: where another search found its peaks.

    Returns
    -------
    SearchResult
        Scores are exact about the peaks of the coarse search (``exact``); elsewhere they are those
        of the coarse search, interpolated and scaled to the same deviation. The sums are
        estimates from a sample of exact scores.

    Raises
    ------
    ShapeError
        If the template does not fit into the block.

    Notes
    -----
    First, template and block are low-passed to the coarsest grid that keeps most of the score's
    variance, and searched there in a sparser set of orientations. Second, about each local maximum
    all orientations are scored in 27 positions by a principal-component basis of the rotated
    templates; the maximum moves to the best, until it stays. Third, the best pairs of position and
    orientation are scored exactly. Where no coarser grid holds enough, or the rotations are few,
    the search is exhaustive.
    """
    where = torch.device(device)
    is_long = len(matrices) >= _LEAST_ROTATIONS and block.size * len(matrices) >= _LEAST_WORK
    grid = None
    if is_long and min(block.shape) >= template.box:
        values = standardised(block, where)
        templates = RotatedTemplates(template, transfer, where)
        some = np.linspace(0, len(matrices) - 1, 8).astype(np.int64)
        grid = choose_grid(
            values, list(templates.normalised(matrices[some])[0]), template.box, _SHARE
        )
    if grid is None:
        return search_block(
            block, template, matrices, transfer=transfer, searched=searched, device=device
        )
    return _CoarseSearch(values, templates, matrices, grid, searched).run(also)


class _CoarseSearch:
    """The steps of a search that starts on a coarse grid."""

    def __init__(
        self,
        values: Tensor,
        templates: RotatedTemplates,
        matrices: NDArray[np.float64],
        grid: CoarseGrid,
        searched: NDArray[np.bool_] | None,
    ) -> None:
        self.values = values
        self.templates = templates
        self.matrices = matrices
        self.grid = grid
        template, n = templates.template, templates.template.box
        valid = [size - n + 1 for size in values.shape]
        self.counts = torch.ones(valid, dtype=torch.bool, device=values.device)
        if searched is not None:
            self.counts = torch.from_numpy(searched).to(values.device)
        wide = widened(values)
        self.squares = wide * wide
        self.weight = None
        if template.is_spherical:
            mask = torch.from_numpy(template.mask).to(values.device) / float(template.mask.sum())
            self.weight = LocalDeviation(wide, self.squares, n, self.counts).weight(mask)
            self.counts = self.weight > 0
        self.exact = ExactScores(values, templates, matrices, self.weight, self.counts)

    def run(self, also: NDArray[np.bool_] | None) -> SearchResult:
        """Go through all steps."""
        step = coarse_step(self.templates.template, float(self.grid.ratio))
        rotations = cover_orientations(self.matrices, self.templates.template.symmetry, step)
        coarse, index = self._coarse_pass(rotations)
        peaks = self._peaks(coarse)
        sample, n_scores = self._sample()
        profiles = OrientationProfiles(
            self.exact,
            self.templates,
            self.matrices,
            rotations,
            float(sample.std()) if len(sample) else 0.0,
        )
        places = profiles.settle(peaks, rounds=_ROUNDS)
        rotation, place = profiles.candidates(places, _PAIRS)
        found = ExactMap.empty(tuple(self.counts.shape))
        found.take(place, rotation, self.exact.at(rotation, place))
        if also is not None:
            rest = np.argwhere(also & (found.score == NOT_SEARCHED))
            rotation, place = profiles.candidates(rest, _PAIRS_ALSO, shifts=SHIFTS[13:14])
            found.take(place, rotation, self.exact.at(rotation, place))
        return self._result(found, coarse, rotations[index], sample, n_scores)

    def _coarse_pass(
        self, rotations: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Search the coarse grid: best score and its number by coarse position; -2 where none."""
        grid, spherical = self.grid, self.templates.template.is_spherical
        score = BlockCorrelation(grid.coarsen_block(self.values, 0.0), grid.coarse_box)
        near = self._near(self._reachable())
        if self.weight is not None:
            weight = torch.where(near, self._near(self.weight), 0.0).contiguous()
        else:
            local = LocalDeviation(
                grid.coarsen_block(widened(self.values), 0.0),
                grid.coarsen_block(self.squares, 1.0),
                grid.coarse_box,
                near,
            )
        best = RunningBest.before_first(score.valid, self.values.device)
        matrix = grid.template_matrix().to(self.values.device)
        for first, size, packed, masks in self.templates.pairs(self.matrices[rotations]):
            small = resample_cube(packed, matrix)
            if spherical:
                for z, planes in score.planes(small):
                    cut = slice(z, z + len(planes))
                    best.update(planes, weight[cut], first=z, rotation=first, n=size)
                continue
            both = score.correlate(small)
            for part in range(size):
                weight = local.weight(resample_cube(widened(masks[part]), matrix))
                one = (both.imag if part else both.real) + 0j
                best.update(one, weight, first=0, rotation=first + part, n=1)
        scores = torch.where(near & (best.index >= 0), best.score, float(NOT_SEARCHED))
        return scores.cpu().numpy(), best.index.clamp_min(0).cpu().numpy()

    def _reachable(self) -> Tensor:
        """Fine positions that are searched or have a neighbour that is."""
        counts = self.counts[None, None].float()
        return torch.nn.functional.max_pool3d(counts, 3, stride=1, padding=1)[0, 0] > 0

    def _near(self, fine: Tensor) -> Tensor:
        """Take the values of the fine positions that are nearest to the coarse ones."""
        z, y, x = (torch.from_numpy(each).to(fine.device) for each in self.grid.nearest())
        return fine[z][:, y][:, :, x]

    def _peaks(self, coarse: NDArray[np.float32]) -> NDArray[np.int64]:
        """Find the coarse map's highest local maxima, as fine positions (m, 3)."""
        found = find_peaks(
            coarse,
            coarse > NOT_SEARCHED,
            min_distance_px=0,
            at_most=max(_LEAST_PEAKS, int(self.counts.sum()) // _POSITIONS_A_PEAK),
        )
        first = np.array([centre[0] for centre in self.grid.centres()])
        place = first + (found.voxel + found.offset) * float(self.grid.ratio)
        return np.clip(np.rint(place), 0, np.array(self.counts.shape) - 1).astype(np.int64)

    def _result(
        self,
        found: ExactMap,
        coarse: NDArray[np.float32],
        rotation: NDArray[np.int64],
        sample: NDArray[np.float64],
        n_scores: int,
    ) -> SearchResult:
        """Fill up with coarse scores what was not scored exactly."""
        counts = self.counts.cpu().numpy()
        known = found.score > NOT_SEARCHED
        scored = coarse > NOT_SEARCHED
        scale = _scale(found, coarse, self.grid)
        places = np.ix_(*_nearest_coarse(self.grid))
        score = np.where(scored, coarse * scale, 0)[places].astype(np.float32)
        index = rotation[places].astype(np.int32)
        score = np.where(known, found.score, score)
        index = np.where(known, found.index, index)
        score[~counts], index[~counts] = 0, -1
        return SearchResult(
            score,
            index,
            n_scores,
            float(sample.mean() * n_scores) if len(sample) else 0.0,
            float((sample**2).mean() * n_scores) if len(sample) else 0.0,
            known,
        )

    def _sample(self) -> tuple[NDArray[np.float64], int]:
        """Score a sample of pairs of rotation and position; say how many pairs there are."""
        places = np.argwhere(self.counts.cpu().numpy())
        if not len(places):
            return np.empty(0), 0
        n = len(self.matrices)
        turns = np.unique(np.linspace(0, n - 1, min(n, _SAMPLED_ROTATIONS)).round()).astype(
            np.int64
        )
        rotation = np.repeat(turns, _SAMPLED_POSITIONS)
        which = np.random.default_rng(0).integers(0, len(places), len(rotation))
        scores = self.exact.at(rotation, places[which])
        return scores[scores > NOT_SEARCHED].astype(np.float64), len(places) * n


def coarse_step(template: Template, ratio: float) -> float:
    """Angle (degrees) between coarse orientations: Crowther's, of two coarse voxels."""
    centre = template.box // 2
    inside = np.argwhere(template.mask > 0.5) - centre
    radius = np.sqrt((inside**2).sum(axis=1).max(initial=1))
    return float(np.degrees(ratio / radius))


def resample_cube(volume: Tensor, matrix: Tensor) -> Tensor:
    """Apply one matrix (m, n) along each axis of a volume (n, n, n)."""
    matrix = matrix.to(volume.dtype)
    for axis in range(3):
        volume = torch.movedim(torch.tensordot(matrix, volume, dims=([1], [axis])), 0, axis)
    return volume


def _nearest_coarse(grid: CoarseGrid) -> list[NDArray[np.int64]]:
    """Coarse position nearest to each fine one, by axis."""
    return [
        np.abs(np.arange(n - grid.box + 1)[:, None] - centre).argmin(axis=1)
        for n, centre in zip(grid.block, grid.centres(), strict=True)
    ]


def _scale(found: ExactMap, coarse: NDArray[np.float32], grid: CoarseGrid) -> float:
    """Factor that makes coarse scores as high as exact ones: their root mean square's ratio."""
    places = np.ix_(*_nearest_coarse(grid))
    near = coarse[places]
    both = (found.score > NOT_SEARCHED) & (near > NOT_SEARCHED)
    exact, rough = (float((x[both].astype(np.float64) ** 2).sum()) for x in (found.score, near))
    return float(np.sqrt(exact / rough)) if rough > 0 else 1.0
