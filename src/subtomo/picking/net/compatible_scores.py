"""Scores of a whole tomogram by the compatible network."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.net.compatible_network import (
    FIRST,
    SHRINK,
    SLICES,
    CompatibleNetwork,
    channels_of_slab,
)

_EDGE = 12  # output voxels along x and y that are emptied
_EDGE_Z = 1
_MOST_EXCEEDING = 5  # neighbours as high as a peak, itself included, as in the original
FIRST_VOXEL = (FIRST, FIRST, 0.0)
"""Input voxel (x, y, z) in the middle of output voxel 0."""


def score_slabs(network: CompatibleNetwork, data: Tensor, device: str) -> NDArray[np.float32]:
    """Score every fourth slab of nine slices.

    Parameters
    ----------
    network : trained
    data : (z, y, x), as `prepare_volume` leaves it
    device : of torch

    Returns
    -------
    (z / 4, y / 4, x / 4), empty at the edges
    """
    network = network.to(device).eval()
    reach = SLICES // 2
    n_z, n_y, n_x = data.shape
    y, x = n_y // SHRINK, n_x // SHRINK
    padded = torch.nn.functional.pad(data, (0, 0, 0, 0, reach, reach))
    out = np.zeros(((n_z - 1) // SHRINK + 1, y, x), dtype=np.float32)
    with torch.no_grad():
        for k in range(len(out)):
            slab = channels_of_slab(padded[k * SHRINK : k * SHRINK + SLICES])
            out[k] = network(slab[None].to(device))[0, :y, :x].cpu().numpy()
    kept = np.zeros_like(out)
    inner = (
        slice(_EDGE_Z, len(out) - _EDGE_Z),
        slice(_EDGE, max(_EDGE, y - _EDGE)),
        slice(_EDGE, max(_EDGE, x - _EDGE)),
    )
    kept[inner] = out[inner]
    return kept


def tolerant_peaks(score: NDArray[np.float32], above: float) -> NDArray[np.int64]:
    """Find voxels (n, 3), z y x, that at most four of their 26 neighbours reach."""
    padded = np.pad(score, 1, constant_values=-np.inf)
    exceeding = np.zeros(score.shape, dtype=np.int64)
    z, y, x = score.shape
    for i in range(3):
        for j in range(3):
            for k in range(3):
                exceeding += padded[i : i + z, j : j + y, k : k + x] >= score
    return np.argwhere((exceeding <= _MOST_EXCEEDING) & (score > above))
