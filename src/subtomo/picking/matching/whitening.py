"""A filter that gives a tomogram equal power at all frequencies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.picking.matching.noise import taper
from subtomo.signal.fourier import frequency_radius

_SHELLS = 40  # enough for the rings of a CTF, few enough that each holds many components
_FLOOR = 1e-3  # of the greatest power: weaker components, a filter's or a wedge's, stay weak


@dataclass(frozen=True, eq=False)
class PowerSpectrum:
    """Mean power by frequency.

    Parameters
    ----------
    frequency : (shell,) 1/Å, centres of the shells
    power : (shell,), in any unit
    """

    frequency: NDArray[np.float64]
    power: NDArray[np.float64]

    def whitening(self, shape: Sequence[int], pixel_size: float) -> Tensor:
        """Make the filter (z, y, x // 2 + 1), at most 1 where the power is greatest."""
        radius = frequency_radius(shape, pixel_size).numpy()
        relative = np.maximum(self.power / self.power.max(), _FLOOR)
        gain = np.interp(radius, self.frequency, relative**-0.5)
        return torch.from_numpy(gain.astype(np.float32))


def power_spectrum(block: NDArray[np.float32], pixel_size: float) -> PowerSpectrum:
    """Measure the mean power of a block by frequency.

    Parameters
    ----------
    block : (z, y, x)
    pixel_size : Å
    """
    power = (torch.fft.rfftn(taper(torch.from_numpy(block).double())).abs() ** 2).numpy().ravel()
    radius = frequency_radius(block.shape, pixel_size, dtype=torch.float64).numpy().ravel()
    edges = np.linspace(0, radius.max() * (1 + 1e-9), _SHELLS + 1)
    shell = np.digitize(radius, edges) - 1
    count = np.bincount(shell, minlength=_SHELLS)
    total = np.bincount(shell, power, minlength=_SHELLS)
    filled = count > 0
    return PowerSpectrum((edges[1:] + edges[:-1])[filled] / 2, total[filled] / count[filled])
