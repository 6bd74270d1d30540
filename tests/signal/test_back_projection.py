import math

import numba
import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.signal.back_projection import (
    angular_weights,
    back_project,
    interpolation_gain,
    ramp_filter,
)

KERNELS = ["numba", "torch"]


def random_case(seed=0, tilts=6):
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.normal(size=(tilts, 40, 51)).astype(np.float32))
    matrices = rng.normal(size=(tilts, 2, 4))
    matrices[:, :, 3] = 20 + 4 * rng.normal(size=(tilts, 2))
    return images, matrices


@pytest.mark.parametrize("swap", [False, True])
def test_kernels_agree(swap):
    images, matrices = random_case()
    matrices = matrices[:, ::-1] if swap else matrices
    ours = back_project(images, matrices, (9, 30, 33), kernel="numba")
    reference = back_project(images, matrices, (9, 30, 33), kernel="torch")
    assert reference.abs().max() > 1
    # float32 places a pixel to some 1e-6 of 51
    torch.testing.assert_close(ours, reference, atol=2e-4, rtol=0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_by_hand_voxels_between_pixels_and_outside(kernel):
    image = torch.tensor([[[0.0, 10.0, 20.0], [40.0, 50.0, 90.0]]])
    # u = x/2, v = y - 1/2 + z/2
    matrix = np.array([[[0.5, 0, 0, 0], [0, 1, 0.5, -0.5]]])
    volume = back_project(image, matrix, (2, 2, 6), kernel=kernel)
    torch.testing.assert_close(volume[0, 0], torch.zeros(6))  # v = -0.5: outside
    expected = torch.tensor([20.0, 25.0, 30.0, 42.5, 55.0, 0.0])  # u = 2.5: outside
    torch.testing.assert_close(volume[0, 1], expected)
    torch.testing.assert_close(volume[1, 0], torch.tensor([0.0, 5.0, 10.0, 15.0, 20.0, 0.0]))
    torch.testing.assert_close(volume[1, 1], torch.tensor([40.0, 45.0, 50.0, 70.0, 90.0, 0.0]))


@pytest.mark.parametrize("kernel", KERNELS)
def test_slabs_are_parts_of_the_whole(kernel):
    images, matrices = random_case(1)
    whole = back_project(images, matrices, (8, 20, 20), kernel=kernel)
    shifted = matrices.copy()
    shifted[:, :, 3] += 5 * matrices[:, :, 2]
    part = back_project(images, shifted, (3, 20, 20), kernel=kernel)
    torch.testing.assert_close(part, whole[5:], atol=2e-4, rtol=0)


def test_threads_change_no_bit():
    images, matrices = random_case(2)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = back_project(images, matrices, (9, 30, 33))
        numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
        two = back_project(images, matrices, (9, 30, 33))
    finally:
        numba.set_num_threads(threads)
    assert torch.equal(one, two)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"\(6, 40, 51\) and matrices \(5, 2, 4\)"):
        back_project(random_case()[0], random_case()[1][:5], (2, 2, 2))
    with pytest.raises(ShapeError, match="2 pixels or more"):
        back_project(torch.zeros(1, 1, 9), np.zeros((1, 2, 4)), (2, 2, 2))


def test_the_ramp_is_the_distance_from_the_tilt_axis():
    upright, lying, slanted = ramp_filter((64, 48), [0.0, 90.0, 30.0])
    kx, ky = torch.fft.rfftfreq(48), torch.fft.fftfreq(64)
    torch.testing.assert_close(upright[5, 1:], kx[1:])
    torch.testing.assert_close(lying[1:, 7], ky[1:].abs())
    across = math.cos(math.pi / 6) * float(kx[9]) + math.sin(math.pi / 6) * float(ky[-3])
    assert float(slanted[-3, 9]) == pytest.approx(abs(across))
    # on the axis the mean of |k| over a Fourier pixel of 1/48
    assert float(upright[0, 0]) == pytest.approx(1 / 48 / 4)


def test_the_ramp_in_voxels_ends_where_the_volume_does():
    # pixels of 0.8 voxels: the image holds 0.625 cycles per voxel, the volume 0.5
    ramp = ramp_filter((50, 50), 0.0, pixel_sizes=(0.8, 0.8))[0]
    cycles = torch.fft.rfftfreq(50) / 0.8
    assert float(ramp[0, cycles > 0.5].abs().max()) == 0
    torch.testing.assert_close(ramp[0, 1:20], cycles[1:20])
    assert float(ramp[torch.fft.fftfreq(50).abs() / 0.8 > 0.5].abs().max()) == 0


def test_the_hamming_window_leaves_eight_hundredths_at_nyquist():
    plain = ramp_filter((32, 32), 0.0)[0]
    windowed = ramp_filter((32, 32), 0.0, window="hamming")[0]
    ratio = windowed[0, 1:] / plain[0, 1:]
    assert float(ratio[-1]) == pytest.approx(0.08, abs=1e-6)
    assert float(ratio[7]) == pytest.approx(0.54, abs=1e-6)  # half way: cos(90°) = 0


@pytest.mark.parametrize(
    ("tilts", "expected"),
    [
        (np.arange(-60, 61, 3), np.full(41, 3.0)),
        ([30, -30, 0], [30, 30, 30]),
        # ends of a full half turn are one view
        (np.arange(-90, 91, 2), [1, *np.full(89, 2.0), 1]),
        (np.arange(-90, 90, 2), np.full(90, 2.0)),
        # a tilt left out: its neighbours take its share
        ([-4, -2, 2, 4], [2, 3, 3, 2]),
        # two images of one tilt share
        ([-2, 0, 0, 2], [2, 1, 1, 2]),
        ([7], [180]),
    ],
)
def test_tilts_share_the_angles(tilts, expected):
    np.testing.assert_allclose(np.degrees(angular_weights(tilts)), expected, atol=1e-9)


def test_all_tilts_of_one_angle_share_the_half_turn():
    np.testing.assert_allclose(np.degrees(angular_weights([5, 5, 5])).sum(), 180)


def test_the_gain_undoes_the_mean_blur_of_bilinear_interpolation():
    gain = interpolation_gain((32, 32))
    assert float(gain[0, 0]) == 1
    assert float(gain[16, 16]) == pytest.approx((math.pi / 2) ** 4)
    # a wave sampled at many places between its pixels, by linear interpolation
    wave = np.cos(2 * np.pi * 10 / 32 * np.arange(33))
    places = np.linspace(0, 32, 3201)[:-1]
    sampled = np.interp(places, np.arange(33), wave)
    amplitude = 2 * (sampled * np.cos(2 * np.pi * 10 / 32 * places)).mean()
    assert amplitude * float(gain[0, 10]) == pytest.approx(1, abs=1e-3)


def test_half_a_turn_of_images_gives_the_density_back():
    """A Gaussian: its projections are Gaussians, √(2π)σ times as high."""
    sigma, n, margin = 2.5, 40, 40
    tilts = np.arange(-90, 90, 2.0)
    c, s = np.cos(np.radians(tilts)), np.sin(np.radians(tilts))
    place = np.array([4.3, -3.1, 5.2])
    # two pixels a voxel, and a margin for the ramp
    x = (np.arange(2 * (n + margin)) - (n + margin)) / 2
    rows = np.exp(-((x - place[1]) ** 2) / (2 * sigma**2))
    columns = np.exp(-((x - (c * place[0] + s * place[2])[:, None]) ** 2) / (2 * sigma**2))
    images = math.sqrt(2 * math.pi) * sigma * rows[:, None] * columns[:, None, :]
    shape = images.shape[1:]
    weight = ramp_filter(shape, 0.0, pixel_sizes=(0.5, 0.5)) * interpolation_gain(shape)
    weight = weight * torch.from_numpy(angular_weights(tilts))[:, None, None]
    filtered = torch.fft.irfftn(
        torch.fft.rfftn(torch.from_numpy(images), dim=(1, 2)) * weight, s=shape, dim=(1, 2)
    )
    zero, middle = np.zeros_like(c), n + margin
    u_row = np.stack([2 * c, zero, 2 * s, middle - (c + s) * n], axis=1)
    v_row = np.stack([zero, zero + 2, zero, zero + middle - n], axis=1)
    volume = back_project(filtered.to(torch.float32), np.stack([u_row, v_row], axis=1), (n, n, n))
    z, y, x = np.indices((n, n, n)) - n // 2
    squared = (x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2
    truth = np.exp(-squared / (2 * sigma**2))
    assert np.abs(volume.numpy() - truth)[squared < 15**2].max() < 0.01
