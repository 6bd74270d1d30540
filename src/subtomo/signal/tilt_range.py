"""The tilt range of a tomogram, read off its own power spectrum."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.errors import DataError, ShapeError

_SECTOR = 2.0  # degrees; fine enough for a wedge, and some thousand components each
_LEAST = 100  # components whose median is known to some 15 %
_INNER, _OUTER = 0.1, 0.4  # cycles per voxel: beyond the corners of the box, within the signal


def measure_tilt_range(volume: Tensor) -> tuple[float, float]:
    """Measure the lowest and the highest tilt angle of a tomogram whose tilt axis is y.

    Components between the extreme tilts hold noise, those in the missing wedge almost nothing. The
    extreme tilts are where the power, by angle about y, has fallen to half of its median within
    45° of the untilted plane.

    Parameters
    ----------
    volume : (z, y, x)

    Returns
    -------
    lowest, highest : degrees, with the sign of ``missing_wedge``

    Raises
    ------
    ShapeError
        If an axis has fewer than 16 voxels: too few to tell angles apart.
    DataError
        If the volume is flat, or has too few components at each angle.
    """
    if volume.ndim != 3 or min(volume.shape) < 16:
        raise ShapeError(
            f"volume has shape {tuple(volume.shape)}; expected (z, y, x), each 16 or more"
        )
    sectors = np.arange(-90, 90, _SECTOR)
    power = _sector_power(_tapered(volume.double()), sectors)
    centres = sectors + _SECTOR / 2
    known = power[(np.abs(centres) < 45) & np.isfinite(power)]
    reference = float(np.median(known)) if len(known) else 0.0
    if not reference > 0:
        raise DataError("the volume is flat, or too small to tell tilts apart")
    falls = power < reference / 2
    above = np.flatnonzero(falls & (centres > 45))
    below = np.flatnonzero(falls & (centres < -45))
    highest = _crossing(centres, power, above[0], above[0] - 1, reference) if len(above) else 90.0
    lowest = _crossing(centres, power, below[-1], below[-1] + 1, reference) if len(below) else -90.0
    return lowest, highest


def _tapered(volume: Tensor) -> Tensor:
    """Take off the mean and fade out towards the faces, whose steps would fill the wedge."""
    volume = volume - volume.mean()
    for axis, n in enumerate(volume.shape):
        window = torch.hann_window(n + 2, periodic=False, dtype=volume.dtype)[1:-1]
        volume = volume * window.reshape([n if i == axis else 1 for i in range(3)])
    return volume


def _sector_power(volume: Tensor, sectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median power of each sector of angles about y; NaN where a sector has too few components."""
    power = torch.fft.rfftn(volume).abs().square().numpy()
    nz, ny, nx = volume.shape
    kz = np.fft.fftfreq(nz)[:, None, None]
    ky = np.fft.fftfreq(ny)[None, :, None]
    kx = np.fft.rfftfreq(nx)[None, None, :]
    radius = np.hypot(kx, kz)
    used = (radius > _INNER) & (radius < _OUTER) & (np.abs(ky) < _OUTER) & (kx > 0)
    angle = np.broadcast_to(np.degrees(np.arctan2(kz, kx)), used.shape)[used]
    which = np.clip(((angle + 90) / _SECTOR).astype(int), 0, len(sectors) - 1)
    values = power[used]
    order = np.argsort(which, kind="stable")
    parts = np.split(values[order], np.searchsorted(which[order], np.arange(1, len(sectors))))
    return np.array([np.median(part) if len(part) >= _LEAST else np.nan for part in parts])


def _crossing(
    centres: NDArray[np.float64],
    power: NDArray[np.float64],
    outside: int,
    inside: int,
    reference: float,
) -> float:
    """Angle between two sectors where the power is half the reference, by its logarithm."""
    tiny = reference * 1e-6
    high, low = np.log(max(power[inside], tiny)), np.log(max(power[outside], tiny))
    part = (high - np.log(reference / 2)) / (high - low)
    return float(centres[inside] + np.clip(part, 0, 1) * (centres[outside] - centres[inside]))
