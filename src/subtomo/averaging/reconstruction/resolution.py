"""The mask of a reconstruction, and the resolution of its half maps."""

from dataclasses import dataclass

from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.mask import density_mask
from subtomo.averaging.resolution import resolution_of
from subtomo.signal.fsc import (
    FscCurves,
    fourier_shell_correlation,
    masked_fsc,
    resolution_at,
    shell_frequencies,
)

_MASK_RESOLUTION = 0.5  # agreement of the unmasked halves, down to which the mask is made
_COARSEST_MASK_PX = 8.0  # voxels of the finest detail of a mask of maps that agree on little


@dataclass(frozen=True, eq=False)
class HalfMapResolution:
    """How well half maps agree under a mask.

    Parameters
    ----------
    mask : (n, n, n)
    curves : Fourier shell correlations
    resolution : Å, where the corrected curve falls below 0.143
    """

    mask: Tensor
    curves: FscCurves
    resolution: float


def half_map_resolution(
    half1: Tensor, half2: Tensor, whole: Tensor, pixel_size: float, mask: Tensor | None
) -> HalfMapResolution:
    """Correlate half maps under a mask, corrected for what the mask does.

    Parameters
    ----------
    half1, half2, whole : (n, n, n)
    pixel_size : Å
    mask : (n, n, n); None: made around the density of the whole

    Returns
    -------
    HalfMapResolution
    """
    if mask is None:
        mask = _mask_around(half1, half2, whole, pixel_size)
    curves = masked_fsc(half1, half2, mask, pixel_size)
    return HalfMapResolution(mask, curves, resolution_of(curves))


def _mask_around(half1: Tensor, half2: Tensor, whole: Tensor, pixel_size: float) -> Tensor:
    """Make a mask around what both halves show."""
    n = whole.shape[-1]
    agreement = fourier_shell_correlation(half1, half2).numpy()
    detail = resolution_at(shell_frequencies(n, pixel_size), agreement, _MASK_RESOLUTION)
    resolution = min(detail, _COARSEST_MASK_PX * pixel_size)
    return density_mask(whole, Box(n, pixel_size), resolution, wide=True)
