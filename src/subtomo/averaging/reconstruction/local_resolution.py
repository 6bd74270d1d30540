"""How well two half maps agree around every voxel, and the map filtered by it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from subtomo.averaging.reconstruction.sharpening import b_factor_gain
from subtomo.signal.fourier import frequency_radius

_MOST_BANDS = 32
_SMALLEST_WEIGHT = 1e-3  # of a window under the mask, below which nothing is said


@dataclass(frozen=True)
class LocalOptions:
    """How local agreement is measured.

    Parameters
    ----------
    window : Å, full width at half height of the Gaussian window around a voxel
    threshold : of the local correlation, where the resolution is read
    finest : Å, where to stop
    b_factor : Å², of the filtered map; negative raises the amplitudes
    """

    window: float
    threshold: float
    finest: float
    b_factor: float = 0.0


@dataclass(frozen=True, eq=False)
class LocalResolution:
    """What was found around every voxel.

    Parameters
    ----------
    resolution : (n, n, n) Å; the coarsest one tried where the mask leaves nothing to measure
    filtered : (n, n, n), the map with each band weighted by the agreement around each voxel
    options : how it was measured
    """

    resolution: Tensor
    filtered: Tensor
    options: LocalOptions


def measure_locally(
    half1: Tensor,
    half2: Tensor,
    whole: Tensor,
    mask: Tensor,
    pixel_size: float,
    options: LocalOptions,
) -> LocalResolution:
    """Correlate half maps around every voxel, band of frequencies by band.

    Parameters
    ----------
    half1, half2 : (n, n, n)
    whole : (n, n, n), the map of all data, to be filtered
    mask : (n, n, n) 0 to 1; where it is 0, voxels do not count
    pixel_size : Å
    options : window, threshold, range and B factor

    Returns
    -------
    LocalResolution

    Notes
    -----
    A local Fourier shell correlation in the sense of Cardone, Heymann and Steven, J. Struct. Biol.
    184, 226-236 (2013). Instead of transforming a window around each voxel, the halves are cut
    into bands, whose products are averaged in the windows: independent noise correlates to zero,
    whatever the window or the mask. The filtered map is the sum of the sharpened bands, each
    multiplied by sqrt(2c/(1+c)) with the least correlation c of this and coarser bands.
    """
    n = half1.shape[-1]
    window = _Window(n, options.window / pixel_size, mask)
    agreement = torch.ones(half1.shape)
    resolution = torch.full(half1.shape, math.nan)
    filtered = torch.zeros(half1.shape)
    transforms = [torch.fft.rfftn(volume.float()) for volume in (half1, half2, whole)]
    before = 0.0
    for band in _bands(n, pixel_size, options):
        first, second, both = (
            torch.fft.irfftn(one * gain, s=(n, n, n))
            for one, gain in zip(transforms, (band.gain, band.gain, band.sharp), strict=True)
        )
        last, agreement = agreement, torch.minimum(agreement, window.correlation(first, second))
        crossed = resolution.isnan() & (agreement < options.threshold)
        step = (last - options.threshold) / (last - agreement).clamp_min(1e-6)
        at = before + step.clamp(0, 1) * (band.frequency - before)
        resolution = torch.where(crossed, 1 / at.clamp_min(band.coarsest), resolution)
        filtered += both * _share(agreement)
        before = band.frequency
    resolution = torch.where(resolution.isnan(), 1 / before, resolution)
    resolution = torch.where(window.is_filled, resolution, resolution.max())
    return LocalResolution(resolution, filtered, options)


@dataclass(frozen=True, eq=False)
class _Band:
    """A band of frequencies: its centre and the coarsest centre, 1/Å, its filter, and sharpened."""

    frequency: float
    coarsest: float
    gain: Tensor
    sharp: Tensor


def _bands(n: int, pixel_size: float, options: LocalOptions) -> Iterator[_Band]:
    """Cut the frequencies into bands that add up to all of them, coarse to fine.

    The first one holds all that is coarser than a window; centres are as far apart as windows
    tell frequencies apart.
    """
    length = n * pixel_size
    first = max(1.0, length / options.window)
    last = max(min(length / options.finest, n / 2), first + 1)
    apart = max(1.0, length / options.window, (last - first) / (_MOST_BANDS - 1))
    count = 1 + math.ceil((last - first) / apart)
    step = (last - first) / (count - 1)
    radius = frequency_radius((n, n, n), 1 / n)
    sharpening = b_factor_gain(radius / length, options.b_factor, options.finest)
    for number in range(count):
        centre = first + number * step
        distance = (radius - centre) / step
        gain = torch.cos(0.5 * math.pi * distance.clamp(-1, 1)).square()
        if number == 0:
            gain = torch.where(distance < 0, 1.0, gain)
        yield _Band(centre / length, first / length, gain, gain * sharpening)


class _Window:
    """A Gaussian window around every voxel, in which voxels count by a mask."""

    def __init__(self, n: int, width_px: float, mask: Tensor) -> None:
        sigma = width_px / math.sqrt(8 * math.log(2))
        radius = frequency_radius((n, n, n), 1.0)
        self._transfer = torch.exp(-2 * (math.pi * sigma * radius).square())
        self._mask = mask.float()
        self.is_filled = self._sum(self._mask) > _SMALLEST_WEIGHT

    def correlation(self, a: Tensor, b: Tensor) -> Tensor:
        """Correlate two bands in all windows: (n, n, n), 0 where there is nothing."""
        cross = self._sum(self._mask * a * b)
        power = self._sum(self._mask * a * a) * self._sum(self._mask * b * b)
        return torch.where(self.is_filled & (power > 0), cross / power.clamp_min(1e-30).sqrt(), 0.0)

    def _sum(self, values: Tensor) -> Tensor:
        spectrum = torch.fft.rfftn(values)
        smooth: Tensor = torch.fft.irfftn(spectrum * self._transfer, s=tuple(values.shape))
        return smooth


def _share(agreement: Tensor) -> Tensor:
    """Give sqrt(2c/(1+c)), Rosenthal and Henderson's C_ref, with c from 0."""
    kept = agreement.clamp(0, 1)
    return (2 * kept / (1 + kept)).sqrt()
