"""Where the axes of a model's symmetry are."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.correlation import Band, Observed, correlate, observe, prepare_reference
from subtomo.geometry.orientation_grid import local_orientations, orientation_grid
from subtomo.geometry.rotations import (
    invert_quaternions,
    matrices_from_quaternions,
    multiply_quaternions,
)
from subtomo.geometry.symmetry import symmetry_quaternions

FloatArray = NDArray[np.float64]

_SPACING_DEG = 15.0  # of the first grid; steps halve from there
_HALVINGS = 4
_REFINED = 5  # best of the first grid
_IDENTITY = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class FoundAxes:
    """The axes of a symmetry in a model.

    Parameters
    ----------
    axes : (4,) quaternion, from the symmetry's own axes to the model's
    centre_px : (3,) voxels, x, y, z, where they meet, from voxel n // 2
    score : mean correlation of the model with itself, turned by the group
    """

    axes: FloatArray
    centre_px: FloatArray
    score: float


def find_axes(model: Tensor, band: Band, symmetry: str) -> FoundAxes:
    """Find the orientation in which a model agrees best with itself under a point group.

    Parameters
    ----------
    model : (n, n, n)
    band : of the comparison, with the largest shift of a turned model
    symmetry : other than C1

    Returns
    -------
    FoundAxes
    """
    whole = torch.ones(band.box.size, band.box.size, band.box.size // 2 + 1)
    weights = torch.ones(band.box.size // 2 + 1)
    observed = observe(model, whole, torch.zeros(3), weights, band)
    spectrum = prepare_reference(model)
    group = symmetry_quaternions(symmetry)[1:]
    tried = orientation_grid(_SPACING_DEG, symmetry)
    scores = _agreement(spectrum, observed, band, tried, group)[0]
    best = tried[np.argsort(-scores, kind="stable")[:_REFINED]]
    found = [_refined(spectrum, observed, band, one, group) for one in best]
    return max(found, key=lambda one: one.score)


def _refined(
    spectrum: Tensor, observed: Observed, band: Band, axes: FloatArray, group: FloatArray
) -> FoundAxes:
    """Follow one orientation uphill, by steps that halve."""
    for halving in range(1, _HALVINGS + 1):
        step = _SPACING_DEG * 0.5**halving
        tried = multiply_quaternions(local_orientations(_IDENTITY, 2 * step, step), axes)
        scores, shifts = _agreement(spectrum, observed, band, tried, group)
        i = int(scores.argmax())
        axes, score, shift = tried[i], float(scores[i]), shifts[i]
    return FoundAxes(axes, _centre(axes, group, shift), score)


def _agreement(
    spectrum: Tensor, observed: Observed, band: Band, axes: FloatArray, group: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean score (a,) of the group about each frame of axes, and its turns' shifts (a, g, 3)."""
    turns = np.stack([_about(one, group) for one in axes]).reshape(-1, 4)
    matrices = torch.from_numpy(matrices_from_quaternions(turns))
    scores, shifts = correlate(spectrum, observed, matrices, band)
    shape = (len(axes), len(group))
    return (
        scores.double().numpy().reshape(shape).mean(axis=1),
        shifts.double().numpy().reshape(*shape, 3),
    )


def _about(axes: FloatArray, group: FloatArray) -> FloatArray:
    """Rotations of a group about other axes."""
    turned = multiply_quaternions(axes, group)
    return multiply_quaternions(turned, invert_quaternions(axes[None]))


def _centre(axes: FloatArray, group: FloatArray, shifts_px: FloatArray) -> FloatArray:
    """Solve ``shift = (1 - R) centre`` for all rotations: the smallest centre that does best."""
    matrices = matrices_from_quaternions(_about(axes, group))
    system = (np.eye(3) - matrices).reshape(-1, 3)
    centre = np.linalg.lstsq(system, shifts_px.reshape(-1), rcond=1e-6)[0]
    return np.asarray(centre, dtype=np.float64)
