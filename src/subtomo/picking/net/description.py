"""Places of a tomogram described by the pretrained network."""

from dataclasses import dataclass
from importlib.resources import files
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.model import Volume
from subtomo.picking.net.embedding_network import (
    FIRST,
    MULTIPLE,
    N_FEATURES,
    REACH,
    STRIDE,
    EmbeddingNetwork,
)
from subtomo.picking.net.profiles import N_PROFILES, shell_profiles

N_NUMBERS = N_FEATURES + 1 + N_PROFILES
"""Numbers of a place: the features, how much it is the centre of a body, and the profiles."""
_INNER = 64  # input voxels along an edge of what one tile gives
_CROP = 40  # input voxels along an edge of what a single place is described from
_TURNS: tuple[tuple[int, ...], ...] = ((), (0, 1), (0, 2), (1, 2))  # axes reversed together


def load_embedding_network(weights: dict[str, Tensor] | None = None) -> EmbeddingNetwork:
    """Make the network with the weights that come with the package, or with others."""
    network = EmbeddingNetwork()
    if weights is None:
        with (files("subtomo.picking.net") / "embedding_weights.pt").open("rb") as file:
            weights = torch.load(file, map_location="cpu", weights_only=True)
    network.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False)
    return network.eval()


@dataclass(frozen=True, eq=False)
class Description:
    """Numbers for every place of a tomogram, on a grid of its own.

    Parameters
    ----------
    numbers : (`N_NUMBERS`, z, y, x) float16
    pixel_size : Å
    origin : (x, y, z) Å, of its first place
    """

    numbers: NDArray[np.float16]
    pixel_size: float
    origin: tuple[float, float, float]

    def grid(self, values: NDArray[np.floating]) -> Volume:
        """Give values (z, y, x), or one after the other, as a volume on this grid."""
        shaped = np.asarray(values, dtype=np.float32).reshape(self.numbers.shape[1:])
        return Volume(shaped, self.pixel_size, self.origin)

    def flat(self) -> NDArray[np.float16]:
        """Give (places, `N_NUMBERS`)."""
        return self.numbers.reshape(len(self.numbers), -1).T


def describe_volume(network: EmbeddingNetwork, volume: Volume, device: str) -> Description:
    """Describe every place of a prepared tomogram, tile by tile.

    Parameters
    ----------
    network : pretrained
    volume : as ``prepare`` makes it
    device : of torch
    """
    data = torch.from_numpy(volume.load())
    shape = tuple(-(-n // STRIDE) for n in data.shape)
    out = np.zeros((N_NUMBERS, *shape), dtype=np.float16)
    network = network.to(device)
    for start in product(*(range(0, n, _INNER) for n in data.shape)):
        described = _describe(network, _block(data, start)[None], device)[0].numpy()
        first = [s // STRIDE for s in start]
        count = [min(_INNER // STRIDE, n - f) for n, f in zip(shape, first, strict=True)]
        target = tuple(slice(f, f + c) for f, c in zip(first, count, strict=True))
        source = tuple(slice(REACH // STRIDE, REACH // STRIDE + c) for c in count)
        out[(slice(None), *target)] = described[(slice(None), *source)]
    x, y, z = (o + FIRST * volume.pixel_size for o in volume.origin)
    return Description(out, volume.pixel_size * STRIDE, (x, y, z))


def describe_places(
    network: EmbeddingNetwork, volume: Volume, position: NDArray[np.float64], device: str
) -> NDArray[np.float32]:
    """Describe places as they are, and turned half round so that the missing wedge stays.

    Parameters
    ----------
    network : pretrained
    volume : as ``prepare`` makes it
    position : (n, 3) Å, columns x, y, z
    device : of torch

    Returns
    -------
    (n, 4, `N_NUMBERS`), first as they are
    """
    data = torch.from_numpy(volume.load())
    edge = _CROP + STRIDE  # its middle, and so that of every turned one, is that of a place
    padded = torch.nn.functional.pad(data, (edge,) * 6)
    network = network.to(device)
    out = torch.empty(len(position), len(_TURNS), N_NUMBERS)
    corners = np.rint(volume.position_to_index(position) - (edge - 1) / 2).astype(int) + edge
    middle = (edge - 2) // (2 * STRIDE)
    for i, (x, y, z) in enumerate(corners.tolist()):
        crop = padded[z : z + edge, y : y + edge, x : x + edge]
        turned = torch.stack([crop.flip(axes) if axes else crop for axes in _TURNS])
        found = _describe(network, turned[:, :_CROP, :_CROP, :_CROP], device)
        out[i] = found[:, :, middle, middle, middle]
    return out.numpy()


def _block(data: Tensor, start: tuple[int, ...]) -> Tensor:
    """Cut the input of a tile, with zeros outside."""
    edge = _INNER + 2 * REACH
    block = torch.zeros((edge,) * 3)
    low = [max(0, s - REACH) for s in start]
    high = [min(n, s - REACH + edge) for n, s in zip(data.shape, start, strict=True)]
    target = tuple(
        slice(a - s + REACH, b - s + REACH) for a, b, s in zip(low, high, start, strict=True)
    )
    block[target] = data[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return block


def _describe(network: EmbeddingNetwork, blocks: Tensor, device: str) -> Tensor:
    """Describe blocks (n, z, y, x): (n, `N_NUMBERS`, z / 2, y / 2, x / 2)."""
    with torch.no_grad():
        features, centre = network(blocks[:, None].to(device))
    return torch.cat([features, centre[:, None], shell_profiles(blocks.to(device))], dim=1).cpu()


assert _INNER % MULTIPLE == 0
assert REACH % MULTIPLE == 0
