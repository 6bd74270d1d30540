"""Tiles from OME-Zarr and MRC, on disk and over http, against the arrays they were made of."""

import itertools
import json
import threading
import warnings
from dataclasses import replace

import numpy as np
import pytest
import zarr
from faulty_server import HASTY, serving

from subtomo.errors import MissingFileError, RemoteError, ShapeError, ZarrError
from subtomo.formats.mrc_writer import write_mrc
from subtomo.model import TiltSeries
from subtomo.sources import http_files
from subtomo.sources.image_parts import open_image_parts
from subtomo.sources.image_sizes import with_image_sizes
from subtomo.sources.image_tiles import CachedTiles, open_image_tiles
from subtomo.sources.tile_fetching import FetchedTiles

SHAPE = (5, 40, 50)


@pytest.fixture
def images():
    return np.random.default_rng(6).normal(size=SHAPE).astype(np.float32)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(http_files, "PATIENCE", HASTY)


def write_image(folder, images, *, chunks=(16, 16, 16), zarr_format=2, **options):
    """Write an OME-Zarr image of one level."""
    separator = {"name": "v2", "separator": "/"} if zarr_format == 2 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.create_array(
            folder / "0",
            shape=images.shape,
            chunks=chunks,
            dtype=images.dtype,
            zarr_format=zarr_format,
            chunk_key_encoding=separator,
            **options,
        )
        array[:] = images
    axes = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    scale = {"type": "scale", "scale": [2.0, 2.0, 2.0]}
    levels = [{"path": "0", "coordinateTransformations": [scale]}]
    content = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": levels}]}
    if zarr_format == 3:
        group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": content}}
        (folder / "zarr.json").write_text(json.dumps(group))
    else:
        (folder / ".zattrs").write_text(json.dumps(content))
    return folder


def series(address, indices=range(5)):
    n = len(indices)
    return TiltSeries(
        "TS",
        pixel_size=2.0,
        tilt_angles=np.zeros(n),
        tilt_axis_angles=np.zeros(n),
        shifts=np.zeros((n, 2)),
        dose=np.zeros(n),
        image_names=tuple(f"{index + 1:06d}@{address}" for index in indices),
    )


def whole(address):
    """Put the images together from their tiles."""
    parts = open_image_parts(str(address))
    (n, n_y, n_x), (height, width) = parts.shape, parts.tile_shape
    joined = np.full(parts.shape, np.nan, np.float32)
    tiles = [(y, x) for y in range(-(-n_y // height)) for x in range(-(-n_x // width))]
    reader = FetchedTiles(parts)
    reader.expect(tiles)
    for (y, x), values in reader.read(tiles):
        assert values.shape[0] == n
        rows, columns = slice(y * height, (y + 1) * height), slice(x * width, (x + 1) * width)
        joined[:, rows, columns] = values
    return joined


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (2, 16, 20)},
        {"chunks": (5, 40, 50)},
        {"zarr_format": 3},
        {"zarr_format": 3, "chunks": (5, 8, 8), "shards": (5, 16, 16)},
    ],
    ids=str,
)
def test_tiles_are_the_images(tmp_path, images, options):
    folder = write_image(tmp_path / "TS.zarr", images, **options)
    assert np.array_equal(whole(folder), images)
    with serving(tmp_path) as (url, faults):
        assert np.array_equal(whole(f"{url}/TS.zarr"), images)
    asked = [path for path in faults.asked if "/0/" in path and ".z" not in path]
    chunks = [path for path in asked if "json" not in path]
    if "shards" not in options:
        assert len(chunks) == len(set(chunks))


def test_a_level_can_be_named_itself(tmp_path, images):
    folder = write_image(tmp_path / "TS.zarr", images)
    assert np.array_equal(whole(folder / "0"), images)


def test_bands_of_an_mrc_file_are_the_images(tmp_path, images, monkeypatch):
    monkeypatch.setattr("subtomo.sources.mrc_bands._ROWS", 16)
    write_mrc(tmp_path / "TS.mrc", images, 2.0, is_stack=True)
    with serving(tmp_path) as (url, _):
        assert np.array_equal(whole(f"{url}/TS.mrc"), images)
        data = (tmp_path / "TS.mrc").read_bytes()
        (tmp_path / "TS.mrc").write_bytes(data[:-100])
        with pytest.raises(RemoteError, match="the file is truncated"):
            whole(f"{url}/TS.mrc")


def test_only_the_tiles_that_windows_touch_are_fetched_and_each_once(tmp_path, images):
    write_image(tmp_path / "TS.zarr", images)
    first = np.array([[2, 3], [3, 2], [14, 4], [40, 30]])
    with serving(tmp_path) as (url, faults):
        tiles = open_image_tiles(series(f"{url}/TS.zarr", [4, 0, 2]))
        tiles.expect(first, 6)
        for corner in first:
            ((_, pool),) = tiles.pools(corner[None], 6)
            y, x = np.clip(corner[::-1] + 3, 0, [39, 49])
            slot = pool.slots[y // 16, x // 16]
            assert np.array_equal(
                pool.tiles[slot, pool.images, y % 16, x % 16], images[[4, 0, 2], y, x]
            )
    chunks = sorted(path for path in faults.asked if path.count("/") == 5)
    assert chunks == [f"/TS.zarr/0/0/{tile}" for tile in ("0/0", "0/1", "1/2", "2/2")]


def test_the_cache_is_bounded(tmp_path, images):
    write_image(tmp_path / "TS.zarr", images)
    parts = open_image_parts(str(tmp_path / "TS.zarr"))
    cached = CachedTiles(FetchedTiles(parts), range(5), cache_bytes=3 * 5 * 16 * 16 * 4)
    for corner in np.random.default_rng(1).integers(0, 40, (30, 2)):
        ((_, pool),) = cached.pools(np.array([corner]), 2)
        assert len(pool.tiles) <= 4
        y, x = np.minimum(corner[::-1], [39, 49])
        slot = pool.slots[y // 16, x // 16]
        assert np.array_equal(pool.tiles[slot, :, y % 16, x % 16], images[:, y, x])


class CountedParts:
    """Tiles at an address; counts those that are there and were not used yet."""

    shape, tile_shape, is_remote = (2, 160, 160), (16, 16), True

    def __init__(self):
        self.asked, self.most, self.used = [], 0, 0

    def of_tile(self, tile):
        self.asked.append(tile)
        self.most = max(self.most, len(self.asked) - self.used)
        return [tile]

    def read(self, tile):
        return np.full((2, 16, 16), 10 * tile[0] + tile[1], np.float32)


@pytest.mark.parametrize("at_once", [1, 100])
def test_tiles_that_wait_are_bounded_and_each_is_fetched_once(monkeypatch, at_once):
    monkeypatch.setattr("subtomo.sources.tile_fetching._AHEAD_BYTES", 5 * 4 * 2 * 16 * 16)
    parts = CountedParts()
    reader = FetchedTiles(parts)
    tiles = [(y, x) for y in range(10) for x in range(10)]
    reader.expect(tiles)
    for start in range(0, 100, at_once):
        for (y, x), values in reader.read(tiles[start : start + at_once]):
            assert values[0, 0, 0] == 10 * y + x
            parts.used += 1
    assert parts.asked == tiles
    assert parts.most <= 2 * 5


def test_many_tiles_come_at_once(tmp_path, images, monkeypatch):
    folder = write_image(tmp_path / "TS.zarr", images)
    parts = open_image_parts(str(folder))
    parts.is_remote = True
    together = threading.Barrier(10, timeout=60)  # broken where fewer than ten are read at once
    number = itertools.count()
    read = parts.read

    def read_with_others(part):
        if next(number) < together.parties:
            together.wait()
        return read(part)

    monkeypatch.setattr(parts, "read", read_with_others)
    tiles = [(y, x) for y in range(3) for x in range(4)]
    reader = FetchedTiles(parts)
    reader.expect(tiles)
    for tile in tiles:
        assert next(iter(reader.read([tile])))[0] == tile
    assert not together.broken


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("refused", RemoteError, "HTTP 403"),
        ("missing", MissingFileError, "HTTP 404.*a chunk of the images is missing"),
        ("cut", RemoteError, "cut short"),
        ("slow", RemoteError, "no answer within"),
        ("garbled", ZarrError, "the chunk is broken"),
    ],
)
def test_a_chunk_that_does_not_come_is_named(tmp_path, images, kind, error, words):
    write_image(tmp_path / "TS.zarr", images)
    with serving(tmp_path) as (url, faults):
        faults.kinds["/0/0/1/2"] = kind
        with pytest.raises(error, match=rf"TS\.zarr/0/0/1/2: .*{words}"):
            whole(f"{url}/TS.zarr")


def test_a_missing_chunk_on_disk_is_no_field_of_zeros(tmp_path, images):
    folder = write_image(tmp_path / "TS.zarr", images)
    (folder / "0/0/1/1").unlink()
    with pytest.raises(MissingFileError, match="0/0/1/1: not there; a chunk of the images is"):
        whole(folder)


def test_a_missing_chunk_of_a_shard_is_an_error(tmp_path, images):
    images[:, 16:32, 16:24] = 0  # which zarr does not write
    folder = write_image(
        tmp_path / "TS.zarr", images, zarr_format=3, chunks=(5, 8, 8), shards=(5, 16, 16)
    )
    with pytest.raises(MissingFileError, match="a chunk of the images is missing in the shard"):
        whole(folder)


def test_images_that_are_not_there_are_named(tmp_path, images):
    write_image(tmp_path / "TS.zarr", images)
    with serving(tmp_path) as (url, faults):
        with pytest.raises(MissingFileError, match=r"other\.zarr: none of \.zattrs, zarr\.json"):
            open_image_parts(f"{url}/other.zarr")
        faults.kinds[".z"] = faults.kinds["zarr.json"] = "refused"
        with pytest.raises(RemoteError, match="HTTP 403"):
            open_image_parts(f"{url}/TS.zarr")
    with pytest.raises(ShapeError, match="has 5 images, but the tilt series names image 7"):
        open_image_tiles(series(tmp_path / "TS.zarr", [1, 6]))


def test_sizes_of_many_series_are_looked_up_and_failures_kept(tmp_path, images):
    write_image(tmp_path / "TS.zarr", images)
    with serving(tmp_path) as (url, _):
        known, failures = with_image_sizes(
            {
                "good": series(f"{url}/TS.zarr"),
                "absent": series(f"{url}/none.zarr"),
                "too few": series(f"{url}/TS.zarr", [9]),
                "on disk": series(tmp_path / "TS.zarr"),
                "known": replace(series(f"{url}/none.zarr"), image_size_px=(1, 2)),
            }
        )
    assert list(known) == ["good", "on disk", "known"]
    assert known["good"].image_size_px == (50, 40)
    assert known["on disk"].image_size_px is None
    assert isinstance(failures["absent"], MissingFileError)
    assert isinstance(failures["too few"], ShapeError)
