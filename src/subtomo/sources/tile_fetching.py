"""Tiles of tilt images put together from parts of files, many of them fetched at once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SubtomoError

Tile = tuple[int, int]
REQUESTS = 24  # at once
_AHEAD_BYTES = 256e6  # of tiles that are expected, and as much of those being read


class ImageParts(Protocol):
    """The parts of files that tiles are made of.

    Parameters
    ----------
    shape : (image, y, x)
    tile_shape : (y, x)
    voxel_size : z, y, x in Å as the files say, None where they do not; z of images means nothing
    is_remote : whether reading means waiting
    """

    shape: tuple[int, int, int]
    tile_shape: tuple[int, int]
    voxel_size: tuple[float, float, float] | None
    is_remote: bool

    def of_tile(self, tile: Tile) -> Sequence[Any]:
        """List the parts of a tile, the first images first."""

    def read(self, part: Any) -> NDArray[Any]:
        """Read one: (image, y, x); may reach beyond the images."""


class FetchedTiles:
    """Reads tiles; those at an address are fetched many at once, and before they are used.

    Parameters
    ----------
    parts : what the tiles are made of
    """

    def __init__(self, parts: ImageParts) -> None:
        self.shape, self.tile_shape = parts.shape, parts.tile_shape
        self._parts = parts
        self._pool = ThreadPoolExecutor(REQUESTS, "subtomo-tiles") if parts.is_remote else None
        self._coming: dict[Tile, list[Future[NDArray[Any]]]] = {}
        self._expected: dict[Tile, None] = {}  # in order
        tile_bytes = 4 * self.shape[0] * self.tile_shape[0] * self.tile_shape[1]
        self._n_ahead = max(2, min(REQUESTS, int(_AHEAD_BYTES // tile_bytes)))

    def expect(self, tiles: Sequence[Tile]) -> None:
        """Say which tiles will be read, in the order of their use, so that they come early."""
        if self._pool is not None:
            self._expected = dict.fromkeys(tiles)
            self._fetch_ahead()

    def read(self, tiles: Sequence[Tile]) -> Iterator[tuple[Tile, NDArray[Any]]]:
        """Read tiles: each as (image, y, x), cut off at the images' border.

        Raises
        ------
        MissingFileError, RemoteError, ZarrError
            If a part is not there, does not come or is broken.
        """
        for number, tile in enumerate(tiles):
            for soon in tiles[number : number + self._n_ahead]:
                self._start(soon)
            coming = self._coming.pop(tile, None)
            self._fetch_ahead()
            try:
                if coming is None:
                    values = [self._parts.read(part) for part in self._parts.of_tile(tile)]
                else:
                    values = [part.result() for part in coming]
            except SubtomoError:
                self._give_up()
                raise
            yield tile, self._joined(values, tile)

    def _start(self, tile: Tile) -> None:
        """Begin to fetch a tile, unless it comes already."""
        self._expected.pop(tile, None)
        if self._pool is not None and tile not in self._coming:
            parts = self._parts.of_tile(tile)
            self._coming[tile] = [self._pool.submit(self._parts.read, part) for part in parts]

    def _fetch_ahead(self) -> None:
        while self._expected and len(self._coming) < self._n_ahead:
            self._start(next(iter(self._expected)))

    def _give_up(self) -> None:
        """Fetch nothing more."""
        for part in (part for parts in self._coming.values() for part in parts):
            part.cancel()
        self._coming.clear()
        self._expected.clear()

    def _joined(self, parts: list[NDArray[Any]], tile: Tile) -> NDArray[Any]:
        """Join the parts of a tile along the images, and cut off what is beyond them."""
        n_images, n_y, n_x = self.shape
        height, width = self.tile_shape
        y, x = tile
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return values[:n_images, : min(height, n_y - y * height), : min(width, n_x - x * width)]
