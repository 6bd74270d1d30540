import numpy as np
import pytest
import torch

from subtomo.signal.particle_windows import cut_windows, cut_windows_torch, window_spectra

TILTS = np.array([0, 2, 1, 1])
FIRST = np.array([[3, 4], [-5, 20], [33, -3], [100, 100]])  # inside, over two borders, outside


@pytest.fixture
def images():
    return np.random.default_rng(1).normal(500, 10, (3, 30, 40)).astype(np.float32)


def expected(images, size=8):
    """Windows of the images padded with their edge pixels."""
    padded = np.pad(images, ((0, 0), (120, 120), (120, 120)), mode="edge")
    return np.stack(
        [
            padded[t, y + 120 : y + 120 + size, x + 120 : x + 120 + size]
            for t, (x, y) in zip(TILTS, FIRST, strict=True)
        ]
    )


def in_tiles(images, tile_y, tile_x):
    """Cut images into tiles, in slots of no order; what no tile holds is NaN."""
    n_y, n_x = -(-images.shape[1] // tile_y), -(-images.shape[2] // tile_x)
    slots = np.random.default_rng(2).permutation(n_y * n_x).reshape(n_y, n_x)
    tiles = np.full((n_y * n_x, len(images), tile_y, tile_x), np.nan, np.float32)
    for y in range(n_y):
        for x in range(n_x):
            part = images[:, y * tile_y : (y + 1) * tile_y, x * tile_x : (x + 1) * tile_x]
            tiles[slots[y, x], :, : part.shape[1], : part.shape[2]] = part
    return tiles, slots


@pytest.mark.parametrize("tile", [(30, 40), (7, 9), (16, 16), (3, 5)])
def test_windows_are_cut_from_any_tiles_and_repeat_the_border(images, tile):
    tiles, slots = in_tiles(images, *tile)
    windows = torch.empty((4, 8, 8))
    offsets = cut_windows(tiles, slots, (40, 30), TILTS, FIRST, windows)
    restored = windows + offsets[:, None, None]
    np.testing.assert_allclose(restored.numpy(), expected(images), atol=1e-4)
    assert windows.abs().max() < 60  # of values about 500


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16])
def test_integer_images_are_read_as_they_are(images, dtype):
    integers = (images / 5).astype(dtype)
    windows = torch.empty((4, 8, 8))
    offsets = cut_windows(
        integers[None], np.zeros((1, 1), np.int64), (40, 30), TILTS, FIRST, windows
    )
    restored = windows + offsets[:, None, None]
    np.testing.assert_allclose(restored.numpy(), expected(integers), atol=1e-4)


def test_torch_does_as_the_kernel(images):
    windows = torch.empty((4, 8, 8))
    offsets = cut_windows(images[None], np.zeros((1, 1), np.int64), (40, 30), TILTS, FIRST, windows)
    again, offsets_again = cut_windows_torch(
        torch.from_numpy(images), torch.from_numpy(TILTS), torch.from_numpy(FIRST), 8
    )
    torch.testing.assert_close(offsets_again, offsets, atol=1e-3, rtol=0)
    torch.testing.assert_close(
        again + offsets_again[:, None, None], windows + offsets[:, None, None], atol=1e-4, rtol=0
    )


def test_spectra_have_their_offsets_again(images):
    windows = torch.from_numpy(expected(images))
    spectra = window_spectra(windows - 480, torch.full((4,), 480.0))
    wanted = np.fft.rfft2(windows.numpy().astype(np.float64))
    np.testing.assert_allclose(spectra.numpy(), wanted, rtol=1e-6, atol=1e-2)
