"""Copies of tilt images at addresses, as MRC stacks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from subtomo.formats.atomic import replacing
from subtomo.formats.mrc_header import HEADER_BYTES, build_header
from subtomo.sources.image_parts import open_image_parts
from subtomo.sources.mrc_bands import MrcBands
from subtomo.sources.tile_fetching import FetchedTiles, ImageParts

_SPAN_BYTES = 16 * 2**20  # of a file, in one request
_REQUESTS = 4  # at once, so that little is in memory


def copy_stack(payload: dict[str, Any]) -> dict[str, int]:
    """Copy the images of a tilt series; the file appears when it is whole.

    Parameters
    ----------
    payload : address of an MRC file or an OME-Zarr image, path of the copy, pixel_size (Å)

    Returns
    -------
    How many images there are

    Raises
    ------
    MissingFileError, RemoteError, FormatError
        If the images do not come or are broken.
    """
    parts = open_image_parts(payload["address"])
    with replacing(Path(payload["path"])) as temporary:
        if isinstance(parts, MrcBands):
            _copy_file(parts, temporary)
        else:
            _write_tiles(parts, temporary, payload["pixel_size"])
    return {"n_images": parts.shape[0]}


def _copy_file(parts: MrcBands, path: Path) -> None:
    """Copy an MRC file as it is."""
    with path.open("wb") as file, ThreadPoolExecutor(_REQUESTS, "subtomo-copy") as pool:
        for portion in _portions(list(_spans(parts.file_bytes))):
            for data in pool.map(parts.read_bytes, portion):
                file.write(data)


def _spans(n_bytes: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n_bytes, _SPAN_BYTES):
        yield start, min(start + _SPAN_BYTES, n_bytes)


def _portions(spans: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(spans), _REQUESTS):
        yield spans[start : start + _REQUESTS]


def _write_tiles(parts: ImageParts, path: Path, pixel_size: float) -> None:
    """Write an OME-Zarr image into an MRC file, a row of tiles at a time."""
    n_images, n_y, n_x = parts.shape
    height, width = parts.tile_shape
    grid = (-(-n_y // height), -(-n_x // width))
    reader = FetchedTiles(parts)
    reader.expect([(y, x) for y in range(grid[0]) for x in range(grid[1])])
    band = np.empty((n_images, height, n_x), "<f4")
    with path.open("wb") as file:
        file.write(build_header(parts.shape, 2, pixel_size, is_stack=True))
        for y in range(grid[0]):
            for (_, x), values in reader.read([(y, x) for x in range(grid[1])]):
                n_rows = values.shape[1]
                band[:, :n_rows, x * width : x * width + values.shape[2]] = values
            for image in range(n_images):
                file.seek(HEADER_BYTES + 4 * n_x * (image * n_y + y * height))
                file.write(band[image, :n_rows].tobytes())
