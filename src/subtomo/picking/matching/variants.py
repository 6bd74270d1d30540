"""Whether a template's mirror image or negative fits better: its hand or contrast is wrong then."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.picking.matching.peaks import find_peaks
from subtomo.picking.matching.rotations import RotatedTemplates
from subtomo.picking.matching.search import search_block
from subtomo.picking.matching.template import Template

FloatArray = NDArray[np.float64]

_FIRST_STEP = 30.0  # degrees; every orientation is within reach of the next steps
_NEXT_STEPS = (15.0, 7.5)
_STARTS = 2
_BATCH = 16
_CONTRAST_STEP = 40.0  # degrees: on a coarse grid an overall shape is looked for
_PEAKS = 20
_LEAST_PLACES = 4
_OF_SORTED = 0.05  # of their mean: to what the highest peaks of two kinds of noise agree
_FACES = np.array([[0, 0, 0], *np.eye(3, dtype=int), *-np.eye(3, dtype=int)])
"""Places about a peak that are tried, voxels z, y, x."""


@dataclass(frozen=True)
class Comparison:
    """How much better a variant of a template fits than the template.

    Parameters
    ----------
    given, other : mean of the best scores of the template and of its variant
    error : standard error of their difference
    n : places compared
    """

    given: float
    other: float
    error: float
    n: int

    @property
    def is_other_better(self) -> bool:
        """Whether the variant scores higher beyond doubt: by three standard errors."""
        return self.n >= _LEAST_PLACES and self.other - self.given > max(3 * self.error, 1e-6)


def mirrored(template: Template) -> Template:
    """Mirror a template in the plane z = 0 through its centre."""
    return replace(template, density=_mirror(template.density), mask=_mirror(template.mask))


def compare_hands(
    blocks: list[NDArray[np.float32]], template: Template, transfer: Tensor | None
) -> Comparison:
    """Compare a template with its mirror image where the template scores highest.

    Parameters
    ----------
    blocks : each (n + 2, n + 2, n + 2) about one place, the template being n voxels wide
    template : as given
    transfer : (n, n, n // 2 + 1), of the template, or None

    Returns
    -------
    Comparison
        Each of the two with the best of its own orientations and positions at most a voxel away.
    """
    boxes = [_boxes(block, template.box) for block in blocks]
    best = [_best_scores(boxes, one, transfer) for one in (template, mirrored(template))]
    return _comparison(*best)


def compare_contrasts(
    block: NDArray[np.float32], template: Template, transfer: Tensor | None
) -> Comparison:
    """Compare a template with its negative: the highest peaks of both in one block.

    Parameters
    ----------
    block : (z, y, x), coarse
    template : at the block's pixel size
    transfer : of the template there, or None
    """
    matrices = matrices_from_quaternions(orientation_grid(_CONTRAST_STEP, template.symmetry))
    heights = []
    for sign in (1, -1):
        one = replace(template, density=np.float32(sign) * template.density)
        found = search_block(block, one, matrices, transfer=transfer)
        peaks = find_peaks(
            found.score,
            found.index >= 0,
            min_distance_px=0.3 * template.box,
            at_most=_PEAKS,
        )
        heights.append(peaks.height)
    n = min(len(height) for height in heights)
    given, other = (height[:n] for height in heights)
    means = [float(height.mean()) if n else 0.0 for height in (given, other)]
    return Comparison(means[0], means[1], _OF_SORTED * means[0], n)


def _comparison(given: FloatArray, other: FloatArray) -> Comparison:
    n = len(given)
    error = float((other - given).std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    return Comparison(float(given.mean()), float(other.mean()), error, n)


def _mirror(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn z about the centre voxel n // 2; what an even box lacks comes from its other end."""
    flipped = volume[::-1]
    return np.ascontiguousarray(np.roll(flipped, 1, axis=0) if len(volume) % 2 == 0 else flipped)


def _boxes(block: NDArray[np.float32], n: int) -> Tensor:
    """Cut the boxes (places, n³) of a block about its middle and its six neighbours."""
    cuts = [block[tuple(slice(1 + d, 1 + d + n) for d in offset)] for offset in _FACES]
    values = torch.from_numpy(np.stack(cuts)).reshape(len(cuts), -1)
    return (values - values.mean()) / values.std().clamp_min(1e-30)


def _best_scores(boxes: list[Tensor], template: Template, transfer: Tensor | None) -> FloatArray:
    """Find the best score of a template in each place: all orientations, then finer about them."""
    templates = RotatedTemplates(template, transfer, torch.device("cpu"))
    grid = matrices_from_quaternions(orientation_grid(_FIRST_STEP, template.symmetry))
    scores = _scores(torch.cat(boxes), templates, grid).reshape(len(boxes), len(_FACES), -1)
    best: FloatArray = scores.max(axis=(1, 2))
    for place, each in enumerate(boxes):
        starts = grid[np.argsort(-scores[place].max(axis=0))[:_STARTS]]
        for step in _NEXT_STEPS:
            near = np.concatenate([start @ _about(step) for start in starts])
            found = _scores(each, templates, near).max(axis=0)
            starts = near[np.argsort(-found)[:1]]
            best[place] = max(best[place], found.max())
    return best


def _about(step: float) -> FloatArray:
    """Rotations (27, 3, 3) within a step about each axis, none among them."""
    turns = np.stack(np.meshgrid(*[[-step, 0.0, step]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(Rotation.from_rotvec(turns, degrees=True).as_matrix())


def _scores(boxes: Tensor, templates: RotatedTemplates, matrices: FloatArray) -> FloatArray:
    """Correlation coefficients (boxes, rotations), locally normalised, by matrix products."""
    found = []
    for batch in _even_batches(matrices):
        rotated, masks = templates.normalised(batch)
        count = len(rotated)
        mask = masks.reshape(count, -1).T
        mean = boxes @ mask
        variance = (boxes * boxes) @ mask - mean * mean
        found.append(boxes @ rotated.reshape(count, -1).T * variance.clamp_min(1e-6).rsqrt())
    scores: FloatArray = torch.cat(found, dim=1)[:, : len(matrices)].double().numpy()
    return scores


def _even_batches(matrices: FloatArray) -> Iterator[FloatArray]:
    """Give the matrices a few at a time, two of them at least and an even number."""
    if len(matrices) % 2:
        matrices = np.concatenate([matrices, matrices[-1:]])
    for start in range(0, len(matrices), _BATCH):
        yield matrices[start : start + _BATCH]
