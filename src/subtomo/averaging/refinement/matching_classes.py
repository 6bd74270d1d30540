"""The same classes in both halves, where they started at random."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from subtomo.averaging.box import Box
from subtomo.averaging.poses import ClassPoses
from subtomo.averaging.reference import low_passed
from subtomo.averaging.stages import StageResult
from subtomo.averaging.sums import ParticleSums, average_of

_REGULARISATION = 0.1


def match_classes(
    stage: StageResult, half: NDArray[np.int64], box: Box, resolution: float
) -> StageResult:
    """Give the classes of the second half the numbers of those of the first that they resemble.

    Parameters
    ----------
    stage : whose halves may have found the same classes in another order
    half : (n,) of each particle
    box : of the particles
    resolution : Å, to which the classes are compared

    Returns
    -------
    StageResult

    Notes
    -----
    What both halves compare is what sets a class apart from the mean of all classes; the order with
    the greatest sum of the correlations wins. Nothing but the numbers passes from one half to the
    other.
    """
    first, second = (
        _differences([pair[which] for pair in stage.sums], box, resolution) for which in (0, 1)
    )
    order = linear_sum_assignment(-(first @ second.T))[1]
    if np.array_equal(order, np.arange(len(order))):
        return stage
    sums = [(pair[0], stage.sums[place][1]) for pair, place in zip(stage.sums, order, strict=True)]
    return StageResult(_reordered(stage.poses, half == 2, order), sums)


def _differences(sums: list[ParticleSums], box: Box, resolution: float) -> NDArray[np.float64]:
    """Tell what sets the average of each class apart from that of all: (k, n³), of unit length."""
    averages = torch.stack(
        [
            low_passed(average_of(one, box, _REGULARISATION), box, resolution) * box.sphere
            for one in sums
        ]
    ).double()
    rows = (averages - averages.mean(dim=0)).flatten(1)
    found: NDArray[np.float64] = (rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-30)).numpy()
    return found


def _reordered(poses: ClassPoses, rows: NDArray[np.bool_], order: NDArray[np.intp]) -> ClassPoses:
    """Put the classes of some particles in another order."""
    columns = {}
    for name in ("orientation", "shift_px", "score", "probability"):
        column = getattr(poses, name).copy()
        column[rows] = column[rows][:, order]
        columns[name] = column
    return ClassPoses(**columns)
