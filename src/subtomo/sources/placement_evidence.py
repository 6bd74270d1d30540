"""Whether picks sit on something: how density there differs from that around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from subtomo.model import Volume

FloatArray = NDArray[np.float64]

_BLOCK = 25.0  # Å: noise beyond is averaged away
_SCALES = ((3, 7, 5), (7, 13, 9))
# blocks along a box and along the shell around it, and to the places compared with: for particles
# of about 100 and 200 Å
_FEWEST_BLOCKS = 9
_LARGEST = 4e9  # bytes of a tomogram that is read for this
_SLAB_BYTES = 64e6
_LEAST_PICKS = 4


@dataclass(frozen=True, eq=False)
class DensityContrast:
    """How the density of a tomogram differs from place to place, on a coarse grid.

    Parameters
    ----------
    contrasts : (2, z, y, x) for each size of particles
        Of the mean, and of the logarithm of the deviation: a box against the shell around it,
        less the same a little further along each axis. NaN near the faces.
    apart : blocks, for each size: picks closer than that count once
    block : voxels of the tomogram along one of the grid
    """

    contrasts: tuple[NDArray[np.float32], ...]
    apart: tuple[int, ...]
    block: int

    @staticmethod
    def of(volume: Volume) -> "DensityContrast | None":
        """Look at a tomogram, all of whose values are read once.

        Parameters
        ----------
        volume : of any contrast

        Returns
        -------
        DensityContrast, or None where the tomogram is too large to be read for this, or too thin
        """
        n_bytes = float(np.prod(volume.shape)) * np.dtype(volume.data.dtype).itemsize
        block = max(1, round(_BLOCK / volume.pixel_size))
        if n_bytes > _LARGEST or min(volume.shape) // block < _FEWEST_BLOCKS:
            return None
        means = _block_means(volume, block)
        contrasts, apart = [], []
        for inner, outer, away in _SCALES:
            if min(means.shape) < outer + 2:
                continue
            features = _features(means, inner, outer)
            contrast = np.stack([_less_neighbours(map_, away) for map_ in features])
            if np.isfinite(contrast).any():
                contrasts.append(contrast)
                apart.append(away)
        return DensityContrast(tuple(contrasts), tuple(apart), block)

    def at(self, indices: FloatArray, size: int = 0) -> FloatArray:
        """Give the contrast at picks; those close together count once.

        Parameters
        ----------
        indices : (n, 3) voxels of the tomogram, columns x, y, z
        size : which size of particles

        Returns
        -------
        (m, 2), without picks near the faces
        """
        contrast = self.contrasts[size]
        places = np.floor((indices + 0.5) / self.block).astype(np.int64)[:, ::-1]  # z, y, x
        places = places[((places >= 0) & (places < contrast.shape[1:])).all(axis=1)]
        _, first = np.unique(places // self.apart[size], axis=0, return_index=True)
        z, y, x = places[np.sort(first)].T
        values = contrast[:, z, y, x].T.astype(np.float64)
        return np.asarray(values[np.isfinite(values).all(axis=1)])

    def evidence(self, indices: FloatArray) -> float:
        """Measure how surely picks sit on something: a sum of two squared t values.

        Parameters
        ----------
        indices : (n, 3) voxels of the tomogram, columns x, y, z

        Returns
        -------
        2 to 3 for places at random, the larger of those for each size; 0 where there are too few
        """
        found = [self._evidence(indices, size) for size in range(len(self.contrasts))]
        return max(found, default=0.0)

    def _evidence(self, indices: FloatArray, size: int) -> float:
        found = self.at(indices, size)
        if len(found) < _LEAST_PICKS:
            return 0.0
        spread = np.maximum(found.std(axis=0, ddof=1), self._usual[size])
        if not (spread > 0).all():
            return 0.0  # a flat tomogram
        t = found.mean(axis=0) / spread * np.sqrt(len(found))
        return float((t**2).sum())

    @cached_property
    def _usual(self) -> list[FloatArray]:
        """Deviations of the contrast over the tomogram, for each size."""
        return [np.nanstd(one, axis=(1, 2, 3), dtype=np.float64) for one in self.contrasts]


def _block_means(volume: Volume, block: int) -> FloatArray:
    """Give means of blocks (z, y, x); what is left over at the far ends is not read."""
    shape = tuple(n // block for n in volume.shape)
    means = np.empty(shape)
    for planes in _slabs(volume, block, shape[0]):
        start, stop = planes.start * block, planes.stop * block
        values = np.asarray(volume.data[start:stop], dtype=np.float64)
        values = values[:, : shape[1] * block, : shape[2] * block]
        blocks = values.reshape(-1, block, shape[1], block, shape[2], block)
        means[planes] = blocks.mean(axis=(1, 3, 5))
    return means


def _slabs(volume: Volume, block: int, n_blocks: int) -> Iterator[slice]:
    """Cut a tomogram into slabs of whole blocks."""
    plane = 8.0 * volume.shape[1] * volume.shape[2] * block
    step = max(1, int(_SLAB_BYTES / plane))
    for start in range(0, n_blocks, step):
        yield slice(start, min(start + step, n_blocks))


def _features(means: FloatArray, inner: int, outer: int) -> tuple[FloatArray, FloatArray]:
    """Compare each box with the shell around it: mean, and logarithm of the deviation."""
    moments = []
    for values in (means, means**2):
        in_box = uniform_filter(values, inner, mode="nearest")
        in_all = uniform_filter(values, outer, mode="nearest")
        in_shell = (in_all * outer**3 - in_box * inner**3) / (outer**3 - inner**3)
        moments.append((in_box, in_shell))
    (mean_in, mean_out), (square_in, square_out) = moments
    tiny = 1e-9 * max(float((means**2).max()), np.finfo(np.float64).tiny)
    variance_in = np.maximum(square_in - mean_in**2, tiny)
    variance_out = np.maximum(square_out - mean_out**2, tiny)
    differences = mean_in - mean_out, (np.log(variance_in) - np.log(variance_out)) / 2
    for values in differences:
        _erase_rim(values, outer // 2)
    return differences


def _less_neighbours(values: FloatArray, away: int) -> NDArray[np.float32]:
    """Take off the mean of the places away on both sides along each axis: no slope is left."""
    padded = np.pad(values, away, constant_values=np.nan)
    total, count = np.zeros(values.shape), np.zeros(values.shape)
    for axis in range(3):
        pair = np.zeros(values.shape)
        for shift in (0, 2 * away):
            index = [slice(away, away + n) for n in values.shape]
            index[axis] = slice(shift, shift + values.shape[axis])
            pair += padded[tuple(index)]
        is_known = np.isfinite(pair)
        total += np.where(is_known, pair / 2, 0)
        count += is_known
    around = np.divide(total, count, out=np.full(values.shape, np.nan), where=count > 0)
    contrast: NDArray[np.float32] = (values - around).astype(np.float32)
    return contrast


def _erase_rim(values: FloatArray, width: int) -> None:
    """Set what is near the faces to NaN."""
    inner = np.full(values.shape, np.nan)
    middle = (slice(width, -width),) * 3
    inner[middle] = values[middle]
    values[...] = inner
