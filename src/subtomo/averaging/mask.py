"""The mask of an average: given, a sphere, or made around its density."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.mask_settings import MaskOptions
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_edge, soft_sphere

_SPHERE_EDGE_PX = 4.0
# Around a density, (growth, edge). Close, to align with: the less noise in a reference the better.
# Wide, to correlate half maps: a close mask carries what the shells below a reference's low-pass
# share into those beyond it.
_CLOSE_PX, _WIDE_PX = (2, 4.0), (6, 8.0)
_MOST_OF_BOX = (1 / 8, 1 / 6)  # leaks are as wide in shells, and two edges lie within the box
_LEAST, _MOST = 0.005, 0.6  # parts of the box between which a mask around density is believable


def sphere_mask(box: Box, diameter: float) -> Tensor:
    """Make a soft sphere: 1 within a diameter, with a cosine edge of four voxels outside it.

    Parameters
    ----------
    box : of the average
    diameter : Å, where the edge starts

    Returns
    -------
    (n, n, n) float32

    Notes
    -----
    RELION's ``--particle_diameter`` means the same; its edge is five voxels (softMaskOutsideMap).
    """
    return soft_sphere((box.size,) * 3, diameter / 2 / box.pixel_size, _SPHERE_EDGE_PX)


def density_mask(average: Tensor, box: Box, resolution: float, *, wide: bool) -> Tensor:
    """Make a soft mask around the density of an average.

    The low-passed average is cut at the threshold that separates its values best (Otsu), the
    largest connected parts are kept, grown, filled and given a soft edge, which ends in the box.

    Parameters
    ----------
    average : (n, n, n)
    box : of the average
    resolution : Å of the low-pass
    wide : leave more room and a softer edge, to measure with rather than to align with

    Returns
    -------
    (n, n, n) float32, 0 at the faces of the box; a sphere where no density stands out
    """
    n = box.size
    growth, edge = _WIDE_PX if wide else _CLOSE_PX
    growth = max(_CLOSE_PX[0], min(growth, round(_MOST_OF_BOX[0] * n)))
    edge = min(edge, _MOST_OF_BOX[1] * n)
    grown = ndimage.binary_dilation(_densest(average, box, resolution), iterations=growth)
    filled = ndimage.binary_fill_holes(grown)
    inner = filled & (_depth(n) >= edge)
    if filled.mean() > _MOST or inner.mean() < _LEAST:
        edge = min(_SPHERE_EDGE_PX, edge)
        return soft_sphere((n,) * 3, (n - 1) // 2 - edge, edge)
    return soft_edge(torch.from_numpy(inner), edge)


def mask_in_words(options: MaskOptions, mask: Tensor) -> str:
    """Say which mask it is, and what part of the box it fills.

    Parameters
    ----------
    options : a file, a diameter (Å) of a sphere, or neither
    mask : (n, n, n) that came of them
    """
    if options.mask is not None:
        name = f"the mask {options.mask}"
    elif options.mask_diameter is not None:
        name = f"a spherical mask of {options.mask_diameter:g} Å"
    else:
        name = "the mask around the density"
    return f"{name} fills {100 * float(mask.mean()):.0f} % of the box"


def _densest(average: Tensor, box: Box, resolution: float) -> NDArray[np.bool_]:
    """Find the largest connected parts of the density (n, n, n)."""
    sphere = box.sphere.cpu()
    resolution = max(resolution, 3 * box.pixel_size)
    low = apply_filter(average, bandpass(average.shape, box.pixel_size, low_pass=resolution))
    values = low[sphere > 0.5]
    dense: NDArray[np.bool_] = ((low > _otsu_threshold(values)) & (sphere > 0.5)).numpy()
    return largest_parts(dense)


def largest_parts(binary: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected part of a volume and those of at least a tenth of its size.

    Parameters
    ----------
    binary : (z, y, x)

    Returns
    -------
    (z, y, x)
    """
    labels, count = ndimage.label(binary)
    sizes = ndimage.sum_labels(binary, labels, range(count + 1))
    is_kept = sizes >= 0.1 * sizes.max()
    is_kept[0] = False  # what is not set
    kept: NDArray[np.bool_] = is_kept[labels]
    return kept


def _depth(n: int) -> NDArray[np.intp]:
    """Count the voxels between each voxel of a cube and the nearest face: (n, n, n)."""
    along = np.minimum(np.arange(n), np.arange(n)[::-1])
    return np.minimum(np.minimum(along[:, None, None], along[:, None]), along)


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
