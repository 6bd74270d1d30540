"""All rotations of a template, or of its mask, as combinations of a few volumes."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.rotations import RotatedTemplates

_SAMPLE = 768  # rotations that the components come from; more than are kept
_BATCH = 64  # rotations prepared at a time
_LEAST_POWER = 1e-6  # of a component, over the first's: single precision holds no less


class TemplateBasis:
    """The principal components of rotated volumes, and every rotation's share of each.

    Parameters
    ----------
    templates : that make the rotations
    matrices : (r, 3, 3)
    energy : share of the rotations' power that the components hold together
    most : components at most
    of_masks : take the masks, not the templates

    Attributes
    ----------
    vectors : (v, k) float32, orthonormal; v voxels of ``templates.support``
    lost : share of the power of all rotations that the components do not hold
    shares : (r, k) float32; ``shares @ vectors.T`` is about the rotated volumes
    """

    def __init__(
        self,
        templates: RotatedTemplates,
        matrices: NDArray[np.float64],
        *,
        energy: float,
        most: int,
        of_masks: bool = False,
    ) -> None:
        self._templates = templates
        self._of_masks = of_masks
        self._support = templates.support.flatten().nonzero()[:, 0]
        n = len(matrices)
        some = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).round().astype(np.int64))
        sample = torch.cat(list(self._rows(matrices[some])))
        self.vectors = principal_components(sample, energy=energy, most=most)
        shares, power = [], 0.0
        for rows in self._rows(matrices):
            shares.append(rows @ self.vectors)
            power += float((rows * rows).sum())
        self.shares = torch.cat(shares)
        self.lost = max(0.0, 1 - float((self.shares * self.shares).sum()) / power)

    def _rows(self, matrices: NDArray[np.float64]) -> Iterator[Tensor]:
        """Prepare rotations, some (r, v) at a time."""
        for start in range(0, len(matrices), _BATCH):
            batch = matrices[start : start + _BATCH]
            even = np.concatenate([batch, batch[-1:]]) if len(batch) % 2 else batch
            volumes = self._templates.normalised(even)[self._of_masks]
            yield volumes.flatten(1)[: len(batch), self._support]


def principal_components(rows: Tensor, *, energy: float, most: int) -> Tensor:
    """Find orthonormal vectors (v, k) that hold a share of the power of rows (n, v)."""
    power, turns = torch.linalg.eigh((rows @ rows.T).double())
    power, turns = power.flip(0).clamp_min(0), turns.flip(1)
    held = power.cumsum(0) / power.sum()
    strong = int((power > _LEAST_POWER * power[0]).sum())
    k = min(most, strong, int((held < energy).sum()) + 1)
    vectors: Tensor = (rows.T @ turns[:, :k].float()) / power[:k].sqrt().float()
    return vectors
