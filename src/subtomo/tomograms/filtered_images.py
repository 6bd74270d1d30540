"""Tilt images made ready for back-projection: resampled, corrected, weighted."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from subtomo.errors import DataError
from subtomo.model import TiltSeries
from subtomo.signal.back_projection import (
    Window,
    angular_weights,
    interpolation_gain,
    ramp_filter,
)
from subtomo.signal.ctf import CtfParameters, ctf_at
from subtomo.signal.dose import dose_weight
from subtomo.signal.fourier import Device, fourier_crop, fourier_pad, frequency_vectors

CtfCorrection = Literal["none", "flip", "multiply"]

_MARGIN = 1.25  # size of the extended image over the image's: the ramp falls off within it
_OVERSAMPLING = 2  # pixels a voxel: blur and aliasing of bilinear interpolation grow with the pixel
_MOST_BYTES = 1 << 30  # of all images; where they would take more, a pixel is as large as a voxel


@dataclass(frozen=True)
class ImageRecipe:
    """What is done to the images before they are projected back.

    Parameters
    ----------
    window : of the ramp, see `ramp_filter`
    ctf_correction : "flip" the sign of components that the CTF inverted, or "multiply" with it
    dose_weighting : lower components by what the dose before the image left of them
    normalise : bring every image to mean 0 and standard deviation 1
    invert : change the sign: raw cryo images are dark where there is protein
    """

    window: Window = "none"
    ctf_correction: CtfCorrection = "none"
    dose_weighting: bool = True
    normalise: bool = True
    invert: bool = True


@dataclass(frozen=True)
class FilteredImages:
    """Images ready for back-projection.

    Parameters
    ----------
    images : (tilt, y, x)
    scale : (x, y), their pixels over those of the raw images; pixel 0 is the same point in both
    """

    images: Tensor
    scale: tuple[float, float]


def filter_images(
    tilt_series: TiltSeries, pixel_size: float, recipe: ImageRecipe, *, device: Device = None
) -> FilteredImages:
    """Resample, correct, weight and filter the images of a series, one after the other.

    Parameters
    ----------
    tilt_series : with images
    pixel_size : Å of the volume's voxels, not less than that of the images
    recipe : what to do

    Returns
    -------
    FilteredImages
        With two pixels a voxel, or slightly more; with one where they would take more than 1 GB.

    Raises
    ------
    DataError
        If there are no images, one holds NaN or is constant, or a CTF is asked for and not there.
    """
    if tilt_series.images is None:
        raise DataError(f"tilt series {tilt_series.name} has no images; expected a stack of them")
    extended, resampled, kept = _sizes(tilt_series, pixel_size / _OVERSAMPLING)
    if 4 * len(tilt_series) * math.prod(kept) > _MOST_BYTES:
        extended, resampled, kept = _sizes(tilt_series, pixel_size)
    scale = tuple(m / n for n, m in zip(extended[::-1], resampled[::-1], strict=True))
    filters = _filters(tilt_series, pixel_size, resampled, (scale[0], scale[1]), recipe, device)
    images = torch.empty((len(tilt_series), *kept), device=device)
    for tilt, weight in enumerate(filters):
        image = _read_image(tilt_series, tilt).to(device)
        small = _resample(extend_periodically(image, extended), resampled)
        if recipe.normalise:
            small = _normalise(small, kept)
        filtered = torch.fft.irfftn(torch.fft.rfftn(small) * weight, s=resampled)
        images[tilt] = filtered[: kept[0], : kept[1]]
    return FilteredImages(images, (scale[0], scale[1]))


def extend_periodically(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Add rows and columns after the last so that the image goes over smoothly into itself.

    Parameters
    ----------
    image : (y, x)
    shape : at least the image's; less than twice it

    Returns
    -------
    (*shape)
        The image mirrored at its end, fading into the image mirrored at its beginning.
    """
    for axis, size in enumerate(shape):
        n = image.shape[axis]
        steps = torch.arange(1, size - n + 1, device=image.device)
        after = image.index_select(axis, n - 1 - steps)
        before = image.index_select(axis, size - n + 1 - steps)
        fade = 0.5 - 0.5 * torch.cos(math.pi * steps / (size - n + 1))
        fade = fade.to(image.dtype).reshape((-1, 1) if axis == 0 else (1, -1))
        image = torch.cat([image, after + fade * (before - after)], dim=axis)
    return image


def _sizes(
    tilt_series: TiltSeries, pixel_size: float
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Sizes (y, x) of the extended raw image, the same resampled, and of the image in the latter.

    The new pixels are as large as asked for, or smaller by what makes the transform fast.
    """
    sizes = []
    for n in tilt_series.images.shape[1:]:
        extended = min(next_fast_len(math.ceil(_MARGIN * n), real=True), 2 * n - 1)
        least = math.ceil(extended * tilt_series.pixel_size / pixel_size - 1e-6)
        new = next_fast_len(max(least, 2), real=True)
        sizes.append((extended, new, math.floor((n - 1) * new / extended) + 1))
    extended_shape, new_shape, kept = (tuple(size) for size in zip(*sizes, strict=True))
    return extended_shape, new_shape, kept


def _filters(
    tilt_series: TiltSeries,
    pixel_size: float,
    shape: tuple[int, int],
    scale: tuple[float, float],
    recipe: ImageRecipe,
    device: Device,
) -> Any:
    """Yield for every tilt the weight (y, x // 2 + 1) of its Fourier components."""
    sizes = [tilt_series.pixel_size / s for s in scale]  # Å, x and y
    in_voxels = (sizes[0] / pixel_size, sizes[1] / pixel_size)
    frequencies = frequency_vectors(shape, 1.0, device=device) / torch.tensor(sizes, device=device)
    parameters = None
    if recipe.ctf_correction != "none":
        parameters = CtfParameters.of_tilts(tilt_series, device=device, dtype=torch.float32)
    shares = angular_weights(tilt_series.tilt_angles)
    gain = interpolation_gain(shape, device=device)
    for tilt, axis_angle in enumerate(tilt_series.tilt_axis_angles):
        weight = ramp_filter(
            shape, axis_angle, pixel_sizes=in_voxels, window=recipe.window, device=device
        )[0]
        weight = weight * gain
        if parameters is not None:
            ctf = ctf_at(parameters.select(tilt), frequencies)
            weight = weight * (ctf if recipe.ctf_correction == "multiply" else torch.sign(ctf))
        if recipe.dose_weighting:
            weight = weight * dose_weight(frequencies.norm(dim=-1), float(tilt_series.dose[tilt]))
        yield weight * float(-shares[tilt] if recipe.invert else shares[tilt])


def _resample(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Bring an image to a coarser or finer grid; pixel 0 stays."""
    height, width = (min(n, m) for n, m in zip(image.shape, shape, strict=True))
    return fourier_pad(fourier_crop(image, (height, width)), shape)


def _read_image(tilt_series: TiltSeries, tilt: int) -> Tensor:
    """Read one image; refuse what cannot be computed with."""
    image = np.array(tilt_series.images[tilt], dtype=np.float32)
    if not np.isfinite(image).all():
        bad = int((~np.isfinite(image)).sum())
        raise DataError(
            f"tilt series {tilt_series.name}, image {tilt + 1}: {bad} pixels are NaN or infinite; "
            "leave the image out or replace them"
        )
    if image.min() == image.max():
        raise DataError(
            f"tilt series {tilt_series.name}, image {tilt + 1} is constant ({image.min():g} "
            "everywhere); leave it out of the table"
        )
    return torch.from_numpy(image)


def _normalise(image: Tensor, kept: tuple[int, int]) -> Tensor:
    """Bring the part that is image, not extension, to mean 0 and standard deviation 1."""
    inside = image[: kept[0], : kept[1]].to(torch.float64)
    deviation, mean = torch.std_mean(inside, correction=0)
    return (image - float(mean)) / float(deviation)
