"""The best orientations about chosen positions, by the components of the rotated templates."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.exact_scores import ExactScores
from subtomo.picking.matching.rotations import RotatedTemplates
from subtomo.picking.matching.template_basis import TemplateBasis

SHIFTS = np.array(list(product((-1, 0, 1), repeat=3)))
"""(27, 3) z, y, x: a position and its neighbours."""
_FACES = np.flatnonzero(np.abs(SHIFTS).sum(axis=1) == 1)
_ENERGY = 0.99  # of the rotated templates
_MARGIN = 4.0
"""Standard deviations of the difference of two scores' parts that the components do not hold."""
_MOST = 512  # components
_MASK_ENERGY = 0.99999  # of the rotated masks: a mean square is near the square of the mean
_POSITIONS = 512  # at a time
_ROTATIONS = 1024  # at a time
_FLAT = 0.01  # variance below which approximate deviations say nothing


@dataclass(frozen=True, eq=False)
class Profile:
    """The most promising pairs of orientation and shift about each position.

    Parameters
    ----------
    score : (m, k) approximate scores, the best first
    rotation : (m, k)
    shift : (m, k) rows of the shifts
    shift_score : (m, s) approximate, of the best orientation for each shift
    shift_rotation : (m, s) that orientation
    """

    score: Tensor
    rotation: Tensor
    shift: Tensor
    shift_score: Tensor
    shift_rotation: Tensor


class OrientationProfiles:
    """Approximate scores of all orientations about chosen positions, by matrix products.

    Parameters
    ----------
    exact : of the block
    templates : that make the rotations
    matrices : (r, 3, 3)
    sparse : (c,) rows of ``matrices`` that cover the others
    deviation : of the scores
    """

    def __init__(
        self,
        exact: ExactScores,
        templates: RotatedTemplates,
        matrices: NDArray[np.float64],
        sparse: NDArray[np.int64],
        deviation: float,
    ) -> None:
        self._exact = exact
        self._sparse = torch.from_numpy(sparse)
        self._basis = TemplateBasis(templates, matrices, energy=_ENERGY, most=_MOST)
        self._margin = _MARGIN * deviation * float(np.sqrt(2 * self._basis.lost))
        self._masks = None
        if not templates.template.is_spherical:
            self._masks = TemplateBasis(
                templates, matrices, energy=_MASK_ENERGY, most=_MOST, of_masks=True
            )

    def settle(self, position: NDArray[np.int64], *, rounds: int) -> NDArray[np.int64]:
        """Move positions to the best of their neighbours until they stay.

        The sparse orientations decide.

        Parameters
        ----------
        position : (m, 3) z, y, x
        rounds : at most

        Returns
        -------
        (n, 3), without repetition
        """
        position = np.unique(position, axis=0)
        settled = []
        for _ in range(rounds):
            if not len(position):
                break
            best = (
                torch.cat(
                    [
                        self.at(part, 1, rotations=self._sparse).shift[:, 0]
                        for part in _parts(position)
                    ]
                )
                .cpu()
                .numpy()
            )
            moved = position + SHIFTS[best]
            stays = (moved == position).all(axis=1)
            settled.append(position[stays])
            position = np.unique(moved[~stays], axis=0)
        return np.unique(np.concatenate([*settled, position]), axis=0)

    def at(
        self,
        position: NDArray[np.int64],
        k: int,
        *,
        shifts: NDArray[np.int64] = SHIFTS,
        rotations: Tensor | None = None,
    ) -> Profile:
        """Compute the profiles of some positions (m, 3), k pairs of each, among some shifts.

        Rotations count in the rows of ``rotations``, where they are given.
        """
        shares = _chosen(self._basis.shares, rotations)
        m, device = len(position), shares.device
        around = (position[:, None] + shifts).reshape(-1, 3)
        values, weight = self._exact.patches(around)
        terms = values @ self._basis.vectors
        if weight is not None:
            terms *= weight[:, None]
        if self._masks is not None:
            mask_shares = _chosen(self._masks.shares, rotations)
            means, squares = (x @ self._masks.vectors for x in (values, values * values))
        k = min(k, len(shares))
        score = torch.full((m, k), -2.0, device=device)
        rotation, shift = (torch.zeros((m, k), dtype=torch.int64, device=device) for _ in range(2))
        shift_score = torch.full((m, len(shifts)), -2.0, device=device)
        shift_rotation = torch.zeros((m, len(shifts)), dtype=torch.int64, device=device)
        for start in range(0, len(shares), _ROTATIONS):
            some = slice(start, start + _ROTATIONS)
            scores = terms @ shares[some].T
            if self._masks is not None:
                mean, square = (x @ mask_shares[some].T for x in (means, squares))
                scores *= (square - mean * mean).clamp_min(_FLAT).rsqrt()
            table = scores.view(m, len(shifts), -1)
            best, which = table.max(dim=1)
            numbers = torch.arange(start, start + table.shape[2], device=device)
            every = torch.cat([score, best], dim=1)
            score, order = every.topk(k, dim=1)
            rotation = torch.cat([rotation, numbers.expand(m, -1)], dim=1).gather(1, order)
            shift = torch.cat([shift, which], dim=1).gather(1, order)
            best, which = table.max(dim=2)
            better = best > shift_score
            shift_score = torch.where(better, best, shift_score)
            shift_rotation = torch.where(better, which + start, shift_rotation)
        return Profile(score, rotation, shift, shift_score, shift_rotation)

    def candidates(
        self, position: NDArray[np.int64], k: int, *, shifts: NDArray[np.int64] = SHIFTS
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """List the pairs that deserve an exact score about some positions (m, 3).

        Parameters
        ----------
        k : pairs about each position, at most; besides the best of each neighbour along an axis
        shifts : (s, 3) z, y, x

        Returns
        -------
        rotation : (n,)
        place : (n, 3) z, y, x
        """
        rotations, places = [], []
        for part in _parts(position):
            found = self.at(part, k, shifts=shifts)
            near = (found.score >= found.score[:, :1] - self._margin).cpu().numpy()
            which, rank = np.nonzero(near)
            rotations.append(found.rotation.cpu().numpy()[which, rank])
            places.append(part[which] + shifts[found.shift.cpu().numpy()[which, rank]])
            if len(shifts) == len(SHIFTS):
                rotations.append(found.shift_rotation.cpu().numpy()[:, _FACES].ravel())
                places.append((part[:, None] + SHIFTS[_FACES]).reshape(-1, 3))
        if not rotations:
            return np.empty(0, dtype=np.int64), np.empty((0, 3), dtype=np.int64)
        pairs = np.unique(
            np.column_stack([np.concatenate(rotations), np.concatenate(places)]), axis=0
        )
        return pairs[:, 0], pairs[:, 1:]


def _chosen(shares: Tensor, rotations: Tensor | None) -> Tensor:
    """Take the rows of some rotations, or all."""
    return shares if rotations is None else shares[rotations.to(shares.device)]


def _parts(position: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cut positions into parts that memory holds."""
    return [position[i : i + _POSITIONS] for i in range(0, len(position), _POSITIONS)]
