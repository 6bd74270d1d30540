"""Sums over a part of the particles, kept on disk from one process to the next."""

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from subtomo.errors import DataError
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
        """Read sums that were written.

        Raises
        ------
        DataError
            If the file is missing or damaged.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            n_portions, n_images = arrays.pop("numbers").tolist()
            failures = {str(tomogram): str(reason) for tomogram, reason in arrays.pop("failed")}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path}: the sums of an earlier run are missing or damaged; start afresh with "
                "--overwrite"
            ) from error
        halves = {
            int(name.removeprefix(_HALF)): FourierSums(torch.from_numpy(values).to(device))
            for name, values in arrays.items()
        }
        return PartialSums(halves, n_portions, n_images, failures)
