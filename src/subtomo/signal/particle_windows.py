"""Windows cut out of tilt images around particles: a numba kernel and its torch equivalent."""

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


def cut_windows(
    tiles: NDArray[np.number],
    slots: NDArray[np.int64],
    image_size_px: tuple[int, int],
    tilts: NDArray[np.int64],
    first: NDArray[np.int64],
    windows: Tensor,
) -> Tensor:
    """Cut square windows; pixels beyond the image repeat the nearest one at its border.

    Parameters
    ----------
    tiles : (slot, tilt, y, x), parts of the images of all tilts
    slots : (tile y, tile x), which slot holds the tile there
    image_size_px : (x, y)
    tilts : (k,) image that each window is cut out of
    first : (k, 2) columns x, y of each window's first pixel
    windows : (k, n, n) float32, filled here with the pixels less an offset, the mean of a row

    Returns
    -------
    (k,) float32, the offsets: kept apart, they take nothing from the precision of the transforms
    """
    offsets = np.empty(len(tilts), dtype=np.float32)
    _cut(tiles, slots, *image_size_px, tilts, first, windows.numpy(), offsets)
    return torch.from_numpy(offsets)


def cut_windows_torch(
    images: Tensor, tilts: Tensor, first: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Do as :func:`cut_windows` on whole images, on any device.

    Parameters
    ----------
    images : (tilt, y, x)
    tilts : (k,)
    first : (k, 2) columns x, y
    size : n

    Returns
    -------
    windows : (k, n, n) float32
    offsets : (k,) float32
    """
    steps = torch.arange(size, device=images.device)
    x = (first[:, :1] + steps).clamp(0, images.shape[2] - 1)
    y = (first[:, 1:] + steps).clamp(0, images.shape[1] - 1)
    windows = images[tilts[:, None, None], y[:, :, None], x[:, None, :]].float()
    offsets = windows[:, size // 2].mean(1)
    return windows - offsets[:, None, None], offsets


def window_spectra(windows: Tensor, offsets: Tensor) -> Tensor:
    """Transform windows, with their offsets put back.

    Parameters
    ----------
    windows : (k, S, S) float32
    offsets : (k,) that were subtracted from the pixels

    Returns
    -------
    (k, S, S // 2 + 1) complex64, not normalised
    """
    spectra: Tensor = torch.fft.rfft2(windows)
    spectra[:, 0, 0] += offsets * windows.shape[-1] ** 2
    return spectra


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _cut(
    tiles: Array,
    slots: Array,
    n_x: int,
    n_y: int,
    tilts: Array,
    first: Array,
    windows: Array,
    offsets: Array,
) -> None:
    """Fill ``windows`` and ``offsets``."""
    size = windows.shape[1]
    tile_y, tile_x = tiles.shape[2], tiles.shape[3]
    for k in range(len(tilts)):
        tilt, first_x, first_y = tilts[k], first[k, 0], first[k, 1]
        y = min(max(first_y + size // 2, 0), n_y - 1)
        total = 0.0
        for i in range(size):
            x = min(max(first_x + i, 0), n_x - 1)
            total += tiles[slots[y // tile_y, x // tile_x], tilt, y % tile_y, x % tile_x]
        offset = np.float32(total / size)
        offsets[k] = offset
        for j in range(size):
            y = min(max(first_y + j, 0), n_y - 1)
            row, tile_row, y_in_tile = windows[k, j], slots[y // tile_y], y % tile_y
            i = 0
            while i < size:  # one stretch a tile; those beyond the image repeat its border
                x = first_x + i
                if x < 0 or x >= n_x:
                    end = min(size, -first_x) if x < 0 else size
                    x = 0 if x < 0 else n_x - 1
                    slot = tile_row[x // tile_x]
                    row[i:end] = np.float32(tiles[slot, tilt, y_in_tile, x % tile_x]) - offset
                else:
                    start = x % tile_x
                    end = min(size, i + tile_x - start, n_x - first_x)
                    source = tiles[tile_row[x // tile_x], tilt, y_in_tile]
                    for p in range(end - i):
                        row[i + p] = np.float32(source[start + p]) - offset
                i = end
