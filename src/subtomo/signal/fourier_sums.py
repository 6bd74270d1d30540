"""Sums of back-projected spectra and of their weights, on a Fourier grid."""

from dataclasses import dataclass

import torch
from torch import Tensor

from subtomo.errors import ShapeError


@dataclass(frozen=True, eq=False)
class FourierSums:
    """What back-projection gathers for one map: data and weight, in double precision.

    Parameters
    ----------
    values : (n, n, n // 2 + 1, 3) float64
        ``rfftn`` layout, zero frequency at index 0, phases relative to voxel n // 2: real part,
        imaginary part and weight. They lie side by side because they are needed together.

    Raises
    ------
    ShapeError
        If the values have another shape or type.

    Examples
    --------
    >>> FourierSums.empty(4).data.shape
    torch.Size([4, 4, 3])
    """

    values: Tensor

    def __post_init__(self) -> None:
        n = self.values.shape[0]
        if tuple(self.values.shape) != (n, n, n // 2 + 1, 3) or n % 2:
            raise ShapeError(
                f"sums have shape {tuple(self.values.shape)}; "
                "expected (n, n, n // 2 + 1, 3), n even"
            )
        if self.values.dtype != torch.float64:
            raise ShapeError(f"sums are of type {self.values.dtype}; expected float64")

    @staticmethod
    def empty(box_size: int, device: str = "cpu") -> "FourierSums":
        """Begin a sum for maps of n³ voxels, n even."""
        shape = (box_size, box_size, box_size // 2 + 1, 3)
        return FourierSums(torch.zeros(shape, dtype=torch.float64, device=device))

    @property
    def box_size(self) -> int:
        """Edge n of the map."""
        return int(self.values.shape[0])

    @property
    def data(self) -> Tensor:
        """Sum of the spectra: (n, n, n // 2 + 1) complex128, a copy."""
        return torch.complex(self.values[..., 0], self.values[..., 1])

    @property
    def weight(self) -> Tensor:
        """Sum of the weights: (n, n, n // 2 + 1) float64, a view."""
        return self.values[..., 2]

    def add(self, other: "FourierSums") -> None:
        """Add another sum to this one, in place."""
        self.values.add_(other.values)

    def __add__(self, other: "FourierSums") -> "FourierSums":
        return FourierSums(self.values + other.values)
