"""Block means and Fourier cropping, in memory and in slabs."""

import tempfile

import numpy as np
import pytest
import torch

from subtomo.errors import DataError, SettingsError
from subtomo.model import Volume
from subtomo.signal.fourier import fourier_crop
from subtomo.signal.resampling import resample_volume
from subtomo.tomograms.block_mean import block_mean, block_mean_planes
from subtomo.tomograms.fourier_binning import (
    cropping,
    fourier_bin,
    interpolation,
    resampled_planes,
)


class Watched:
    """An array that notes how many planes are asked for at once."""

    def __init__(self, data):
        self.data, self.shape, self.dtype, self.most = data, data.shape, data.dtype, 0

    def __getitem__(self, index):
        part = self.data[index]
        self.most = max(self.most, len(part))
        return part


def random_volume(shape=(13, 17, 22), seed=0):
    data = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return Volume(data, 5.0, (1.0, 2.0, 3.0))


def blob(shape, centre, sigma=4.0, pixel_size=5.0):
    z, y, x = np.indices(shape)
    squared = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2
    return Volume(np.exp(-squared / (2 * sigma**2)).astype(np.float32), pixel_size)


def centre_of_mass(volume):
    z, y, x = np.indices(volume.shape)
    weights = volume.data / volume.data.sum(dtype=np.float64)
    index = np.array([(weights * axis).sum() for axis in (x, y, z)])
    return volume.index_to_position(index)


def through_scratch(data, plan, **options):
    with tempfile.TemporaryFile() as scratch:
        return np.concatenate(list(resampled_planes(data, plan, scratch, **options)))


def test_by_hand_a_block_is_its_mean_and_the_rest_is_cut_off():
    data = np.arange(3 * 2 * 5, dtype=np.int16).reshape(3, 2, 5)
    binned = block_mean(Volume(data, 10.0), 2)
    # planes 0 and 1, rows 0 and 1; columns 0-1 and 2-3: (0+1+5+6+10+11+15+16)/8 = 8, then 10
    np.testing.assert_array_equal(binned.data, [[[8.0, 10.0]]])
    assert binned.pixel_size == 20
    assert binned.origin == (5, 5, 5)


@pytest.mark.parametrize("by", [2, 3, 4, 5])
def test_block_means_are_numpys(by):
    volume = random_volume()
    z, y, x = (n // by for n in volume.shape)
    blocks = volume.data[: z * by, : y * by, : x * by].reshape(z, by, y, by, x, by)
    binned = block_mean(volume, by)
    np.testing.assert_allclose(binned.data, blocks.mean(axis=(1, 3, 5)), atol=1e-6)
    half = (by - 1) / 2 * 5.0
    assert binned.origin == (1 + half, 2 + half, 3 + half)


@pytest.mark.parametrize("slices", [1, 2, 3, 7, 100])
def test_slices_in_memory_bound_the_reading_and_change_no_bit(slices):
    volume = random_volume()
    watched = Watched(volume.data)
    means = np.concatenate(list(block_mean_planes(watched, 3, slices_in_memory=slices)))
    assert watched.most == min(slices, 12)
    assert means.tobytes() == block_mean(volume, 3).data.tobytes()
    watched = Watched(volume.data)
    cropped = through_scratch(watched, cropping(volume.shape, 3), slices_in_memory=slices)
    assert watched.most == min(slices, 12)
    once = through_scratch(volume.data, cropping(volume.shape, 3), slices_in_memory=5)
    assert cropped.tobytes() == once.tobytes()


@pytest.mark.parametrize("by", [2, 3, 4])
def test_cropping_through_the_scratch_file_is_cropping_in_memory(by, monkeypatch):
    monkeypatch.setattr("subtomo.tomograms.fourier_binning._BLOCK_BYTES", 600)
    volume = random_volume()
    z, y, x = (n // by for n in volume.shape)
    part = torch.from_numpy(volume.data[: z * by, : y * by, : x * by])
    expected = fourier_crop(part, (z, y, x)).numpy()
    binned = fourier_bin(volume, by)
    np.testing.assert_array_equal(binned.data, expected)
    assert binned.origin == volume.origin
    slabs = through_scratch(volume.data, cropping(volume.shape, by))
    np.testing.assert_allclose(slabs, expected, atol=1e-6)


@pytest.mark.parametrize("pixel_size", [3.3, 7.9, 12.0])
def test_interpolation_through_the_scratch_file_is_that_in_memory(pixel_size, monkeypatch):
    monkeypatch.setattr("subtomo.tomograms.fourier_binning._BLOCK_BYTES", 600)
    volume = random_volume()
    expected = resample_volume(volume, pixel_size)
    plan = interpolation(volume.shape, expected.shape, pixel_size / 5.0)
    slabs = through_scratch(volume.data, plan, slices_in_memory=4)
    np.testing.assert_allclose(slabs, expected.data, atol=1e-5)


@pytest.mark.parametrize("by", [2, 3, 4])
@pytest.mark.parametrize("shape", [(48, 48, 48), (49, 50, 51)])
@pytest.mark.parametrize("method", [block_mean, fourier_bin])
def test_nothing_moves_in_space(method, shape, by):
    volume = blob(shape, (22.3, 25.1, 24.7))
    np.testing.assert_allclose(
        centre_of_mass(method(volume, by)), centre_of_mass(volume), atol=0.05
    )


def test_a_fourier_bin_keeps_what_a_block_mean_blurs():
    wave = np.cos(2 * np.pi * 6 / 32 * np.arange(32))  # 5.3 voxels a period
    volume = Volume(np.broadcast_to(wave, (8, 8, 32)).astype(np.float32), 1.0)
    assert fourier_bin(volume, 2).data.max() == pytest.approx(1, abs=1e-5)
    blur = np.cos(np.pi * 6 / 32)  # mean of two neighbours
    assert block_mean(volume, 2).data.std() == pytest.approx(blur * np.sqrt(0.5), abs=1e-5)


def test_too_large_a_block_is_refused():
    with pytest.raises(SettingsError, match=r"22 x 17 x 13 voxels .* smaller than a block of 14"):
        block_mean(random_volume(), 14)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(bad):
    data = random_volume().data.copy()
    data[5, 2, 2] = bad
    with pytest.raises(DataError, match="TS_1: plane z = 5"):
        list(block_mean_planes(data, 2, name="TS_1"))


def test_large_finite_values_are_not_taken_for_bad_ones():
    data = np.full((2, 2, 2), 3e38, dtype=np.float32)
    np.testing.assert_allclose(block_mean(Volume(data, 1.0), 2).data, 3e38, rtol=1e-6)
