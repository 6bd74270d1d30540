"""What pretraining asks for: bodies of a kind alike, their shapes told, their centres found."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from subtomo.picking.net.embedding_network import FIRST, N_FEATURES, STRIDE
from subtomo.workflows.pretrain_net.scenes import N_SHAPE, Scenes

_CENTRE = 1.2  # output voxels: a place this near to a body's centre stands for it
_MARGIN = 2  # output voxels from the faces: nothing there counts
_AWAY = 0.5  # of a body's radius: from here on outwards is background
_HARDEST = 0.02  # of the background, that counts as much as all of it
_SHARPNESS = 8.0  # of the cosine between a place and a kind


@dataclass(frozen=True, eq=False)
class Losses:
    """Losses of a batch.

    Parameters
    ----------
    total : to be lowered
    accuracy : share of the bodies whose kind is told right
    shape : mean squared error of the shapes
    centre : of the centres
    """

    total: Tensor
    accuracy: float
    shape: float
    centre: float


class ShapeReader(nn.Module):
    """Reads a body's shape off the features of its centre; only for pretraining."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(N_FEATURES, N_SHAPE)

    def forward(self, features: Tensor) -> Tensor:
        """Give (n, `N_SHAPE`) for (n, `N_FEATURES`)."""
        shape: Tensor = self.read(features)
        return shape


def episode_loss(features: Tensor, centre: Tensor, scenes: Scenes, reader: ShapeReader) -> Losses:
    """Tell every body's kind by the mean of that kind in all other pieces, its shape, its place.

    Parameters
    ----------
    features : (boxes, channels, m, m, m)
    centre : (boxes, m, m, m) log odds
    scenes : that they describe
    reader : of shapes

    Notes
    -----
    Classification by the nearest mean of a few examples: Snell, Swersky, Zemel, NeurIPS 2017.
    """
    m = features.shape[-1]
    index = (scenes.centres - FIRST) / STRIDE
    inside = ((index > _MARGIN) & (index < m - 1 - _MARGIN)).all(axis=1) & (scenes.kind >= 0)
    z, y, x = torch.as_tensor(np.rint(index[inside]).astype(int)).T
    box, kind = torch.as_tensor(scenes.box[inside]), torch.as_tensor(scenes.kind[inside])
    vectors = features[box, :, z, y, x]
    means, known = _means_of_others(vectors, box, kind, len(features))
    direction = nn.functional.normalize(vectors - vectors.mean(dim=0), dim=1)
    cosine = torch.einsum("nc,nkc->nk", direction, means[box])
    logits = (_SHARPNESS * cosine).masked_fill(~known[box], -torch.inf)
    answered = known[box, kind]
    told = nn.functional.cross_entropy(logits[answered], kind[answered])
    wanted = torch.as_tensor(scenes.shapes, dtype=torch.float32)[kind]
    shape = ((reader(vectors) - wanted) ** 2).mean()
    found = nn.functional.softplus(-centre[box, z, y, x]).mean()
    empty = nn.functional.softplus(centre[_empty_places(index, scenes, m)])
    hardest = empty.topk(max(1, int(_HARDEST * len(empty)))).values
    placed = found + empty.mean() + 0.5 * hardest.mean()
    right = (logits[answered].argmax(dim=1) == kind[answered]).float().mean()
    total = told + 4 * shape + placed
    return Losses(total, float(right), float(shape.detach()), float(placed.detach()))


def _means_of_others(
    vectors: Tensor, box: Tensor, kind: Tensor, n_boxes: int
) -> tuple[Tensor, Tensor]:
    """Give unit means (boxes, kinds, channels) of kinds in all other boxes, and which there are."""
    n_kinds = int(kind.max()) + 1
    centred = vectors - vectors.mean(dim=0)
    sums = torch.zeros(n_boxes, n_kinds, vectors.shape[1])
    counts = torch.zeros(n_boxes, n_kinds)
    sums = sums.index_put((box, kind), centred, accumulate=True)
    counts = counts.index_put((box, kind), torch.ones(len(box)), accumulate=True)
    others = sums.sum(dim=0) - sums
    return nn.functional.normalize(others, dim=2), counts.sum(dim=0) - counts > 0


def _empty_places(index: NDArray[np.float64], scenes: Scenes, m: int) -> Tensor:
    """Tell which places (boxes, m, m, m) are no body's centre, away from the faces."""
    empty = torch.zeros(len(scenes.images), m, m, m, dtype=torch.bool)
    inner = slice(_MARGIN, m - _MARGIN)
    empty[:, inner, inner, inner] = True
    axis = np.arange(m)
    for centre, box, kind, radius in zip(
        index, scenes.box, scenes.kind, scenes.radii / STRIDE, strict=True
    ):
        if kind < 0:
            continue
        z, y, x = ((axis - c) ** 2 for c in centre)
        reach = max(_CENTRE, _AWAY * radius)
        empty[box] &= torch.as_tensor(z[:, None, None] + y[:, None] + x > reach**2)
    return empty
