"""Sizes of tilt images at addresses, looked up for many tilt series at once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from subtomo.errors import DataError, ShapeError, SubtomoError
from subtomo.formats.paths import is_remote
from subtomo.formats.tilt_images import split_image_name
from subtomo.model import TiltSeries
from subtomo.sources.image_parts import check_indices, open_image_parts
from subtomo.sources.tile_fetching import REQUESTS, ImageParts

_MOST_DIFFERENT = 0.01  # of pixel sizes, which rounding leaves


def with_image_sizes(
    tilt_series: Mapping[str, TiltSeries], *, check_pixel_size: bool = False
) -> tuple[dict[str, TiltSeries], dict[str, SubtomoError]]:
    """Look up the sizes of images that are at addresses; no pixel is read.

    Parameters
    ----------
    tilt_series : by name; those with known sizes or with images on disk stay as they are
    check_pixel_size : images that say another pixel size than their tilt series cannot be used

    Returns
    -------
    tilt_series : those that can be used, in the same order
    failures : why the others cannot, by name
    """
    wanted = {name: one for name, one in tilt_series.items() if _is_unknown(one)}
    found: dict[str, TiltSeries] = {}
    failures: dict[str, SubtomoError] = {}
    with ThreadPoolExecutor(REQUESTS, "subtomo-sizes") as pool:
        coming = {
            name: pool.submit(_with_size, one, check_pixel_size) for name, one in wanted.items()
        }
        for name, series in tilt_series.items():
            try:
                found[name] = coming[name].result() if name in coming else series
            except SubtomoError as error:
                failures[name] = error
    return found, failures


def _is_unknown(series: TiltSeries) -> bool:
    names = series.image_names
    return series.image_size_px is None and bool(names) and is_remote(split_image_name(names[0])[1])


def _with_size(series: TiltSeries, check_pixel_size: bool) -> TiltSeries:
    """Look up the size of one tilt series' images."""
    pairs = [split_image_name(name) for name in series.image_names]
    sizes = set()
    for file in dict.fromkeys(file for _, file in pairs):
        parts = open_image_parts(file)
        if check_pixel_size:
            _check_pixel_size(series, parts, file)
        n_images, height, width = parts.shape
        check_indices([index for index, other in pairs if other == file], n_images, file)
        sizes.add((width, height))
    if len(sizes) > 1:
        raise ShapeError(f"{series.name}: images of different sizes: {sorted(sizes)}")
    return replace(series, image_size_px=sizes.pop())


def _check_pixel_size(series: TiltSeries, parts: ImageParts, file: str) -> None:
    """Refuse images that say another pixel size than their tilt series."""
    if parts.voxel_size is None:
        return
    _, y, x = parts.voxel_size
    if not np.allclose([y, x], series.pixel_size, rtol=_MOST_DIFFERENT, atol=0):
        raise DataError(
            f"{file}: says that its pixels are {x:g} x {y:g} Å large, and the tilt series that "
            f"they are {series.pixel_size:g} Å; which is right is not known"
        )
