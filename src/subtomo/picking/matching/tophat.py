"""How far a score stands out from its neighbourhood: sharp peaks, not plateaus."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import generate_binary_structure, white_tophat

_SLAB_VOXELS = 8_000_000
_BINS = 50
_LEAST_COUNT = 10  # of a bin of the histogram, for its logarithm to mean something


def tophat(
    score: NDArray[np.float32], searched: NDArray[np.bool_], connectivity: int
) -> NDArray[np.float32]:
    """Compute the white top-hat of a score map: the score less the map's opening.

    Parameters
    ----------
    score : (z, y, x)
    searched : (z, y, x) where the map has values
    connectivity : 1, 2 or 3
        Of the structuring element of 3 x 3 x 3 voxels: 6, 18 or 26 neighbours of its middle.

    Returns
    -------
    (z, y, x) float32, at least 0; 0 where not searched
    """
    element = generate_binary_structure(3, connectivity)
    # below any score, so that the borders of what was searched erode nothing from inside
    filled = np.where(searched, score, np.float32(2))
    depth = max(1, _SLAB_VOXELS // (score.shape[1] * score.shape[2]))
    out = np.zeros_like(score)
    for z in range(0, len(score), depth):
        low, high = max(0, z - 2), min(len(score), z + depth + 2)  # erosion and dilation reach 2
        slab = white_tophat(filled[low:high], footprint=element, mode="nearest")
        out[z : z + depth] = slab[z - low : z - low + depth]
    return np.where(searched, out, np.float32(0))


def tophat_deviation(values: NDArray[np.floating]) -> float:
    """Fit the width of a Gaussian about 0 to the histogram of a map's top-hats.

    Parameters
    ----------
    values : (n,) of the voxels searched

    Returns
    -------
    Standard deviation; 0 where no voxel stands out

    Notes
    -----
    A straight line through the logarithm of the counts against the square of the top-hat, each bin
    with its count as weight: the few voxels of particles hardly count. pytom-match-pick fits a
    Gaussian to the same histogram.
    """
    above = np.asarray(values, dtype=np.float64)
    above = above[above > 0]
    if len(above) < _LEAST_COUNT:
        return 0.0
    counts, edges = np.histogram(above, bins=_BINS, range=(0, float(np.quantile(above, 0.9999))))
    middle = (edges[1:] + edges[:-1]) / 2
    enough = counts >= _LEAST_COUNT
    if enough.sum() < 3:
        return float(np.sqrt((above**2).mean()))
    slope = np.polyfit(middle[enough] ** 2, np.log(counts[enough]), 1, w=np.sqrt(counts[enough]))[0]
    return float(np.sqrt(-0.5 / slope)) if slope < 0 else float(np.sqrt((above**2).mean()))
