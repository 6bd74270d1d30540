"""Sums over a part of the particles, kept on disk from one process to the next."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from subtomo.formats.atomic import replacing
from subtomo.signal.fourier_sums import FourierSums

_HALF = "half"


@dataclass(eq=False)
class PartialSums:
    """Fourier sums of the halves, and how far they go.

    Parameters
    ----------
    halves : the sums, by half
    n_portions : portions that are in them, or could not be read
    n_images : images that are in them
    failures : why tomograms could not be read, by name
    """

    halves: dict[int, FourierSums]
    n_portions: int = 0
    n_images: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def empty(halves: Iterable[int], box_size: int, device: str = "cpu") -> "PartialSums":
        """Begin with nothing."""
        return PartialSums({half: FourierSums.empty(box_size, device) for half in halves})

    def write(self, path: Path) -> None:
        """Write the sums, whole or not at all."""
        arrays = {f"{_HALF}{half}": sums.values.cpu().numpy() for half, sums in self.halves.items()}
        failed = np.array(list(self.failures.items()), dtype=np.str_).reshape(-1, 2)
        numbers = np.array([self.n_portions, self.n_images])
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, numbers=numbers, failed=failed, **arrays)

    @staticmethod
    def read(path: Path, device: str = "cpu") -> "PartialSums":
        """Read sums that were written."""
        with np.load(path, allow_pickle=False) as file:
            halves = {
                int(name.removeprefix(_HALF)): FourierSums(torch.from_numpy(file[name]).to(device))
                for name in file.files
                if name.startswith(_HALF)
            }
            n_portions, n_images = file["numbers"].tolist()
            failures = {str(tomogram): str(reason) for tomogram, reason in file["failed"]}
            return PartialSums(halves, n_portions, n_images, failures)
