"""Search of all orientations of a particle: coarse with low frequencies, then finer with all."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.correlation import Band, Observed, correlate, observe
from subtomo.geometry.orientation_grid import local_orientations, orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions, multiply_quaternions

FloatArray = NDArray[np.float64]

_IDENTITY = (0.0, 0.0, 0.0, 1.0)
_COARSE = 2 / 3  # radius of the band of the first look, over that of the whole
# degrees times the band's radius in Fourier voxels: 30° at 6.4, half a box of 32 wide, where one
# step turns the rim of a body that fills half the box by a fifth of the finest wave
_STEP = 190.0
_STEPS_DEG = (4.0, 30.0)
_KEPT, _REFINED = 12, 3  # orientations of the first look, and of the second, that are refined


@dataclass(frozen=True, eq=False)
class FoundPose:
    """Where a particle fits a model best.

    Parameters
    ----------
    orientation : (4,) quaternion x, y, z, w, model to box
    shift_px : (3,) voxels, x, y, z, from where shifts count
    score : correlation coefficient
    """

    orientation: FloatArray
    shift_px: FloatArray
    score: float


@dataclass(frozen=True)
class Bands:
    """The bands of both looks.

    Parameters
    ----------
    whole : of the second
    """

    whole: Band

    @cached_property
    def coarse(self) -> Band:
        """Of the first."""
        return Band(self.whole.box, _COARSE * self.whole.radius, self.whole.max_shift_px)

    @property
    def step_deg(self) -> float:
        """Spacing of the orientations of the first look."""
        low, high = _STEPS_DEG
        return min(max(_STEP / self.whole.radius, low), high)


@dataclass(frozen=True, eq=False)
class ObservedTwice:
    """A particle, ready for both looks."""

    coarse: Observed
    whole: Observed


def observe_twice(
    one: Tensor, transfer: Tensor, start_px: Tensor, weights: Tensor, bands: Bands
) -> ObservedTwice:
    """Transform and weight a particle; parameters as those of `observe`."""
    coarse, whole = (
        observe(one, transfer, start_px, weights, band) for band in (bands.coarse, bands.whole)
    )
    return ObservedTwice(coarse, whole)


def find_pose(
    spectrum: Tensor, particle: ObservedTwice, bands: Bands, turn: FloatArray
) -> FoundPose:
    """Search all orientations and shifts for the best.

    Parameters
    ----------
    spectrum : of the model, from `prepare_reference`
    particle : from `observe_twice`
    bands : as there
    turn : (4,) quaternion that the grid of orientations is turned by: another each time, so that
        no particle is held by the grid
    """
    step = bands.step_deg
    grid = multiply_quaternions(_grid(step), turn)
    scores, _ = _look(spectrum, particle.coarse, grid, bands.coarse)
    near = grid[_best(scores, _KEPT)]
    found = _best_around(spectrum, particle.whole, near, step / 2, bands.whole)
    found.sort(key=lambda pose: -pose.score)
    first = np.array([pose.orientation for pose in found[:_REFINED]])
    finer = _best_around(spectrum, particle.whole, first, step / 4, bands.whole)
    return max(finer, key=lambda pose: pose.score)


def _look(
    spectrum: Tensor, observed: Observed, orientations: FloatArray, band: Band
) -> tuple[Tensor, Tensor]:
    """Scores (r,) and shifts (r, 3) at some orientations."""
    matrices = torch.from_numpy(matrices_from_quaternions(orientations)).to(spectrum.device)
    return correlate(spectrum, observed, matrices, band)


def _best_around(
    spectrum: Tensor, observed: Observed, near: FloatArray, step_deg: float, band: Band
) -> list[FoundPose]:
    """Find the best pose within a step of each of some orientations."""
    turns = local_orientations(_IDENTITY, step_deg, step_deg)
    tried = np.concatenate([multiply_quaternions(turns, one) for one in near])
    scores, shifts = _look(spectrum, observed, tried, band)
    places = scores.reshape(len(near), -1).argmax(dim=1).cpu() + torch.arange(len(near)) * len(
        turns
    )
    return [
        FoundPose(tried[i], shifts[i].double().cpu().numpy(), float(scores[i]))
        for i in places.tolist()
    ]


def _best(scores: Tensor, count: int) -> NDArray[np.int64]:
    """Places of the best scores, best first."""
    order = torch.argsort(scores, descending=True, stable=True)
    return np.asarray(order[:count].cpu().numpy())


@cache
def _grid(step_deg: float) -> FloatArray:
    return orientation_grid(step_deg)
