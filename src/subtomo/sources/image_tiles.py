"""Pixels of tilt images around points, read once and no more of them than needed."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.paths import is_remote
from subtomo.formats.tilt_images import open_tilt_images, split_image_name
from subtomo.formats.volumes import format_of, open_stack
from subtomo.model import ImageTiles, TilePool, TiltSeries
from subtomo.sources.image_parts import check_indices, open_image_parts
from subtomo.sources.tile_fetching import FetchedTiles, Tile

_TILE_PX = 512  # of images that are not stored in tiles
_CACHE_BYTES = 512e6
_DIRECT = {np.dtype(name) for name in ("int8", "uint8", "int16", "uint16", "float32")}


class TileReader(Protocol):
    """Gives tiles of the images of all tilts, in any order."""

    shape: tuple[int, int, int]
    tile_shape: tuple[int, int]

    def read(self, tiles: Sequence[Tile]) -> Iterable[tuple[Tile, NDArray[Any]]]:
        """Read tiles (tile y, tile x): each as (image, y, x), cut off at the image's border."""

    def expect(self, tiles: Sequence[Tile]) -> None:
        """Take note of the tiles that will be read, in the order of their use."""


class MappedImages:
    """Images in memory or memory-mapped: one tile.

    Parameters
    ----------
    stack : (image, y, x)
    images : (tilt,), which image is that of a tilt
    """

    def __init__(self, stack: NDArray[Any], images: Sequence[int]) -> None:
        self.image_size_px = (stack.shape[2], stack.shape[1])
        self._pool = TilePool(
            np.asarray(stack)[None], np.zeros((1, 1), np.int64), np.array(images, dtype=np.int64)
        )

    def pools(self, first: NDArray[np.int64], size: int) -> Iterator[tuple[slice, TilePool]]:
        """Give the one tile there is, for all windows."""
        yield slice(0, len(first)), self._pool

    def expect(self, first: NDArray[np.int64], size: int) -> None:
        """Do nothing: all is there."""


class CachedTiles:
    """Tiles read when they are needed; those used longest ago make room for new ones.

    Parameters
    ----------
    reader : of the tiles
    images : (tilt,), which image is that of a tilt
    cache_bytes : of tiles in memory; more only where one window needs more
    """

    def __init__(
        self, reader: TileReader, images: Sequence[int], *, cache_bytes: float = _CACHE_BYTES
    ) -> None:
        n_images, n_y, n_x = reader.shape
        tile_y, tile_x = reader.tile_shape
        self.image_size_px = (n_x, n_y)
        self._reader = reader
        self._images = np.array(images, dtype=np.int64)
        self._grid = (-(-n_y // tile_y), -(-n_x // tile_x))
        tile_bytes = 4 * n_images * tile_y * tile_x
        n_slots = int(min(max(cache_bytes // tile_bytes, 1), self._grid[0] * self._grid[1]))
        self._tiles = np.empty((n_slots, n_images, tile_y, tile_x), np.float32)
        self._slot_of: OrderedDict[Tile, int] = OrderedDict()

    def pools(self, first: NDArray[np.int64], size: int) -> Iterator[tuple[slice, TilePool]]:
        """Give the tiles of as many windows at a time as there is room for."""
        yield from self._pools(first, size, 0)

    def _pools(
        self, first: NDArray[np.int64], size: int, start: int
    ) -> Iterator[tuple[slice, TilePool]]:
        """Halve the windows until their tiles fit; ``start`` is the number of the first one."""
        needed = self._touched(first, size)
        if len(needed) > len(self._tiles) and len(first) > 1:
            middle = len(first) // 2
            yield from self._pools(first[:middle], size, start)
            yield from self._pools(first[middle:], size, start + middle)
        else:
            yield slice(start, start + len(first)), self._with(needed)

    def _with(self, needed: Sequence[Tile]) -> TilePool:
        """Read the tiles that are missing, in place of those used longest ago."""
        for tile in needed:
            if tile in self._slot_of:
                self._slot_of.move_to_end(tile)
        missing = [tile for tile in needed if tile not in self._slot_of]
        self._make_room(len(needed), len(missing))
        free = iter(set(range(len(self._tiles))) - set(self._slot_of.values()))
        for tile, values in self._reader.read(missing):
            slot = next(free)
            self._tiles[slot, :, : values.shape[1], : values.shape[2]] = values
            self._slot_of[tile] = slot
        slots = np.full(self._grid, -1, dtype=np.int64)
        for tile in needed:
            slots[tile] = self._slot_of[tile]
        return TilePool(self._tiles, slots, self._images)

    def expect(self, first: NDArray[np.int64], size: int) -> None:
        """Let the reader fetch tiles early that later calls will require, in this order."""
        tiles = self._touched(first, size)
        self._reader.expect([tile for tile in tiles if tile not in self._slot_of])

    def _touched(self, first: NDArray[np.int64], size: int) -> list[Tile]:
        """List the tiles that windows touch, in the order of the windows."""
        last_pixel = np.array(self.image_size_px) - 1
        tile = np.array(self._reader.tile_shape[::-1])
        low = np.clip(first, 0, last_pixel) // tile
        high = np.clip(first + size - 1, 0, last_pixel) // tile
        pairs, index = np.unique(np.hstack([low, high]), axis=0, return_index=True)
        touched: dict[Tile, None] = {}
        for x0, y0, x1, y1 in pairs[np.argsort(index)].tolist():
            for y in range(y0, y1 + 1):
                touched.update(dict.fromkeys((y, x) for x in range(x0, x1 + 1)))
        return list(touched)

    def _make_room(self, n_needed: int, n_missing: int) -> None:
        """Drop tiles, or add slots where one window needs more than there are."""
        if n_needed > len(self._tiles):
            more = np.empty((n_needed - len(self._tiles), *self._tiles.shape[1:]), np.float32)
            self._tiles = np.concatenate([self._tiles, more])
        while len(self._slot_of) + n_missing > len(self._tiles):
            self._slot_of.popitem(last=False)


class ArrayReader:
    """Tiles of a lazy array.

    Parameters
    ----------
    images : (image, y, x)
    """

    def __init__(self, images: Any) -> None:
        self.shape = tuple(images.shape)
        self.tile_shape = (min(_TILE_PX, images.shape[1]), min(_TILE_PX, images.shape[2]))
        self._array = images

    def read(self, tiles: Sequence[Tile]) -> Iterator[tuple[Tile, NDArray[Any]]]:
        """Slice the array."""
        height, width = self.tile_shape
        for y, x in tiles:
            rows, columns = (slice(n * m, (n + 1) * m) for n, m in ((y, height), (x, width)))
            yield (y, x), np.asarray(self._array[:, rows, columns])

    def expect(self, tiles: Sequence[Tile]) -> None:
        """Do nothing: reading takes no waiting."""


def open_image_tiles(tilt_series: TiltSeries) -> ImageTiles:
    """Open the images that a tilt series names.

    Parameters
    ----------
    tilt_series : with ``image_names``, absolute

    Raises
    ------
    MissingFileError, RemoteError, FormatError
        If an image cannot be read.
    """
    names = tilt_series.image_names
    pairs = [split_image_name(name) for name in names]
    indices, files = [index for index, _ in pairs], {file for _, file in pairs}
    if len(files) == 1:
        file = files.pop()
        if is_remote(file) or format_of(file) == "zarr":
            parts = open_image_parts(file)
            check_indices(indices, parts.shape[0], file)
            return CachedTiles(FetchedTiles(parts), indices)
        stack = open_stack(Path(file))
        if isinstance(stack, np.ndarray) and stack.dtype in _DIRECT:
            return MappedImages(stack, indices)
        return CachedTiles(ArrayReader(stack), indices)
    images, _ = open_tilt_images(names, "", lambda row: names[row], required=True)
    return CachedTiles(ArrayReader(images), range(len(names)))
