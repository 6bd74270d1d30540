from dataclasses import replace

import numpy as np
import pytest
import torch

from subtomo.formats.mrc_writer import write_mrc
from subtomo.formats.volumes import write_stack
from subtomo.model import TiltSeries
from subtomo.signal.particle_windows import cut_windows
from subtomo.sources.image_tiles import ArrayReader, CachedTiles, MappedImages, open_image_tiles

FIRST = np.array([[-3, 5], [30, 20], [90, 70]])


@pytest.fixture
def images():
    return np.random.default_rng(4).normal(size=(4, 80, 100)).astype(np.float32)


def windows(tiles, tilts, first=FIRST, size=12):
    out = torch.empty((len(first), size, size))
    for some, pool in tiles.pools(first, size):
        images = pool.images[tilts[some]]
        offsets = cut_windows(
            pool.tiles, pool.slots, tiles.image_size_px, images, first[some], out[some]
        )
        out[some] += offsets[:, None, None]
    return out.numpy()


def series(names):
    n = len(names)
    return TiltSeries(
        "TS",
        pixel_size=2.0,
        tilt_angles=np.zeros(n),
        tilt_axis_angles=np.zeros(n),
        shifts=np.zeros((n, 2)),
        dose=np.zeros(n),
        image_names=tuple(names),
    )


class SmallTiles(ArrayReader):
    """Counts what is read, in tiles of 16 x 32 pixels."""

    def __init__(self, images):
        super().__init__(images)
        self.tile_shape = (16, 32)
        self.read_tiles = []

    def read(self, tiles):
        self.read_tiles += tiles
        return super().read(tiles)


def test_cached_tiles_give_the_pixels_and_read_each_tile_once(images):
    reader = SmallTiles(images)
    tiles = CachedTiles(reader, [0, 1, 2, 3])
    tilts = np.array([0, 3, 1])
    wanted = windows(MappedImages(images, [0, 1, 2, 3]), tilts)
    for _ in range(2):
        np.testing.assert_allclose(windows(tiles, tilts), wanted, atol=1e-6)
    assert len(reader.read_tiles) == len(set(reader.read_tiles))
    assert len(reader.read_tiles) < 20  # of 5 x 4: only what the windows touch


def test_a_small_cache_drops_the_oldest_tiles(images):
    reader = SmallTiles(images)
    tiles = CachedTiles(reader, [0, 1, 2, 3], cache_bytes=4 * 4 * 16 * 32 * 2)  # two tiles
    tilts = np.array([2])
    whole = MappedImages(images, [0, 1, 2, 3])
    for first in ([[2, 2]], [[40, 2]], [[70, 2]], [[2, 2]], [[10, 10]]):
        first = np.array(first)
        found = windows(tiles, tilts, first, 8)
        np.testing.assert_allclose(found, windows(whole, tilts, first, 8), atol=1e-6)
    assert reader.read_tiles.count((0, 0)) >= 2


def test_windows_on_more_tiles_than_there_is_room_for_are_given_in_parts(images):
    tilts = np.arange(60) % 4
    first = np.random.default_rng(1).integers(-8, 100, (60, 2))
    whole = MappedImages(images, [0, 1, 2, 3])
    tiles = CachedTiles(SmallTiles(images), [0, 1, 2, 3], cache_bytes=4 * 4 * 16 * 32 * 5)
    pools = list(tiles.pools(first, 12))
    assert [i for some, _ in pools for i in range(60)[some]] == list(range(60))
    assert {len(pool.tiles) for _, pool in pools} == {5}
    found = windows(tiles, tilts, first)
    np.testing.assert_allclose(found, windows(whole, tilts, first), atol=1e-6)


class LargeTiles:
    """Images of 4096 x 4096 pixels in chunks of 256: a tile's pixels are its number."""

    shape = (8, 4096, 4096)
    tile_shape = (256, 256)

    def read(self, tiles):
        for y, x in tiles:
            yield (y, x), np.broadcast_to(np.float32(16 * y + x), (8, 256, 256))

    def expect(self, tiles):
        pass


def test_memory_is_bounded_however_many_tiles_particles_lie_on():
    tile_bytes = 8 * 256 * 256 * 4
    tiles = CachedTiles(LargeTiles(), range(8), cache_bytes=6 * tile_bytes)
    first = np.random.default_rng(1).integers(0, 4000, (50, 2))  # on about 80 tiles
    for some, pool in tiles.pools(first, 64):
        assert pool.tiles.nbytes == 6 * tile_bytes
        for x, y in first[some] // 256:
            assert pool.tiles[pool.slots[y, x], 0, 0, 0] == 16 * y + x
    (_, pool), *_ = tiles.pools(first[:1], 600)
    assert pool.tiles.nbytes > 6 * tile_bytes  # one window needs them


@pytest.mark.parametrize("suffix", [".mrc", ".zarr", ".tif"])
def test_images_are_opened_by_their_names_in_any_order(tmp_path, images, suffix):
    path = tmp_path / f"stack{suffix}"
    write_stack(path, images, 2.0)
    tiles = open_image_tiles(series([f"{i:06d}@{path}" for i in (3, 1, 4)]))
    found = windows(tiles, np.array([0, 1, 2]))
    wanted = windows(MappedImages(images, [2, 0, 3]), np.array([0, 1, 2]))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_single_frames_are_one_image_each(tmp_path, images):
    names = []
    for i, image in enumerate(images):
        write_mrc(tmp_path / f"{i}.mrc", image[None], 2.0, is_stack=True)
        names.append(str(tmp_path / f"{i}.mrc"))
    tiles = open_image_tiles(series(names))
    found = windows(tiles, np.array([3, 2, 1]))
    wanted = windows(MappedImages(images, [0, 1, 2, 3]), np.array([3, 2, 1]))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_half_precision_images_are_read(tmp_path, images):
    path = tmp_path / "half.mrc"
    write_mrc(path, images.astype(np.float16), 2.0, is_stack=True, dtype=np.float16)
    one = replace(series([f"{i}@{path}" for i in (1, 2)]))
    found = windows(open_image_tiles(one), np.array([0, 1, 1]))
    wanted = windows(MappedImages(images, [0, 1]), np.array([0, 1, 1]))
    np.testing.assert_allclose(found, wanted, atol=5e-3)
