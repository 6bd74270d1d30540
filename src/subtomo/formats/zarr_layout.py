"""How a Zarr array is cut into chunks and how a chunk becomes numbers; versions 2 and 3.

The zarr package reads whole selections by itself. Here chunks are fetched by whoever knows how,
many at once, decoded once, and a missing one is an error: in images it is no field of zeros.

Source: https://zarr-specs.readthedocs.io, v2, v3 and the codecs of v3.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import size_of
from subtomo.errors import ZarrError
from subtomo.formats.blosc_blocks import first_blocks
from subtomo.formats.json_text import parse_json
from subtomo.formats.paths import is_remote

Index = tuple[int, ...]
_DECODE_ERRORS = (ValueError, RuntimeError, TypeError, OSError, SystemError, ArithmeticError)
"""What codecs raise for damaged bytes; SystemError is Blosc's, for an impossible size."""
_CHECKSUM_BYTES = 4
_MOST_CHUNK_BYTES = 4 * 10**9  # in memory at once; those of tilt series take some MB
_NO_CHUNK = 2**64 - 1


@dataclass(frozen=True)
class ByteCodec:
    """One step from the bytes of a chunk to its values' bytes.

    Parameters
    ----------
    name : as in the metadata
    decode : from bytes to bytes
    """

    name: str
    decode: Callable[[bytes], Any]


@dataclass(frozen=True)
class ShardLayout:
    """Several chunks in one file, with an index of where they are.

    Parameters
    ----------
    chunks : how many along each axis
    has_checksum : of the index
    index_first : the index stands at the start of the file, else at its end
    """

    chunks: Index
    has_checksum: bool
    index_first: bool

    @property
    def index_span(self) -> tuple[int, int]:
        """Where the index stands: first byte, counted from the end if negative, and last."""
        size = 16 * int(np.prod(self.chunks)) + _CHECKSUM_BYTES * self.has_checksum
        return (0, size) if self.index_first else (-size, 0)

    def spans(self, index: bytes, place: str) -> dict[Index, tuple[int, int]]:
        """Read the index: first byte and the one after the last of each chunk that is there.

        Raises
        ------
        ZarrError
            If the index is damaged.
        """
        count = int(np.prod(self.chunks))
        first, end = self.index_span
        if len(index) != (end - first if self.index_first else -first):
            raise _damaged(place, "the index of the shard is cut short")
        if self.has_checksum:
            try:
                index = _without_checksum(index)
            except ValueError as error:
                raise _damaged(place, f"the index of the shard is broken ({error})") from None
        numbers = struct.unpack(f"<{2 * count}Q", index)
        spans = {}
        for n, chunk in enumerate(np.ndindex(*self.chunks)):
            offset, size = numbers[2 * n : 2 * n + 2]
            if offset != _NO_CHUNK:
                spans[chunk] = (offset, offset + size)
        return spans


@dataclass(frozen=True)
class ZarrLayout:
    """The chunks of an array.

    Parameters
    ----------
    shape : of the array
    chunk_shape : of a chunk, also of those that reach beyond the array
    dtype : of the values, as stored
    axes : the order in which a chunk's axes are stored
    codecs : from the bytes of a chunk to those of its values, in this order
    prefix, separator : of the chunks' names
    shard : if several chunks share a file
    """

    shape: Index
    chunk_shape: Index
    dtype: np.dtype[Any]
    axes: Index
    codecs: tuple[ByteCodec, ...]
    prefix: str
    separator: str
    shard: ShardLayout | None = None

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of a chunk; along the first axis only as far as the array reaches."""
        is_cut = self.axes == tuple(range(len(self.chunk_shape)))
        first = min(self.chunk_shape[0], self.shape[0]) if is_cut else self.chunk_shape[0]
        return first * math.prod(self.chunk_shape[1:]) * self.dtype.itemsize

    def file_of(self, chunk: Index) -> str:
        """Name the file that holds a chunk, below the array's folder."""
        if self.shard is not None:
            chunk = tuple(c // n for c, n in zip(chunk, self.shard.chunks, strict=True))
        numbers = [str(c) for c in chunk]
        return self.separator.join([self.prefix, *numbers] if self.prefix else numbers)

    def within_shard(self, chunk: Index) -> Index:
        """Give a chunk's place in its shard."""
        assert self.shard is not None
        return tuple(c % n for c, n in zip(chunk, self.shard.chunks, strict=True))

    def decode(self, data: bytes, place: str) -> NDArray[Any]:
        """Decode a chunk.

        Parameters
        ----------
        data : of the chunk's file, or its part of a shard
        place : of the chunk, for messages

        Returns
        -------
        values of ``chunk_shape``, along the first axis only as many as the array has

        Raises
        ------
        ZarrError
            If the chunk is broken.
        """
        shape = (min(self.chunk_shape[0], self.shape[0]), *self.chunk_shape[1:])
        in_order = self.axes == tuple(range(len(shape)))
        expected = self.chunk_bytes
        content: Any = data
        for codec in self.codecs:
            try:
                if codec.name == "blosc" and in_order and len(self.codecs) == 1:
                    content = first_blocks(content, expected)
                content = codec.decode(content)
            except _DECODE_ERRORS as error:
                raise _damaged(place, f"the chunk is broken ({codec.name}: {error})") from error
        content = memoryview(content).cast("B")
        if content.nbytes < expected:
            raise _damaged(
                place, f"the chunk holds {content.nbytes} bytes, {expected} were expected"
            )
        if in_order:
            values: NDArray[Any] = np.frombuffer(content[:expected], self.dtype).reshape(shape)
        else:
            stored = tuple(self.chunk_shape[axis] for axis in self.axes)
            values = np.frombuffer(content[:expected], self.dtype).reshape(stored)
            values = values.transpose(np.argsort(self.axes))[: shape[0]]
        return values.copy() if content.nbytes > 2 * values.nbytes else values  # lets it go


def parse_zarr_array(metadata: bytes, place: str) -> ZarrLayout:
    """Read the metadata of an array.

    Parameters
    ----------
    metadata : content of ``.zarray`` (version 2) or of ``zarr.json`` (version 3)
    place : of that file, for messages

    Raises
    ------
    ZarrError
        If it is no array's, has a codec or a type of number that is not supported, or chunks that
        no memory would hold.
    """
    content = parse_json(metadata, place, ZarrError)
    try:
        layout = _version_2(content) if content.get("zarr_format") == 2 else _version_3(content)
    except ZarrError as error:
        raise ZarrError(f"{place}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ZarrError(f"{place}: not the metadata of a Zarr array ({error!r})") from error
    if layout.dtype.kind not in "iuf":
        raise ZarrError(f"{place}: values of type {layout.dtype}; expected integers or floats")
    lengths = {len(layout.shape), len(layout.chunk_shape), len(layout.axes)}
    if len(lengths) != 1 or min(layout.chunk_shape, default=0) < 1:
        raise ZarrError(
            f"{place}: shape {layout.shape} in chunks of {layout.chunk_shape} does not fit together"
        )
    if layout.chunk_bytes > _MOST_CHUNK_BYTES:
        raise ZarrError(
            f"{place}: chunks of {layout.chunk_shape} take {size_of(layout.chunk_bytes)} each; "
            f"expected at most {size_of(_MOST_CHUNK_BYTES)}: write the array in smaller chunks"
        )
    return layout


def _version_2(content: Mapping[str, Any]) -> ZarrLayout:
    """Read ``.zarray``."""
    from numcodecs import get_codec

    configurations = [*(content.get("filters") or []), content.get("compressor")]
    codecs = []
    for configuration in reversed([c for c in configurations if c is not None]):
        codec = get_codec(configuration)
        codecs.append(ByteCodec(configuration["id"], codec.decode))
    shape = tuple(int(n) for n in content["shape"])
    axes = range(len(shape)) if content["order"] == "C" else reversed(range(len(shape)))
    return ZarrLayout(
        shape=shape,
        chunk_shape=tuple(int(n) for n in content["chunks"]),
        dtype=np.dtype(content["dtype"]),
        axes=tuple(axes),
        codecs=tuple(codecs),
        prefix="",
        separator=content.get("dimension_separator") or ".",
    )


def _version_3(content: Mapping[str, Any]) -> ZarrLayout:
    """Read ``zarr.json``."""
    if content.get("node_type") != "array":
        raise ZarrError(f"describes a {content.get('node_type')}; expected an array")
    if content["chunk_grid"]["name"] != "regular":
        raise ZarrError(f"chunk grid {content['chunk_grid']['name']}; expected a regular one")
    shape = tuple(int(n) for n in content["shape"])
    chunk_shape = tuple(int(n) for n in content["chunk_grid"]["configuration"]["chunk_shape"])
    codecs = list(content["codecs"])
    shard = None
    if codecs[0]["name"] == "sharding_indexed":
        configuration = codecs[0]["configuration"]
        inner = tuple(int(n) for n in configuration["chunk_shape"])
        shard = ShardLayout(
            tuple(outer // n for outer, n in zip(chunk_shape, inner, strict=True)),
            has_checksum=any(c["name"] == "crc32c" for c in configuration["index_codecs"]),
            index_first=configuration.get("index_location", "end") == "start",
        )
        chunk_shape, codecs = inner, list(configuration["codecs"])
    dtype, axes, byte_codecs = _codecs_of_version_3(codecs, content["data_type"], len(shape))
    encoding = content.get("chunk_key_encoding", {"name": "default"})
    is_default = encoding["name"] == "default"
    return ZarrLayout(
        shape=shape,
        chunk_shape=chunk_shape,
        dtype=dtype,
        axes=axes,
        codecs=byte_codecs,
        prefix="c" if is_default else "",
        separator=encoding.get("configuration", {}).get("separator", "/" if is_default else "."),
        shard=shard,
    )


def _codecs_of_version_3(
    codecs: Sequence[Mapping[str, Any]], data_type: str, n_axes: int
) -> tuple[np.dtype[Any], Index, tuple[ByteCodec, ...]]:
    """Take the chain of codecs apart: numbers in a byte order, order of axes, steps on bytes."""
    dtype, axes = np.dtype(data_type), tuple(range(n_axes))
    steps: list[ByteCodec] = []
    for codec in codecs:
        name, configuration = codec["name"], codec.get("configuration") or {}
        if name == "transpose":
            axes = tuple(axes[axis] for axis in configuration["order"])
        elif name == "bytes":
            dtype = dtype.newbyteorder(">" if configuration.get("endian") == "big" else "<")
        elif name == "crc32c":
            steps.append(ByteCodec(name, _without_checksum))
        else:
            steps.append(ByteCodec(name, _decoder(name)))
    return dtype, axes, tuple(reversed(steps))


def _decoder(name: str) -> Callable[[bytes], Any]:
    """Find the function that undoes a compression; the data say how they were compressed."""
    from numcodecs import LZ4, Blosc, GZip, Zlib, Zstd

    kinds = {"blosc": Blosc, "gzip": GZip, "zstd": Zstd, "zlib": Zlib, "lz4": LZ4}
    kind = kinds.get(name.removeprefix("numcodecs."))
    if kind is None:
        raise ZarrError(f"codec {name}; expected one of {', '.join(kinds)}, bytes, transpose")
    decode: Callable[[bytes], Any] = kind().decode
    return decode


def _without_checksum(data: Any) -> bytes:
    """Check the CRC-32C at the end of some bytes, and give what is before it."""
    import google_crc32c

    content = bytes(data)
    body, told = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if len(told) < _CHECKSUM_BYTES or google_crc32c.value(body) != int.from_bytes(told, "little"):
        raise ValueError("the checksum does not fit")
    return body


def _damaged(place: str, what: str) -> ZarrError:
    """Say what is damaged, and what to do about it."""
    advice = "copy the file again"
    if is_remote(place):
        advice = "try again, and if it stays so, tell those who provide the file"
    return ZarrError(f"{place}: {what}; {advice}")
