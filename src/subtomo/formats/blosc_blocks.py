"""The start of a Blosc buffer, so that the rest of it need not be decoded.

Zarr pads chunks that reach beyond an array. Stacks of 41 images in chunks of 256 images would
take six times the work and the memory.

Source: header and blocks of C-Blosc 1, https://github.com/Blosc/c-blosc, README_CHUNK_FORMAT.rst.
"""

import itertools
import struct

_HEADER = struct.Struct("<BBBBiii")  # version, its codec's, flags, item size, size, block, total
_IS_COPY = 0x02


def require_whole(data: bytes | memoryview) -> None:
    """Refuse a Blosc buffer that is shorter than its header says.

    Raises
    ------
    ValueError
        If it is, or its header says what cannot be.
    """
    if len(data) < _HEADER.size:
        raise ValueError(f"{len(data)} bytes; too short for a Blosc buffer")
    *_, size, block_size, total = _HEADER.unpack_from(data)
    if total > len(data) or size < 0 or (block_size <= 0 and size):
        raise ValueError(f"{len(data)} bytes; its header says {total}")


def first_blocks(data: bytes, n_bytes: int) -> bytes:
    """Give a Blosc buffer of only the first blocks of another.

    Parameters
    ----------
    data : a Blosc buffer
    n_bytes : decoded bytes that are wanted

    Returns
    -------
    a buffer that decodes to at least the first ``n_bytes``; ``data`` itself if it is no longer

    Raises
    ------
    ValueError
        If the buffer is damaged.
    """
    require_whole(data)
    version, codec_version, flags, item_size, size, block_size, total = _HEADER.unpack_from(data)
    n_blocks = -(-size // block_size) if size else 0
    n_kept = -(-n_bytes // block_size) if size else 0
    if n_kept >= n_blocks:
        return data
    kept_size = n_kept * block_size
    if flags & _IS_COPY:
        body = data[_HEADER.size : _HEADER.size + kept_size]
    else:
        body = _blocks(data, n_blocks, n_kept, total)
    header = _HEADER.pack(
        version, codec_version, flags, item_size, kept_size, block_size, _HEADER.size + len(body)
    )
    return header + body


def _blocks(data: bytes, n_blocks: int, n_kept: int, total: int) -> bytes:
    """Give the first blocks with a new table of where they start; they may lie in any order."""
    starts = struct.unpack_from(f"<{n_blocks}i", data, _HEADER.size)
    ordered = sorted((*starts, total))
    after = dict(itertools.pairwise(ordered))
    if ordered[0] < _HEADER.size or ordered[-1] != total:
        raise ValueError("the table of the Blosc buffer's blocks is damaged")
    blocks = [data[start : after[start]] for start in starts[:n_kept]]
    place = _HEADER.size + 4 * n_kept
    new_starts = []
    for block in blocks:
        new_starts.append(place)
        place += len(block)
    return struct.pack(f"<{n_kept}i", *new_starts) + b"".join(blocks)
