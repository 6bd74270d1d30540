import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from subtomo.errors import SettingsError
from subtomo.model import Volume
from subtomo.signal.fourier import fourier_crop
from subtomo.signal.resampling import interpolation_matrix, resample_volume


def gaussian(shape, centre, sigma):
    z, y, x = np.indices(shape)
    squared = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2
    return np.exp(-squared / (2 * sigma**2)).astype(np.float32)


def centre_of_mass(volume):
    z, y, x = np.indices(volume.shape)
    weights = volume.data / volume.data.sum(dtype=np.float64)
    index = np.array([(weights * axis).sum() for axis in (x, y, z)])
    return volume.index_to_position(index)


@given(
    n=st.integers(4, 40),
    ratio=st.floats(0.4, 3.5),
    harmonic=st.integers(0, 40),
    phase=st.floats(0, 6.3),
)
def test_waves_that_both_grids_hold_are_interpolated_exactly(n, ratio, harmonic, phase):
    harmonic = harmonic % max(1, int(min(n, n / ratio) / 2 - 1e-6))
    size = max(1, int(n / ratio))
    old = np.arange(n) - n // 2
    new = (np.arange(size) - size // 2) * ratio
    wave = np.cos(2 * np.pi * harmonic / n * old + phase)
    expected = np.cos(2 * np.pi * harmonic / n * new + phase)
    np.testing.assert_allclose(interpolation_matrix(n, size, ratio) @ wave, expected, atol=1e-5)


def test_waves_that_the_new_grid_cannot_hold_are_removed():
    wave = np.cos(2 * np.pi * 9 / 32 * np.arange(32))
    np.testing.assert_allclose(interpolation_matrix(32, 16, 2.0) @ wave, 0, atol=1e-6)


def test_a_whole_ratio_is_a_cut_of_the_fourier_transform():
    data = np.random.default_rng(0).normal(size=(12, 16, 24)).astype(np.float32)
    resampled = resample_volume(Volume(data, 5.0, (1, 2, 3)), 10.0)
    expected = fourier_crop(torch.from_numpy(data), (6, 8, 12)).numpy()
    np.testing.assert_allclose(resampled.data, expected, atol=1e-5)
    assert resampled.origin == (1, 2, 3)


@pytest.mark.parametrize("shape", [(40, 44, 48), (41, 45, 39)])
@pytest.mark.parametrize("pixel_size", [3.1, 5.14, 8.0, 10.52])
def test_nothing_moves_in_space(shape, pixel_size):
    volume = Volume(gaussian(shape, (21.3, 20.2, 19.6), 3.5), 5.14, (-7.0, 3.0, 100.0))
    resampled = resample_volume(volume, pixel_size)
    np.testing.assert_allclose(centre_of_mass(resampled), centre_of_mass(volume), atol=0.02)
    middle = [n // 2 for n in shape[::-1]], [n // 2 for n in resampled.shape[::-1]]
    np.testing.assert_allclose(
        resampled.index_to_position(np.array(middle[1])),
        volume.index_to_position(np.array(middle[0])),
        atol=1e-9,
    )
    scale = (5.14 / pixel_size) ** 3
    assert resampled.data.sum() == pytest.approx(volume.data.sum() * scale, rel=1e-3)


def test_the_same_pixel_size_changes_nothing():
    data = np.random.default_rng(1).normal(size=(9, 8, 7)).astype(np.float32)
    resampled = resample_volume(Volume(data, 4.0), 4.0)
    np.testing.assert_allclose(resampled.data, data, atol=1e-5)


def test_too_coarse_a_grid_is_refused():
    with pytest.raises(SettingsError, match="none left"):
        resample_volume(Volume(np.zeros((4, 8, 8), np.float32), 1.0), 5.0)
