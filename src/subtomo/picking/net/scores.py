"""Scores of a whole tomogram by a saved net, as volumes of a coarser grid."""

import torch

from subtomo.model import Volume
from subtomo.picking.net.compatible_network import SHRINK, CompatibleNetwork
from subtomo.picking.net.compatible_scores import FIRST_VOXEL, score_slabs
from subtomo.picking.net.compatible_training import prepare_volume
from subtomo.picking.net.saved_net import SavedNet
from subtomo.signal.resampling import resample_volume

SHRUNK = "shrunk"


def score_volume(net: SavedNet, volume: Volume, *, invert: bool, device: str) -> list[Volume]:
    """Score every place of a tomogram.

    Parameters
    ----------
    net : trained
    volume : of the tomogram
    invert : it shows protein dark
    device : of torch

    Returns
    -------
    One volume a class of the net
    """
    return [_compatible_scores(net, volume, -1.0 if invert else 1.0, device)]


def _compatible_scores(net: SavedNet, volume: Volume, sign: float, device: str) -> Volume:
    """Score with the compatible network."""
    if net.numbers[SHRUNK] > 1:
        volume = resample_volume(volume, volume.pixel_size * net.numbers[SHRUNK])
    network = CompatibleNetwork()
    network.load_state_dict(net.weights)
    data = prepare_volume(sign * torch.from_numpy(volume.load()))
    x, y, z = (
        start + first * volume.pixel_size
        for start, first in zip(volume.origin, FIRST_VOXEL, strict=True)
    )
    return Volume(score_slabs(network, data, device), volume.pixel_size * SHRINK, (x, y, z))
