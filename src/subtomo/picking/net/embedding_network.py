"""The network that describes every place of a tomogram by what is there, whichever way it lies."""

import torch
from torch import Tensor, nn

VOXELS_ACROSS = 10
"""Input voxels across the particle: the network sees every particle at the same size."""
STRIDE = 2
"""Input voxels from one output voxel to the next."""
FIRST = 0.5
"""Input voxel, counted from 0, in the middle of output voxel 0."""
REACH = 24
"""Input voxels on each side that an output voxel depends on, at most; even."""
MULTIPLE = 4
"""Edges of the input are multiples of this number of voxels."""
N_FEATURES = 32
"""Numbers that describe a place."""

_WIDTH, _DEEP = 32, 48


class EmbeddingNetwork(nn.Module):
    """A small 3D U-net, fully convolutional: features, and how likely a body has its centre there.

    Particles of a kind get similar vectors, those of other kinds different ones. At two levels, a
    sixth and a third of a particle wide, it has 265 thousand parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(1, _WIDTH, 4, stride=STRIDE, padding=1, bias=False), *_normed(_WIDTH)
        )
        self.fine = _Residual(_WIDTH)
        self.down = nn.Sequential(
            nn.Conv3d(_WIDTH, _DEEP, 2, stride=2, bias=False), *_normed(_DEEP)
        )
        self.coarse = _Residual(_DEEP)
        self.up = nn.Conv3d(_DEEP, _WIDTH, 1)
        self.merged = nn.Sequential(
            nn.Conv3d(_WIDTH, _WIDTH, 3, padding=1, bias=False), *_normed(_WIDTH)
        )
        self.out = nn.Conv3d(_WIDTH, N_FEATURES + 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Describe every place.

        Parameters
        ----------
        x : (n, 1, z, y, x), mean 0 and standard deviation 1, protein bright, `VOXELS_ACROSS`
            voxels a particle, edges multiples of `MULTIPLE`

        Returns
        -------
        features : (n, `N_FEATURES`, z / 2, y / 2, x / 2)
        centre : (n, z / 2, y / 2, x / 2) log odds that a body has its centre there
        """
        fine = self.fine(self.stem(x))
        coarse = self.up(self.coarse(self.down(fine)))
        merged = self.merged(fine + nn.functional.interpolate(coarse, scale_factor=2))
        out = self.out(merged).float()
        return out[:, :N_FEATURES], out[:, N_FEATURES]


class _Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(width, width, 3, padding=1, bias=False),
            *_normed(width),
            nn.Conv3d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolutions find."""
        return torch.relu(x + self.body(x))


def _normed(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm3d(width), nn.ReLU()
