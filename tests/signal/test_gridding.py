import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.signal.gridding import (
    back_projected_map,
    centred_weight,
    crop_centre,
    divide_by_weight,
    taper_to_mean,
)


def random_volume(size, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(size,) * 3))


def test_a_point_is_divided_by_the_square_of_the_sinc():
    size, point = 8, (6, 3, 4)  # z, y, x
    volume = torch.zeros(size, size, size, dtype=torch.float64)
    volume[point] = 1.0
    data = torch.fft.rfftn(torch.fft.ifftshift(volume), norm="ortho")
    radius = np.sqrt(2**2 + 1**2 + 0**2)
    sinc = np.sin(np.pi * radius / size) / (np.pi * radius / size)
    expected = volume / sinc**2
    torch.testing.assert_close(back_projected_map(data), expected, rtol=0, atol=1e-12)


def test_a_constant_weight_only_cuts_the_outer_shells():
    size = 12
    volume = random_volume(size)
    weight = torch.full((size, size, size // 2 + 1), 4.0, dtype=torch.float64)
    k = np.fft.fftfreq(size, 1 / size)
    radius = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + np.arange(size // 2 + 1) ** 2)
    expected = np.fft.rfftn(volume) / 4
    expected[np.floor(radius) + 1 > size // 2] = 0
    found = np.fft.rfftn(divide_by_weight(volume, weight))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_little_weight_counts_as_a_thousandth_of_its_shells_mean():
    size = 8
    weight = torch.ones(size, size, size // 2 + 1, dtype=torch.float64)
    weight[2, 0, 0] = 1e-9  # on shell 2 exactly, so that the means of its neighbours don't count
    k = np.fft.fftfreq(size, 1 / size)
    radius = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + np.arange(size // 2 + 1) ** 2)
    share = np.clip(1 - np.abs(radius - 2), 0, None)
    mean = (share * weight.numpy()).sum() / share.sum()
    volume = random_volume(size)
    before, after = np.fft.rfftn(volume), np.fft.rfftn(divide_by_weight(volume, weight))
    # index -2 is the same wave seen from the other side, where the weight is 1
    assert after[2, 1, 0] == pytest.approx(before[2, 1, 0])
    real = (before[2, 0, 0] / (1e-3 * mean) + np.conj(before[-2, 0, 0])) / 2
    assert after[2, 0, 0] == pytest.approx(real, rel=1e-9)


def test_no_weight_at_all_leaves_zeros_as_they_are():
    size = 8
    zero = torch.zeros(size, size, size // 2 + 1, dtype=torch.float64)
    assert not divide_by_weight(torch.zeros(size, size, size).double(), zero).any()


def test_signal_over_noise_is_added_to_the_weight():
    size = 6
    volume = random_volume(size)
    weight = torch.full((size, size, size // 2 + 1), 3.0, dtype=torch.float64)
    found = divide_by_weight(volume, weight, snr=0.5)
    torch.testing.assert_close(found, volume / (3 + 2), rtol=0, atol=1e-12)


def test_map_and_weight_must_fit():
    with pytest.raises(ShapeError, match="expected"):
        divide_by_weight(torch.zeros(8, 8, 8), torch.zeros(8, 8, 8))


def test_a_weight_is_laid_out_about_the_centre_voxel():
    size = 6
    weight = torch.zeros(size, size, size // 2 + 1, dtype=torch.float64)
    weight[1, -2, 2] = 5.0  # z = 1, y = -2, x = 2
    weight[0, 0, 0] = 7.0
    full = centred_weight(weight)
    assert full[3, 3, 3] == 7
    assert full[4, 1, 5] == full[2, 5, 1] == 5
    assert full.sum() == 17


def test_the_centre_stays_when_a_map_is_cropped():
    volume = random_volume(12)
    cropped = crop_centre(volume, 8)
    assert cropped.shape == (8, 8, 8)
    assert cropped[4, 4, 4] == volume[6, 6, 6]


def test_a_tapered_map_is_flat_inside_and_zero_outside():
    size, width = 16, 3.0
    tapered = taper_to_mean(random_volume(size), width)
    axis = torch.arange(size) - size // 2
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    assert not tapered[radius >= size / 2].any()
    inner = radius < size / 2 - width
    difference = random_volume(size)[inner] - tapered[inner]
    torch.testing.assert_close(difference, difference[:1].expand_as(difference))
    at = (size // 2, size // 2, size // 2 + 6)  # 2 from the surface: 1/2 - cos(2π/3)/2 = 3/4
    mean = float(difference[0])
    assert float(tapered[at]) == pytest.approx(0.75 * (float(random_volume(size)[at]) - mean))


def test_without_a_width_the_sphere_has_a_sharp_edge():
    tapered = taper_to_mean(random_volume(8), 0.0)
    assert bool((tapered != 0).sum() == (sphere_radius(8) < 4).sum())


def sphere_radius(size):
    axis = torch.arange(size) - size // 2
    return (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
