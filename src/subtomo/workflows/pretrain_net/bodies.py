"""Made-up bodies of many sizes and shapes, as a library that scenes are filled from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.simulation.densities import density_of_molecule
from subtomo.simulation.molecules import PROTEIN_DENSITY, made_up_molecule
from subtomo.simulation.seeds import child_generator

LIBRARY_PIXEL_SIZE = 10.0
"""Å, of the densities."""
_MASS = (300.0, 6000.0)  # kDa
_ELONGATION = (0.35, 3.2)
_EDGE = 40  # voxels of every density


@dataclass(frozen=True, eq=False)
class Library:
    """Densities of many bodies.

    Parameters
    ----------
    densities : (bodies, n, n, n) Da/Å³ at `LIBRARY_PIXEL_SIZE`, centres of mass on voxel ``n // 2``
    masses : (bodies,) kDa
    """

    densities: Tensor
    masses: NDArray[np.float64]

    @property
    def diameters(self) -> NDArray[np.float64]:
        """(bodies,) Å, of balls of the same volume."""
        return np.asarray(2 * (3000 * self.masses / PROTEIN_DENSITY / (4 * np.pi)) ** (1 / 3))


def make_bodies(numbers: Sequence[int], seed: int) -> Library:
    """Make up some of the bodies of a library.

    Parameters
    ----------
    numbers : which; the same number gives the same body
    seed : of the library
    """
    densities = torch.zeros((len(numbers),) + (_EDGE,) * 3)
    masses = np.empty(len(numbers))
    for i, number in enumerate(numbers):
        rng = child_generator(seed + number, "library")
        masses[i] = np.exp(rng.uniform(*np.log(_MASS)))
        elongation = float(np.exp(rng.uniform(*np.log(_ELONGATION))))
        molecule = made_up_molecule(masses[i], seed + number, elongation=elongation)
        densities[i] = _fitted(density_of_molecule(molecule, LIBRARY_PIXEL_SIZE))
    return Library(densities, masses)


def _fitted(density: NDArray[np.float32]) -> Tensor:
    """Cut or pad a density to the library's edge, its middle voxel staying the middle."""
    out = torch.zeros((_EDGE,) * 3)
    half = min(len(density) // 2, _EDGE // 2)
    source, target = len(density) // 2, _EDGE // 2
    inner = slice(source - half, source + half)
    outer = slice(target - half, target + half)
    out[outer, outer, outer] = torch.as_tensor(density[inner, inner, inner])
    return out
