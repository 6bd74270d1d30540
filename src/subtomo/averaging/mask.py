"""The mask of an average: given, a sphere, or made around its density."""

import torch
from scipy import ndimage
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_edge, soft_sphere

_SPHERE_EDGE_PX = 4.0
# Around a density, (growth, edge). Close, to align with: the less noise in a reference the better.
_CLOSE_PX = (2, 4.0)
# Wide, to correlate half maps: a close mask carries what the shells below a reference's low-pass
# share into those beyond it. In parts of the box, as leaks are as wide in shells, and at most.
_WIDE, _MOST_WIDE_PX = (1 / 8, 1 / 6), (6, 8.0)
_LEAST, _MOST = 0.005, 0.6  # parts of the box between which a mask around density is believable


def sphere_mask(box: Box, diameter: float) -> Tensor:
    """Make a soft sphere.

    Parameters
    ----------
    box : of the average
    diameter : Å, to the start of the soft edge

    Returns
    -------
    (n, n, n) float32
    """
    return soft_sphere((box.size,) * 3, diameter / 2 / box.pixel_size, _SPHERE_EDGE_PX)


def density_mask(average: Tensor, box: Box, resolution: float, *, wide: bool) -> Tensor:
    """Make a soft mask around the density of an average.

    The low-passed average is cut at the threshold that separates its values best (Otsu), the
    largest connected parts are kept, grown, filled and given a soft edge.

    Parameters
    ----------
    average : (n, n, n)
    box : of the average
    resolution : Å of the low-pass
    wide : leave more room and a softer edge, to measure with rather than to align with

    Returns
    -------
    (n, n, n) float32; the sphere that fills the box where no density stands out
    """
    sphere = box.sphere.cpu()
    resolution = max(resolution, 3 * box.pixel_size)
    low = apply_filter(average, bandpass(average.shape, box.pixel_size, low_pass=resolution))
    values = low[sphere > 0.5]
    dense = ((low > _otsu_threshold(values)) & (sphere > 0.5)).numpy()
    labels, count = ndimage.label(dense)
    if count > 1:
        sizes = ndimage.sum_labels(dense, labels, range(1, count + 1))
        kept = [i + 1 for i, size in enumerate(sizes) if size >= 0.1 * sizes.max()]
        dense = (labels[..., None] == kept).any(axis=-1)
    growth, edge = _CLOSE_PX
    if wide:
        growth = max(growth, min(round(_WIDE[0] * box.size), _MOST_WIDE_PX[0]))
        edge = max(edge, min(_WIDE[1] * box.size, _MOST_WIDE_PX[1]))
    grown = ndimage.binary_dilation(dense, iterations=growth)
    filled = ndimage.binary_fill_holes(grown)
    if not _LEAST < filled.mean() < _MOST:
        return sphere
    return soft_edge(torch.from_numpy(filled), edge) * sphere


def _otsu_threshold(values: Tensor, bins: int = 256) -> float:
    """Threshold with the greatest variance between what is below and what is above it.

    Otsu, IEEE Transactions on Systems, Man and Cybernetics 9, 62-66 (1979).
    """
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return high
    counts = torch.histc(values.float(), bins, low, high).double()
    centres = low + (torch.arange(bins, dtype=torch.float64) + 0.5) * (high - low) / bins
    below = counts.cumsum(0)
    above = counts.sum() - below
    mean_below = (counts * centres).cumsum(0) / below.clamp_min(1)
    mean_above = ((counts * centres).sum() - (counts * centres).cumsum(0)) / above.clamp_min(1)
    return float(centres[(below * above * (mean_below - mean_above) ** 2).argmax()])
