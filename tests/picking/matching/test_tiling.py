import numpy as np
import pytest
import torch

from subtomo.model import Volume
from subtomo.picking.matching.tiling import fast_size, plan_tiles, read_block
from subtomo.signal.filters import apply_filter, bandpass


@pytest.mark.parametrize("largest", [None, 24, 40, 64])
@pytest.mark.parametrize("count", [(1, 1, 1), (25, 195, 83), (97, 97, 97), (9, 300, 40)])
def test_tiles_cover_every_position_once_and_hold_the_template(count, largest):
    first, box = (5, 6, 7), 12
    seen = np.zeros(count, dtype=int)
    for tile in plan_tiles(first, count, box, largest=largest):
        cut = tuple(
            slice(a - f, a - f + n) for a, f, n in zip(tile.first, first, tile.count, strict=True)
        )
        seen[cut] += 1
        assert all(b >= n + box - 1 for b, n in zip(tile.block, tile.count, strict=True))
        if largest is not None:
            assert max(tile.block) <= max(largest, 2 * box + 4)
    assert (seen == 1).all()


def test_a_large_tomogram_is_cut_into_blocks_of_bounded_size():
    tiles = plan_tiles((16, 16, 16), (225, 481, 481), 32)
    assert max(np.prod(tile.block) for tile in tiles) <= 8_000_000
    # overlap costs less than the positions themselves
    assert sum(np.prod(tile.block) for tile in tiles) < 2 * 225 * 481 * 481


def test_a_cube_of_128_needs_one_block_and_no_padding():
    assert [tile.block for tile in plan_tiles((16, 16, 16), (97, 97, 97), 32)] == [(128, 128, 128)]


def test_fast_sizes():
    assert [fast_size(n) for n in (2, 11, 97, 128, 211)] == [2, 12, 98, 128, 216]


def make_volume(shape=(20, 24, 28)):
    return Volume(np.random.default_rng(0).normal(size=shape).astype(np.float32), 10.0)


def test_a_block_inside_is_the_volume():
    volume = make_volume()
    np.testing.assert_array_equal(
        read_block(volume, (3, 4, 5), (8, 9, 10)), volume.data[3:11, 4:13, 5:15]
    )


def test_outside_the_volume_is_the_mean_of_what_is_inside():
    volume = make_volume()
    block = read_block(volume, (-4, 4, 20), (10, 8, 12))
    inside = volume.data[0:6, 4:12, 20:28]
    np.testing.assert_array_equal(block[4:, :, :8], inside)
    np.testing.assert_allclose(block[:4], inside.mean(), rtol=1e-5)
    np.testing.assert_allclose(block[:, :, 8:], inside.mean(), rtol=1e-5)


def test_the_contrast_is_turned():
    volume = make_volume()
    np.testing.assert_array_equal(
        read_block(volume, (0, 0, 0), volume.shape, invert=True), -volume.data
    )


def test_a_block_is_filtered_as_the_whole_volume_is():
    # in the middle of a large volume the borders do not matter
    volume = make_volume((64, 64, 64))

    def band(shape):
        edge = 0.006 * 10 * max(shape)
        return bandpass(shape, 10.0, low_pass=40.0, high_pass=120.0, edge=edge)

    whole = apply_filter(torch.from_numpy(volume.data), band((64,) * 3)).numpy()
    block = read_block(volume, (28, 28, 28), (8, 8, 8), make_filter=band, reach=240.0)
    np.testing.assert_allclose(block, whole[28:36, 28:36, 28:36], atol=0.05 * whole.std())
