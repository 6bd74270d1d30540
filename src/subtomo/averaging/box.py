"""What all boxes of a size have in common: their masks and grids of frequencies."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from subtomo.signal.fourier import frequency_vectors
from subtomo.signal.masks import soft_sphere

_EDGE = 3.0  # voxels of the ball's soft edge, half of it beyond the faces


@dataclass(frozen=True)
class Box:
    """A cubic box.

    Parameters
    ----------
    size : n, voxels
    pixel_size : Å
    device : of the tensors
    """

    size: int
    pixel_size: float
    device: str = "cpu"

    @cached_property
    def sphere(self) -> Tensor:
        """Soft ball that fills the box (n, n, n): without the corners, which turn out of it.

        It is no smaller, since it also cuts off what the missing wedge smears along z: a ball that
        just holds the particle turned the best orientation of noiseless particles by 2°.
        """
        radius = self.size / 2 - 1
        return soft_sphere((self.size,) * 3, radius, _EDGE, device=self.device)

    @cached_property
    def frequencies(self) -> Tensor:
        """Frequencies of the half transform in Fourier voxels (n, n, n // 2 + 1, 3), x, y, z."""
        return frequency_vectors((self.size,) * 3, 1 / self.size, device=self.device)

    @cached_property
    def shells(self) -> Tensor:
        """Shell of each entry of the half transform (n, n, n // 2 + 1)."""
        shells: Tensor = torch.linalg.vector_norm(self.frequencies, dim=-1).round().long()
        return shells

    def shell_of(self, resolution: float) -> float:
        """Radius in Fourier voxels of a resolution in Å; at most that of the Nyquist shell."""
        return min(self.size * self.pixel_size / resolution, self.size / 2)

    def shell_mean(self, values: Tensor) -> Tensor:
        """Mean over each shell of a half transform's real values: (n // 2 + 1,)."""
        n_shells = self.size // 2 + 1
        shells = self.shells.reshape(-1)
        inside = shells < n_shells
        total, count = torch.zeros(2, n_shells, dtype=torch.float64, device=values.device)
        flat = values.reshape(-1)[inside].double()
        total.index_add_(0, shells[inside], flat)
        count.index_add_(0, shells[inside], torch.ones_like(flat))
        mean: Tensor = total / count.clamp_min(1)
        return mean

    def by_shell(self, values: Tensor) -> Tensor:
        """Spread one value a shell over the half transform; zero beyond the last shell."""
        n_shells = self.size // 2 + 1
        spread = values[self.shells.clamp(max=n_shells - 1)]
        return torch.where(self.shells < n_shells, spread, 0.0)
