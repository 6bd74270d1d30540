"""Boxes cut anew from their tomograms, with a margin."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import DataError
from subtomo.model import Tomogram
from subtomo.signal.boxes import cut_boxes

_LEAST_CORRELATION = 0.2  # a denoised tomogram may differ much from the boxes, but not so much


def cut_like(
    boxes: Tensor,
    tomogram: Tomogram,
    centres: NDArray[np.float64],
    margin: int,
    *,
    binning: int = 1,
) -> Tensor:
    """Cut boxes anew, with a margin, and give each the contrast and scale that it had.

    Parameters
    ----------
    boxes : (b, n, n, n), on the CPU
    tomogram : that they were cut from, or one like it
    centres : (b, 3) Å of their voxels n // 2, columns x, y, z
    margin : voxels more on each side
    binning : voxels of the tomogram in one of the boxes

    Returns
    -------
    (b, n + 2 · margin, ...) float32
        Where they overlap with the boxes, mean and standard deviation are theirs.

    Raises
    ------
    DataError
        If a box shows something else than the tomogram at its place, or that is not finite.
    """
    n = boxes.shape[-1]
    cut = cut_boxes(tomogram.volume, centres, n + 2 * margin, binning=binning)
    bad = np.flatnonzero(~torch.isfinite(cut).all(dim=(1, 2, 3)).numpy())
    if len(bad):
        x, y, z = centres[bad[0]]
        raise DataError(
            f"tomogram {tomogram.name} holds NaN or infinite values about {x:.0f}, {y:.0f}, "
            f"{z:.0f} Å; expected finite ones: replace them, for example by the mean"
        )
    inner = slice(margin, margin + n)
    same = cut[:, inner, inner, inner]
    sign = _require_correlation(boxes, same, tomogram.name, centres).sign()
    old, new = (torch.std_mean(x, (1, 2, 3), keepdim=True) for x in (same, boxes))
    tiny = torch.finfo(cut.dtype).tiny
    scale = sign[:, None, None, None] * new[0] / old[0].clamp_min(tiny)
    return (cut - old[1]) * scale + new[1]


def _require_correlation(
    boxes: Tensor, cut: Tensor, tomogram: str, centres: NDArray[np.float64]
) -> Tensor:
    """Correlate boxes with what is at their places, (b,) with its sign; refuse where it is low."""
    a, b = (x - x.mean((1, 2, 3), keepdim=True) for x in (boxes, cut))
    norm = (a.square().sum((1, 2, 3)) * b.square().sum((1, 2, 3))).sqrt()
    correlation: Tensor = (a * b).sum((1, 2, 3)) / norm.clamp_min(torch.finfo(norm.dtype).tiny)
    wrong = np.flatnonzero(((norm > 0) & (correlation.abs() < _LEAST_CORRELATION)).numpy())
    if len(wrong):
        x, y, z = centres[wrong[0]]
        raise DataError(
            f"tomogram {tomogram} does not show at {x:.0f}, {y:.0f}, {z:.0f} Å what the box from "
            f"there shows (correlation {float(correlation[wrong[0]]):.2f}); expected the tomogram "
            "that it was cut from"
        )
    return correlation
