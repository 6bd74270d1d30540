"""Scores of a whole tomogram by a saved net, as volumes of a coarser grid."""

import torch

from subtomo.model import Volume
from subtomo.picking.net.compatible_network import SHRINK, CompatibleNetwork
from subtomo.picking.net.compatible_scores import FIRST_VOXEL, score_slabs
from subtomo.picking.net.compatible_training import prepare_volume
from subtomo.picking.net.description import describe_volume, load_embedding_network
from subtomo.picking.net.embedding_network import EmbeddingNetwork
from subtomo.picking.net.head import Head
from subtomo.picking.net.preparation import prepare
from subtomo.picking.net.saved_net import SavedNet
from subtomo.signal.resampling import resample_volume

SHRUNK = "shrunk"
"""Number of a net: voxels of its grid over those of the tomogram."""
DIAMETER = "diameter"
"""Number of a net: of the particles, Å."""
EMBEDDING = "embedding."
"""Start of the names of the weights of the network that describes places."""


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
    if net.network == "compatible":
        return [_compatible_scores(net, volume, -1.0 if invert else 1.0, device)]
    prepared = prepare(volume, net.numbers[DIAMETER], invert=invert)
    described = describe_volume(embedding_of(net), prepared, device)
    scores = Head.of_tensors(net.weights).scores(described.flat())
    return [described.grid(of_class) for of_class in scores]


def embedding_of(net: SavedNet) -> EmbeddingNetwork:
    """Make the network that describes places for a net."""
    own = {k.removeprefix(EMBEDDING): v for k, v in net.weights.items() if k.startswith(EMBEDDING)}
    return load_embedding_network(own)


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
