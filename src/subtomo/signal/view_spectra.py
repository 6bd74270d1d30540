"""Spectra of particles' views, from the tilt images to where the transfer is multiplied in."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import PixelError
from subtomo.geometry.particle_views import ParticleViews
from subtomo.model import ImageTiles
from subtomo.signal.circle import subtract_background
from subtomo.signal.particle_spectra import particle_spectra
from subtomo.signal.particle_windows import cut_windows, window_spectra
from subtomo.signal.power_spectrum import block_origins, radial_average
from subtomo.signal.spectrum_grids import SpectrumGrids

_MOST_POWER = 1e30  # of a window: the squares of its spectrum are still float32 numbers
_BATCH_BYTES = 1.5e6  # of windows at a time: what stays in a core's cache with their spectra


def view_batches(views: ParticleViews, window_size: int) -> Iterator[ParticleViews]:
    """Cut views into batches of whole particles that fit a core's cache, where they can.

    Parameters
    ----------
    views : of particles
    window_size : S, pixels
    """
    most = max(1, int(_BATCH_BYTES / (4 * window_size**2)))
    ends = np.append(np.flatnonzero(np.diff(views.particle)) + 1, len(views)).tolist()
    start = previous = 0
    for end in ends:
        if end - start > most and previous > start:
            yield views.part(start, previous)
            start = previous
        previous = end
    if start < len(views):
        yield views.part(start, len(views))


def view_spectra(
    tiles: ImageTiles,
    views: ParticleViews,
    grids: SpectrumGrids,
    *,
    window_size: int,
    subtract: bool,
    factor: float,
    device: str = "cpu",
) -> tuple[Tensor, Tensor]:
    """Cut windows and give their spectra: cropped, centred, multiplied by the transfer.

    Parameters
    ----------
    tiles : the tilt images
    views : (k,) of particles
    grids : of the tilt series, for boxes of s pixels
    window_size : S, pixels of the tilt image
    subtract : fade the windows out towards a circle of radius S // 2 and subtract their mean
        beyond it
    factor : multiplies the spectra; 1 / S makes the transform orthonormal
    device : where it is computed

    Returns
    -------
    spectra : (k, s, s // 2 + 1) complex64
    transfer : (k, s, s // 2 + 1) float32, without ``factor``

    Raises
    ------
    PixelError
        If pixels of a window are NaN, infinite or so large that their squares are.
    """
    windows = torch.empty((len(views), window_size, window_size))
    offsets = _cut(tiles, views.tilt, views.first, windows).to(device)
    windows = windows.to(device)
    if subtract:
        subtract_background(windows, window_size // 2)
        offsets = torch.zeros_like(offsets)
    return particle_spectra(
        window_spectra(windows, offsets),
        torch.from_numpy(views.shift).to(device),
        torch.from_numpy(views.tilt).to(device),
        torch.from_numpy(views.depth).float().to(device),
        grids,
        factor,
    )


def image_power(tiles: ImageTiles, n_tilts: int, size: int) -> Tensor:
    """Measure the power of whole tilt images by frequency.

    Parameters
    ----------
    tiles : the tilt images
    n_tilts : how many there are
    size : S, edge of the half-overlapping blocks that are transformed

    Returns
    -------
    (tilt, S // 2 + 1) float64, of orthonormal transforms

    Raises
    ------
    PixelError
        If pixels are NaN, infinite or so large that their squares are.
    """
    origins = block_origins(tiles.image_size_px, size)
    power = torch.zeros((n_tilts, size, size // 2 + 1), dtype=torch.float64)
    windows = torch.empty((n_tilts, size, size))
    for origin in origins.numpy():
        first = np.tile(origin, (n_tilts, 1))
        offsets = _cut(tiles, np.arange(n_tilts), first, windows)
        power += window_spectra(windows, offsets).abs().square()
    return radial_average(power / (len(origins) * size**2))


def _cut(
    tiles: ImageTiles, tilts: NDArray[np.int64], first: NDArray[np.int64], windows: Tensor
) -> Tensor:
    """Fill windows (k, S, S), those of some tiles at a time; give their offsets (k,)."""
    offsets = torch.empty(len(windows))
    for some, pool in tiles.pools(first, windows.shape[-1]):
        images = pool.images[tilts[some]]
        offsets[some] = cut_windows(
            pool.tiles, pool.slots, tiles.image_size_px, images, first[some], windows[some]
        )
    _check(windows, offsets, tilts)
    return offsets


def _check(windows: Tensor, offsets: Tensor, tilts: NDArray[np.int64]) -> None:
    """Refuse windows that cannot be computed with; NaN is not below anything."""
    power = torch.linalg.vecdot(windows.flatten(1), windows.flatten(1))
    power += offsets.square() * windows[0].numel()
    is_usable = power <= _MOST_POWER
    if not is_usable.all():
        raise PixelError(int(tilts[int(is_usable.int().argmin())]))
