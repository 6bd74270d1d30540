"""Local alignment of particles around given poses."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.correlation import Band, correlate, observe
from subtomo.geometry.orientation_grid import local_orientations
from subtomo.geometry.rotations import matrices_from_quaternions, multiply_quaternions
from subtomo.signal.fourier_sampling import Kernel

_IDENTITY = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Poses:
    """Poses of particles in their boxes.

    Parameters
    ----------
    orientation : (b, 4) quaternions x, y, z, w, reference to box
    shift_px : (b, 3) voxels, x, y, z, from the starting position
    score : (b,) correlation coefficient, NaN before alignment
    """

    orientation: NDArray[np.float64]
    shift_px: NDArray[np.float64]
    score: NDArray[np.float64]


def align_particles(
    boxes: Tensor,
    transfers: Tensor,
    starts_px: Tensor,
    poses: Poses,
    spectrum: Tensor,
    weights: Tensor,
    band: Band,
    *,
    range_deg: float,
    step_deg: float,
    kernel: Kernel | None = None,
) -> Poses:
    """Search the rotations around each particle's pose, and all shifts within reach.

    First a grid over the range, then one of half the step around the best.

    Parameters
    ----------
    boxes : (b, n, n, n)
    transfers : (b, n, n, n // 2 + 1)
    starts_px : (b, 3) x, y, z, starting positions from voxel n // 2
    poses : where to search from; shifts are searched anew around the starting positions
    spectrum : of the reference, from `prepare_reference`
    weights : (n // 2 + 1,) by shell
    band : components and shifts
    range_deg, step_deg : of the first grid

    Returns
    -------
    Poses
    """
    wide = local_orientations(_IDENTITY, range_deg, step_deg)
    fine = local_orientations(_IDENTITY, step_deg, step_deg / 2)
    found = []
    for i in range(len(boxes)):
        observed = observe(boxes[i], transfers[i], starts_px[i], weights, band)
        orientation = poses.orientation[i]
        score, shift = -np.inf, np.zeros(3)
        for turns in (wide, fine):
            tried = multiply_quaternions(turns, orientation)
            matrices = torch.from_numpy(matrices_from_quaternions(tried)).to(boxes.device)
            scores, shifts = correlate(spectrum, observed, matrices, band, kernel=kernel)
            best = int(scores.argmax())
            if float(scores[best]) > score:
                score, shift = float(scores[best]), shifts[best].cpu().double().numpy()
                orientation = tried[best]
        found.append((orientation, shift, score))
    return Poses(
        np.array([f[0] for f in found]).reshape(-1, 4),
        np.array([f[1] for f in found]).reshape(-1, 3),
        np.array([f[2] for f in found]),
    )


def count_rotations(range_deg: float, step_deg: float) -> int:
    """Count the rotations that `align_particles` tries for a particle."""
    return sum(
        len(local_orientations(_IDENTITY, reach, step))
        for reach, step in ((range_deg, step_deg), (step_deg, step_deg / 2))
    )
