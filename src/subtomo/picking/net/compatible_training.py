"""Training of the compatible network from boxes around picks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from subtomo.picking.net.compatible_network import (
    BOX,
    SLICES,
    CompatibleNetwork,
    box_loss,
    centre_scores,
    channels_of_slab,
)
from subtomo.picking.net.curve import Epoch, epoch_of

_BATCH = 32
_REDRAWN = 20  # passes after which the turned copies are made anew
_HIGH_PASS = 8.0  # Fourier voxels of the longest axis


@dataclass(frozen=True)
class CompatibleOptions:
    """Options of the training; see ``NetTrainSettings``."""

    target_size: float
    learning_rate: float
    iterations: int
    samples: int
    positive_weight: float
    loss: str
    threshold: float
    seed: int


def prepare_volume(data: Tensor) -> Tensor:
    """High-pass (z, y, x) with a Gaussian, and bring it to mean 0 and standard deviation 1."""
    shape = data.shape
    squared = torch.zeros(1)
    longest = max(shape)
    for axis, n in enumerate(shape):
        half = axis == data.ndim - 1
        k = (torch.fft.rfftfreq(n) if half else torch.fft.fftfreq(n)) * longest
        squared = squared + (k**2).reshape([-1 if i == axis else 1 for i in range(data.ndim)])
    spectrum = torch.fft.rfftn(data)
    spectrum *= 1 - torch.exp(-squared / (2 * _HIGH_PASS**2))
    out: Tensor = torch.fft.irfftn(spectrum, s=shape)
    scaled: Tensor = (out - out.mean()) / out.std().clamp_min(1e-12)
    return scaled


def cut_boxes(data: Tensor, index: NDArray[np.floating]) -> Tensor:
    """Cut (n, 3, 96, 96) boxes about indices (n, 3), columns x, y, z; outside is 0."""
    half = BOX // 2
    reach = SLICES // 2
    padded = torch.nn.functional.pad(data, (half, half, half, half, reach, reach))
    boxes = torch.empty(len(index), 3, BOX, BOX)
    for i, (x, y, z) in enumerate(np.rint(index).astype(int).tolist()):
        boxes[i] = channels_of_slab(padded[z : z + SLICES, y : y + BOX, x : x + BOX])
    return boxes


def turned_copies(boxes: Tensor, count: int, rng: np.random.Generator) -> Tensor:
    """Turn boxes (n, 3, m, m) in their plane at random under a soft circle, ``count`` copies."""
    circle = _soft_circle()
    which = np.resize(rng.permutation(len(boxes)), count)
    copies = torch.empty(count, *boxes.shape[1:])
    for i, (box, angle) in enumerate(zip(which, rng.uniform(0, 360, count), strict=True)):
        turned = ndimage.rotate(boxes[box].numpy(), angle, axes=(1, 2), reshape=False, order=1)
        copies[i] = torch.from_numpy(turned) * circle
    return copies


def train_compatible(
    boxes: Tensor,
    is_positive: NDArray[np.bool_],
    is_held_out: NDArray[np.bool_],
    options: CompatibleOptions,
    *,
    network: CompatibleNetwork,
    device: str,
    report: Callable[[Epoch], None],
) -> CompatibleNetwork:
    """Train on turned copies of boxes; validate on those held out.

    Parameters
    ----------
    boxes : (n, 3, 96, 96)
    is_positive, is_held_out : (n,)
    options : of the training
    network : to begin with; is changed
    device : of torch
    report : called after every pass
    """
    rng = np.random.default_rng([options.seed, 2])
    network = network.to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=options.learning_rate)
    inputs, truth = torch.empty(0), torch.empty(0)
    held_out = (boxes[is_held_out] * _soft_circle()).to(device)
    for epoch in range(1, options.iterations + 1):
        if (epoch - 1) % _REDRAWN == 0:
            inputs, truth = _samples(boxes, is_positive, ~is_held_out, options.samples, rng)
        losses = []
        for rows in _batches(rng.permutation(len(inputs))):
            scores = network(inputs[rows].to(device))
            loss = box_loss(
                scores,
                truth[rows].to(device),
                target_size=options.target_size,
                positive_weight=options.positive_weight,
                kind="max" if options.loss == "max" else "sum",
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch declares no types here
            optimiser.step()
            losses.append(float(loss.detach()))
        with torch.no_grad():
            found = centre_scores(network(held_out)).cpu().numpy() >= options.threshold
        is_true = is_positive[is_held_out]
        report(epoch_of(epoch, float(np.mean(losses)), found & is_true, found, is_true))
    return network.cpu()


def _samples(
    boxes: Tensor,
    is_positive: NDArray[np.bool_],
    is_used: NDArray[np.bool_],
    count: int,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Make turned copies of the boxes of either kind, and tell which are positive."""
    parts = [turned_copies(boxes[is_used & (is_positive == kind)], count, rng) for kind in (1, 0)]
    return torch.cat(parts), torch.arange(2 * count) < count


def _batches(order: NDArray[np.int64]) -> list[Tensor]:
    """Cut an order of samples into batches."""
    return [torch.from_numpy(order[i : i + _BATCH]) for i in range(0, len(order), _BATCH)]


def _soft_circle() -> Tensor:
    """Mask (96, 96): 1 in a circle 6 voxels narrower than the box, falling off over 4 more."""
    axis = torch.arange(BOX) - BOX / 2 + 0.5
    radius = (axis[:, None] ** 2 + axis**2).sqrt()
    return torch.exp(-(((radius - (BOX / 2 - 6)).clamp_min(0) / 4) ** 2))
