"""From the particles' shares to a model: averaged, symmetrised, filtered and masked."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.sums import ParticleSums, average_of, symmetrised
from subtomo.geometry.rotations import (
    invert_quaternions,
    matrices_from_quaternions,
    multiply_quaternions,
)
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.signal.filters import apply_filter, bandpass

# noise over signal power in a model of few particles; the result hardly depends on it
_REGULARISATION = 0.3
_MEASURED = 0.1  # weight, over its shell's mean, below which a component counts as not measured


@dataclass(frozen=True, eq=False)
class ModelMaker:
    """How a model is made.

    Parameters
    ----------
    box : of the model
    low_pass : Å
    mask : (n, n, n)
    space : "fourier" or "real", see `InitialModelSettings`
    fill_wedge : take components that hardly any particle measured from the model before
    symmetry : to average over, C1 for none
    """

    box: Box
    low_pass: float
    mask: Tensor
    space: str = "fourier"
    fill_wedge: bool = True
    symmetry: str = "C1"

    def make(self, sums: ParticleSums, before: Tensor | None, axes: NDArray[np.float64]) -> Tensor:
        """Make the model.

        Parameters
        ----------
        sums : of the particles' shares
        before : (n, n, n) the model before, which fills what is not measured; or None
        axes : (4,) quaternion, from the symmetry's own axes to the model's

        Returns
        -------
        (n, n, n)
        """
        sums = symmetrised(sums, self.box, self._group(axes))
        if self.space == "real":
            flat = torch.full_like(sums.weight, float(sums.weight[0, 0, 0]))
            sums = ParticleSums(sums.data, flat, sums.power, sums.count)
        elif self.fill_wedge and before is not None:
            sums = self._filled(sums, before)
        average = average_of(sums, self.box, _REGULARISATION)
        filter_ = bandpass((self.box.size,) * 3, self.box.pixel_size, low_pass=self.low_pass)
        return apply_filter(average, filter_) * self.mask

    def _group(self, axes: NDArray[np.float64]) -> Tensor:
        """Rotations of the symmetry about the model's axes (g, 3, 3)."""
        turned = multiply_quaternions(axes, symmetry_quaternions(self.symmetry))
        group = multiply_quaternions(turned, invert_quaternions(np.asarray(axes)[None]))
        return torch.from_numpy(matrices_from_quaternions(group))

    def _filled(self, sums: ParticleSums, before: Tensor) -> ParticleSums:
        """Count the model before as measured where the particles did not."""
        mean = self.box.by_shell(self.box.shell_mean(sums.weight))
        is_empty = (sums.weight < _MEASURED * mean) & (mean > 0)
        spectrum = torch.fft.rfftn(torch.fft.ifftshift(before.double())) * (1 + _REGULARISATION)
        return ParticleSums(
            torch.where(is_empty, spectrum * mean, sums.data),
            torch.where(is_empty, mean, sums.weight),
            sums.power,
            sums.count,
        )


def mean_of(sums: ParticleSums, box: Box, low_pass: float, symmetry: str, space: str) -> Tensor:
    """Make the average of aligned particles, as the models were made but without a mask.

    Parameters
    ----------
    sums : over the particles of a class
    box : of the result
    low_pass : Å
    symmetry : about its own axes, C1 for none
    space : "fourier" or "real"

    Returns
    -------
    (n, n, n) float32; 0 without particles
    """
    if not sums.count:
        return torch.zeros((box.size,) * 3)
    maker = ModelMaker(box, low_pass, torch.ones((box.size,) * 3), space, False, symmetry)
    return maker.make(sums, None, np.array([0.0, 0.0, 0.0, 1.0])).to(torch.float32)
