"""Peaks of a score map, apart from each other by a least distance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

_SLAB_VOXELS = 16_000_000
_POOL = 40  # local maxima looked at for every peak asked for


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of a map, the highest first.

    Parameters
    ----------
    voxel : (n, 3) z, y, x
    offset : (n, 3) z, y, x, sub-voxel part, -0.5 to 0.5
    height : (n,) value of the voxel
    """

    voxel: NDArray[np.int64]
    offset: NDArray[np.float64]
    height: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.height)


def find_peaks(
    score: NDArray[np.float32],
    searched: NDArray[np.bool_],
    *,
    min_distance_px: float,
    at_most: int,
    above: float = 0.0,
) -> Peaks:
    """Find the highest local maxima that keep a distance from higher ones.

    Parameters
    ----------
    score : (z, y, x)
    searched : (z, y, x) where the map has values
    min_distance_px : voxels
    at_most : number of peaks
    above : values that are not higher are no peaks

    Returns
    -------
    Peaks
        Places between voxels are the tops of parabolas through a voxel and its two neighbours.
    """
    voxel = _local_maxima(score, searched, above)
    height = score[tuple(voxel.T)].astype(np.float64)
    order = np.argsort(-height, kind="stable")[: _POOL * at_most]
    kept = order[suppress(voxel[order].astype(np.float64), min_distance_px, at_most=at_most)]
    voxel = voxel[kept]
    return Peaks(voxel, _parabola_tops(score, searched, voxel), height[kept])


def suppress(
    points: NDArray[np.float64], distance: float, *, at_most: int | None = None
) -> NDArray[np.int64]:
    """Keep of points, best first, those that no better kept one is closer to than a distance.

    Parameters
    ----------
    points : (n, d)
    distance : in the points' unit
    at_most : number to keep

    Returns
    -------
    (kept,) indices, in order
    """
    limit = len(points) if at_most is None else at_most
    if distance <= 0 or not len(points):
        return np.arange(min(limit, len(points)))
    tree = cKDTree(points)
    free = np.ones(len(points), dtype=bool)
    kept: list[int] = []
    for i in range(len(points)):
        if not free[i]:
            continue
        kept.append(i)
        if len(kept) == limit:
            break
        # closer than, not as close as: points on the distance are both kept
        free[tree.query_ball_point(points[i], np.nextafter(distance, 0))] = False
    return np.array(kept, dtype=np.int64)


def _local_maxima(
    score: NDArray[np.float32], searched: NDArray[np.bool_], above: float
) -> NDArray[np.int64]:
    """Voxels (n, 3) that none of their 26 neighbours exceeds, slab by slab."""
    depth = max(1, _SLAB_VOXELS // (score.shape[1] * score.shape[2]))
    found = []
    for z in range(0, len(score), depth):
        low, high = max(0, z - 1), min(len(score), z + depth + 1)
        slab = np.where(searched[low:high], score[low:high], np.float32(-np.inf))
        peak = (slab == maximum_filter(slab, size=3, mode="constant", cval=-np.inf)) & (
            slab > above
        )
        inner = np.argwhere(peak[z - low : z - low + depth])
        inner[:, 0] += z
        found.append(inner)
    return np.concatenate(found)


def _parabola_tops(
    score: NDArray[np.float32], searched: NDArray[np.bool_], voxel: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Offsets (n, 3) of the tops; 0 along an axis where a neighbour has no value."""
    offset = np.zeros(voxel.shape)
    for axis in range(3):
        step = np.eye(3, dtype=np.int64)[axis]
        before, after = voxel - step, voxel + step
        ok = (before[:, axis] >= 0) & (after[:, axis] < score.shape[axis])
        index = np.flatnonzero(ok)
        index = index[searched[tuple(before[index].T)] & searched[tuple(after[index].T)]]
        left = score[tuple(before[index].T)].astype(np.float64)
        middle = score[tuple(voxel[index].T)].astype(np.float64)
        right = score[tuple(after[index].T)].astype(np.float64)
        curve = left - 2 * middle + right
        top = np.divide(0.5 * (left - right), curve, out=np.zeros_like(curve), where=curve < 0)
        offset[index, axis] = np.clip(top, -0.5, 0.5)
    return offset
