import json
import warnings

import numpy as np
import pytest
import zarr

from subtomo.errors import ZarrError
from subtomo.formats.zarr_layout import parse_zarr_array

DATA = np.random.default_rng(3).normal(size=(5, 20, 18)).astype(np.float32)


def written(folder, **options):
    options = {"chunks": (5, 8, 8), "dtype": DATA.dtype, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.create_array(folder, shape=DATA.shape, **options)
        array[:] = DATA
    name = ".zarray" if options.get("zarr_format") == 2 else "zarr.json"
    return parse_zarr_array((folder / name).read_bytes(), str(folder / name))


def read_all(folder, layout):
    """Put an array together from its chunks."""
    counts = [-(-n // c) for n, c in zip(layout.shape, layout.chunk_shape, strict=True)]
    whole = np.zeros([c * n for c, n in zip(counts, layout.chunk_shape, strict=True)])
    for chunk in np.ndindex(*counts):
        path = folder / layout.file_of(chunk)
        data = path.read_bytes()
        if layout.shard is not None:
            first, end = layout.shard.index_span
            index = data[first:] if first < 0 else data[first:end]
            start, stop = layout.shard.spans(index, str(path))[layout.within_shard(chunk)]
            data = data[start:stop]
        values = layout.decode(data, str(path))
        place = tuple(
            slice(c * n, c * n + m)
            for c, n, m in zip(chunk, layout.chunk_shape, values.shape, strict=True)
        )
        whole[place] = values
    return whole[tuple(slice(n) for n in layout.shape)]


@pytest.mark.parametrize(
    "options",
    [
        {"zarr_format": 2},
        {"zarr_format": 2, "compressors": None},
        {"zarr_format": 2, "chunks": (16, 8, 8)},  # deeper than the array, as the portal's
        {"zarr_format": 2, "chunks": (2, 20, 18), "order": "F"},
        {"zarr_format": 2, "chunks": (16, 8, 8), "order": "F"},
        {"zarr_format": 2, "dtype": ">f4"},
        {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
        {"zarr_format": 3},
        {"zarr_format": 3, "chunks": (16, 8, 8)},
        {"zarr_format": 3, "compressors": zarr.codecs.BloscCodec(cname="lz4")},
        {"zarr_format": 3, "compressors": zarr.codecs.GzipCodec()},
        {"zarr_format": 3, "compressors": [zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()]},
        {"zarr_format": 3, "compressors": None, "serializer": zarr.codecs.BytesCodec(endian="big")},
        {"zarr_format": 3, "filters": zarr.codecs.TransposeCodec(order=(2, 0, 1))},
        {"zarr_format": 3, "chunk_key_encoding": {"name": "v2", "separator": "."}},
        {"zarr_format": 3, "shards": (5, 16, 16)},
        {"zarr_format": 3, "dtype": "int16"},
    ],
)
def test_chunks_are_those_that_zarr_wrote(tmp_path, options):
    layout = written(tmp_path / "a", **options)
    expected = DATA.astype(layout.dtype)
    assert np.array_equal(read_all(tmp_path / "a", layout), expected)


def test_only_the_images_that_there_are_are_decoded(tmp_path):
    layout = written(tmp_path / "a", zarr_format=2, chunks=(64, 8, 8))
    chunk = (tmp_path / "a" / layout.file_of((0, 0, 0))).read_bytes()
    assert layout.decode(chunk, "chunk").shape == (5, 8, 8)


def test_what_is_decoded_in_vain_is_let_go(tmp_path):
    layout = written(tmp_path / "a", zarr_format=3, chunks=(64, 8, 8))
    chunk = (tmp_path / "a" / layout.file_of((0, 0, 0))).read_bytes()
    values = layout.decode(chunk, "chunk")
    assert values.shape == (5, 8, 8)
    assert values.flags.owndata


@pytest.mark.parametrize("length", [0, 10, 100])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_cut_chunk_is_an_error_that_names_it(tmp_path, zarr_format, length):
    layout = written(tmp_path / "a", zarr_format=zarr_format)
    data = (tmp_path / "a" / layout.file_of((0, 0, 0))).read_bytes()[:length]
    with pytest.raises(ZarrError, match=r"^chunk 0: .*(broken|holds)"):
        layout.decode(data, "chunk 0")


def test_a_changed_byte_is_found_where_there_is_a_checksum(tmp_path):
    layout = written(tmp_path / "a", zarr_format=3, compressors=zarr.codecs.Crc32cCodec())
    data = bytearray((tmp_path / "a" / layout.file_of((0, 0, 0))).read_bytes())
    data[7] ^= 1
    words = (
        r"chunk 0: the chunk is broken \(crc32c: the checksum does not fit\); copy the file again"
    )
    with pytest.raises(ZarrError, match=f"^{words}$"):
        layout.decode(bytes(data), "chunk 0")


def test_a_cut_index_of_a_shard_is_an_error(tmp_path):
    layout = written(tmp_path / "a", zarr_format=3, shards=(5, 16, 16))
    with pytest.raises(ZarrError, match=r"^shard: the index of the shard is cut short; copy"):
        layout.shard.spans(b"x" * 10, "shard")
    first, _ = layout.shard.index_span
    with pytest.raises(ZarrError, match=r"index of the shard is broken \(the checksum does not"):
        layout.shard.spans(b"x" * -first, "shard")


def test_what_is_damaged_at_an_address_is_not_the_readers_copy(tmp_path):
    layout = written(tmp_path / "a", zarr_format=2)
    with pytest.raises(ZarrError, match="; try again, and if it stays so, tell those who provide"):
        layout.decode(b"x" * 100, "https://files/a/0.0.0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"compressor": {"id": "nonsense"}}, "not the metadata of a Zarr array"),
        ({"dtype": "<c8"}, "expected integers or floats"),
        ({"chunks": [4, 4]}, "does not fit together"),
        ({"shape": None}, "not the metadata of a Zarr array"),
        (
            {"shape": [11, 10**6, 10**6], "chunks": [11, 50_000, 50_000]},
            "take 110 GB each; expected at most 4 GB: write the array in smaller chunks",
        ),
    ],
)
def test_metadata_that_cannot_be_used(tmp_path, change, words):
    written(tmp_path / "a", zarr_format=2)
    content = json.loads((tmp_path / "a/.zarray").read_text())
    with pytest.raises(ZarrError, match=f"^place: .*{words}"):
        parse_zarr_array(json.dumps({**content, **change}).encode(), "place")


def test_metadata_nested_too_deeply_are_told():
    with pytest.raises(ZarrError, match=r"^place: not JSON that can be read: lists or"):
        parse_zarr_array(b"[" * 10**5, "place")


def test_a_group_is_no_array():
    with pytest.raises(ZarrError, match="describes a group; expected an array"):
        parse_zarr_array(b'{"zarr_format": 3, "node_type": "group"}', "place")
