import numpy as np
import pytest
from numcodecs import Blosc

from subtomo.formats.blosc_blocks import first_blocks


@pytest.mark.parametrize("compressor", ["lz4", "zstd", "blosclz", "zlib"])
@pytest.mark.parametrize("shuffle", [Blosc.NOSHUFFLE, Blosc.SHUFFLE, Blosc.BITSHUFFLE])
@pytest.mark.parametrize("n_bytes", [1, 65_536, 100_000, 399_999])
def test_the_start_of_a_buffer_decodes_to_the_start_of_its_content(compressor, shuffle, n_bytes):
    rng = np.random.default_rng(1)
    content = rng.normal(size=100_000).astype(np.float32)
    content[60_000:] = 0  # as the padding of a chunk
    codec = Blosc(compressor, 5, shuffle, blocksize=65_536)
    buffer = codec.encode(content)
    start = first_blocks(buffer, n_bytes)
    decoded = codec.decode(start)
    assert decoded[:n_bytes] == content.tobytes()[:n_bytes]
    block = int.from_bytes(buffer[8:12], "little")
    assert block < content.nbytes
    assert len(decoded) == min(-(-n_bytes // block) * block, content.nbytes)


def test_random_bytes_are_stored_as_they_are_and_cut_too():
    content = np.random.default_rng(2).integers(0, 256, 100_000).astype(np.uint8)
    buffer = Blosc("lz4", 5, Blosc.SHUFFLE, blocksize=65_536).encode(content)
    decoded = Blosc().decode(first_blocks(buffer, 20_000))
    assert decoded[:20_000] == content.tobytes()[:20_000]
    assert len(decoded) == 65_536


@pytest.mark.parametrize("cut", [5, 15, 40, 1000])
def test_a_damaged_buffer_is_refused(cut):
    buffer = Blosc("lz4", 5, Blosc.SHUFFLE, blocksize=65_536).encode(np.arange(20_000.0))
    with pytest.raises(ValueError, match="bytes"):
        first_blocks(buffer[:cut], 100)
