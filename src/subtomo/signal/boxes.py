"""Boxes around points of a volume, with the points exactly on voxel n // 2."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.model import Volume
from subtomo.signal.box_weights import margin_voxels, resampling_weights

_SLAB_BYTES = 16e6  # of a volume read at a time


def boxes_inside(
    volume: Volume, positions: NDArray[np.float64], box_size: int, *, binning: int = 1
) -> NDArray[np.bool_]:
    """Tell which boxes lie wholly in a volume.

    Parameters
    ----------
    volume : the tomogram
    positions : (m, 3) Å, columns x, y, z
    box_size : voxels after binning
    binning : voxels of the volume in one of the box

    Returns
    -------
    (m,) bool
    """
    first = _first_voxels(volume, positions, box_size, binning)
    last = first + box_size * binning
    return np.asarray(((first >= 0) & (last <= volume.shape[::-1])).all(axis=1))


def voxels_beyond(
    volume: Volume, positions: NDArray[np.float64], box_size: int, *, binning: int = 1
) -> NDArray[np.int64]:
    """Count how far boxes reach beyond a volume; parameters as `boxes_inside`.

    Returns
    -------
    (m, 3) voxels of the volume, the farther of both sides, along x, y, z; 0 inside
    """
    first = _first_voxels(volume, positions, box_size, binning)
    after = first + box_size * binning - volume.shape[::-1]
    return np.maximum(np.maximum(-first, after), 0)


def boxes_touching(
    volume: Volume, positions: NDArray[np.float64], box_size: int, *, binning: int = 1
) -> NDArray[np.bool_]:
    """Tell which boxes hold at least one voxel of a volume; parameters as `boxes_inside`."""
    first = _first_voxels(volume, positions, box_size, binning)
    last = first + box_size * binning
    return np.asarray(((last > 0) & (first < volume.shape[::-1])).all(axis=1))


def cut_boxes(
    volume: Volume,
    positions: NDArray[np.float64],
    box_size: int,
    *,
    binning: int = 1,
    is_exact: bool = True,
) -> Tensor:
    """Cut boxes out of a volume; each position comes to lie exactly on voxel n // 2.

    The rest of a voxel and the binning are one matrix an axis. What lies outside the volume is the
    mean of what the box has inside.

    Parameters
    ----------
    volume : the tomogram; only what is needed is read, in slabs
    positions : (m, 3) Å, columns x, y, z
    box_size : n, voxels after binning
    binning : voxels of the volume in one of the box
    is_exact : where not, the voxel nearest to the position comes to lie on voxel n // 2, see
        `box_centres`; without binning voxels are then copied as they are

    Returns
    -------
    (m, n, n, n) float32
    """
    starts = _first_voxels(volume, positions, box_size, binning)
    rests = volume.position_to_index(positions) - _nearest_voxels(volume, positions)
    if not is_exact:
        rests = np.zeros_like(rests)
    resample = _Resampling(volume, box_size, binning, rests)
    boxes = torch.empty((len(positions), *(box_size,) * 3))
    for which, (box, start) in enumerate(zip(boxes, starts, strict=True)):
        if binning == 1 and not rests[which].any():
            _read_continued(volume, start[::-1].tolist(), box.numpy())
        else:
            resample(which, start, box)
        _fill_outside(box, volume, start + rests[which], binning)
    return boxes


def box_centres(
    volume: Volume, positions: NDArray[np.float64], *, is_exact: bool = True
) -> NDArray[np.float64]:
    """Give the places of the boxes' voxels n // 2: (m, 3) Å; parameters as `cut_boxes`."""
    if is_exact:
        return positions
    return volume.index_to_position(_nearest_voxels(volume, positions).astype(np.float64))


def _nearest_voxels(volume: Volume, positions: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(volume.position_to_index(positions) + 0.5).astype(np.int64)


def _first_voxels(
    volume: Volume, positions: NDArray[np.float64], box_size: int, binning: int
) -> NDArray[np.int64]:
    """First voxel (x, y, z) of each box: the nearest to the position is n // 2 · binning on."""
    first: NDArray[np.int64] = _nearest_voxels(volume, positions) - box_size // 2 * binning
    return first


class _Resampling:
    """Boxes resampled axis by axis: x and y of one slab after another, then z.

    Parameters
    ----------
    volume : the tomogram
    box_size, binning : as `cut_boxes` takes them
    rests : (m, 3) voxels, x, y, z, by which the boxes are moved
    """

    def __init__(
        self, volume: Volume, box_size: int, binning: int, rests: NDArray[np.float64]
    ) -> None:
        self._volume = volume
        self._weights = resampling_weights(box_size, torch.from_numpy(rests), binning=binning)
        self._margin = margin_voxels(binning) * binning
        n, wide = box_size, self._weights.shape[-1]
        planes = min(wide, max(1, int(_SLAB_BYTES / (4 * wide**2))))
        # kept, since new memory for every box would take longer than the sums
        self._slab = torch.empty((planes, wide, wide))
        self._rows = torch.empty((planes * wide, n))
        self._columns = torch.empty((wide, n, n))

    def __call__(self, which: int, start: NDArray[np.int64], box: Tensor) -> None:
        """Fill a box (n, n, n) whose first voxel (x, y, z) is ``start``, before it is moved."""
        of_x, of_y, of_z = self._weights[which]
        (planes, wide, _), n = self._slab.shape, len(box)
        x, y, z = (start - self._margin).tolist()
        for first in range(0, wide, planes):
            slab = self._slab[: min(planes, wide - first)]
            rows = self._rows[: len(slab) * wide]
            columns = self._columns[first : first + len(slab)]
            _read_continued(self._volume, (z + first, y, x), slab.numpy())
            torch.mm(slab.view(-1, wide), of_x.T, out=rows)
            torch.matmul(of_y, rows.view(-1, wide, n), out=columns)
        torch.mm(of_z, self._columns.view(wide, -1), out=box.view(n, -1))


def _read_continued(volume: Volume, first: Sequence[int], region: NDArray[np.float32]) -> None:
    """Fill a region (z, y, x) that may reach beyond the volume; outside, its edges go on."""
    shape = np.array(volume.shape)
    last = np.add(first, region.shape)
    low, high = np.clip(first, 0, shape - 1), np.clip(last, 1, shape)
    values = volume.data[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]
    missing = np.subtract(region.shape, high - low)
    if not missing.any():
        region[:] = values
        return
    # of a region wholly beyond, one plane is left to go on
    before = np.clip(np.subtract(low, first), 0, missing)
    region[:] = np.pad(values, np.stack([before, missing - before], axis=1), mode="edge")


def _fill_outside(box: Tensor, volume: Volume, start: NDArray[np.float64], binning: int) -> None:
    """Replace the voxels outside the volume by the mean of those inside.

    Parameters
    ----------
    box : (n, n, n), changed
    volume : the tomogram
    start : (x, y, z) of the box's first voxel, in voxels of the volume
    binning : voxels of the volume in one of the box
    """
    last = start + binning * (len(box) - 1)
    if (start >= -0.5).all() and (last < np.subtract(volume.shape[::-1], 0.5)).all():
        return
    inside = []
    for first, length in zip(start[::-1], volume.shape, strict=True):
        centres = torch.from_numpy(first + binning * np.arange(len(box)))
        inside.append((centres >= -0.5) & (centres < length - 0.5))
    z, y, x = inside
    is_inside = z[:, None, None] & y[None, :, None] & x
    box[~is_inside] = float(box[is_inside].mean(dtype=torch.float64)) if is_inside.any() else 0.0
