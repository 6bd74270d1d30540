"""Whether picks sit on something: their density against that around them and elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.model import Volume

FloatArray = NDArray[np.float64]

_RADIUS = 50.0  # Å: within a ribosome, and around a small particle
_MOST_SAMPLES = 5  # voxels from the middle of the inner box to its side
_N_ELSEWHERE = 300
_LARGEST_LOADED = 512e6  # bytes of values that are not memory-mapped


@dataclass(frozen=True, eq=False)
class DensityAround:
    """Local density of one tomogram, sampled where it is asked for.

    Parameters
    ----------
    data : (z, y, x) values
    radius_px : half the side of the inner box; the outer has twice as much
    step : every how many voxels are looked at
    elsewhere : (m, 2) features at random places
    """

    data: NDArray[np.floating]
    radius_px: int
    step: int
    elsewhere: FloatArray

    @staticmethod
    def of(volume: Volume, seed: int = 0) -> "DensityAround | None":
        """Look at a tomogram; None where it is too large to be read in parts, or too small.

        Parameters
        ----------
        volume : its values are read in parts where they are memory-mapped
        seed : of the random places
        """
        data = volume.data
        if not isinstance(data, np.ndarray):
            if np.prod(volume.shape) * data.dtype.itemsize > _LARGEST_LOADED:
                return None
            data = np.asarray(data[...])
        radius = max(1, round(_RADIUS / volume.pixel_size))
        radius = min(radius, min(volume.shape) // 8)
        if radius < 1:
            return None
        step = -(-radius // _MOST_SAMPLES)
        around = DensityAround(data, radius, step, np.empty((0, 2)))
        size = np.array(volume.shape[::-1])
        places = np.random.default_rng(seed).uniform(0, size - 1, (_N_ELSEWHERE, 3))
        return DensityAround(data, radius, step, around.features(places))

    def features(self, indices: FloatArray) -> FloatArray:
        """Measure each place whose outer box is in the volume; places of one box count once.

        Parameters
        ----------
        indices : (n, 3) voxels, columns x, y, z

        Returns
        -------
        (m, 2) mean inside less mean around; logarithm of the deviation inside over that around
        """
        places = np.rint(indices).astype(np.int64)
        _, first = np.unique(places // (2 * self.radius_px), axis=0, return_index=True)
        reach = 2 * self.radius_px
        found = []
        for x, y, z in places[np.sort(first)].tolist():
            starts = (z - reach, y - reach, x - reach)
            if min(starts) < 0 or any(
                s + 2 * reach >= n for s, n in zip(starts, self.data.shape, strict=True)
            ):
                continue
            box = self._box(starts, 2 * reach)
            found.append(self._features(box))
        return np.array(found).reshape(-1, 2)

    def _box(self, starts: Sequence[int], length: int) -> FloatArray:
        index = tuple(slice(s, s + length + 1, self.step) for s in starts)
        return np.asarray(self.data[index], dtype=np.float64)

    def _features(self, box: FloatArray) -> FloatArray:
        """Compare the middle of a box with the rest."""
        n = box.shape[0]
        quarter = n // 4
        middle = (slice(quarter, n - quarter),) * 3
        is_around = np.ones(box.shape, dtype=bool)
        is_around[middle] = False
        inner, outer = box[middle], box[is_around]
        tiny = np.finfo(np.float64).tiny
        spread = np.log(inner.std() + tiny) - np.log(outer.std() + tiny)
        return np.array([inner.mean() - outer.mean(), spread])


def evidence(at_picks: FloatArray, elsewhere: FloatArray) -> float:
    """Measure how far picks differ from random places, as a sum of two squared t values.

    Parameters
    ----------
    at_picks, elsewhere : (n, 2) and (m, 2) features

    Returns
    -------
    about 2 for random picks; 0 where there are too few
    """
    if len(at_picks) < 3 or len(elsewhere) < 10:
        return 0.0
    spread = elsewhere.std(axis=0)
    spread = np.where(spread > 0, spread, np.inf)
    error = spread * np.sqrt(1 / len(at_picks) + 1 / len(elsewhere))
    t = (at_picks.mean(axis=0) - elsewhere.mean(axis=0)) / error
    return float((t**2).sum())
