"""Boxes turned about their particles, without losing their corners."""

import math

from torch import Tensor

from subtomo.signal.rotation import rotate_volumes

OVERSAMPLING = 2
"""Of the grid that boxes are interpolated on, see `rotate_volumes`."""


def corner_margin(box_size: int) -> int:
    """Count the voxels beyond each side of a box that its corners reach when it is turned."""
    return math.ceil((math.sqrt(3) - 1) / 2 * box_size) + 1


def turn_boxes(
    boxes: Tensor, matrices: Tensor, shifts_px: Tensor | None = None, *, margin: int = 0
) -> Tensor:
    """Turn boxes about voxel ``n // 2``, then shift them; what comes from outside is their mean.

    Parameters
    ----------
    boxes : (m, n, n, n)
    matrices : (m, 3, 3) acting on xyz columns
    shifts_px : (m, 3) columns x, y, z; None for no shift
    margin : voxels cut off each side afterwards
        With `corner_margin` of what is left nothing comes from outside.

    Returns
    -------
    (m, n - 2 · margin, n - 2 · margin, n - 2 · margin)
    """
    means = boxes.mean((1, 2, 3), keepdim=True)
    turned = rotate_volumes(boxes - means, matrices, shifts_px, oversampling=OVERSAMPLING) + means
    inner = slice(margin, boxes.shape[-1] - margin)
    return turned[:, inner, inner, inner].contiguous()
