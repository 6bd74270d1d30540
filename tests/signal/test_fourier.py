import numpy as np
import pytest
import torch
from scipy.ndimage import fourier_shift as scipy_fourier_shift
from scipy.signal import resample

from subtomo.errors import ShapeError
from subtomo.signal.fourier import (
    centre_real_transform,
    fourier_crop,
    fourier_pad,
    fourier_shift,
    frequency_radius,
    frequency_vectors,
    half_of_centred,
)


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def test_frequencies_by_hand():
    vectors = frequency_vectors((4, 6), 5.0)
    assert vectors.shape == (4, 4, 2)
    # x index 3 of 6 is +Nyquist, y index 2 of 4 is -Nyquist; pixel 5 Å: Nyquist is 0.1 1/Å
    assert torch.allclose(vectors[2, 3], torch.tensor([0.1, -0.1]))
    assert torch.allclose(vectors[3, 1], torch.tensor([1 / 30, -1 / 20]))
    assert frequency_radius((4, 6), 5.0)[2, 3] == pytest.approx(np.sqrt(0.02))


def test_frequency_vectors_are_xyz_in_three_dimensions():
    vectors = frequency_vectors((4, 6, 8), 1.0)
    assert vectors.shape == (4, 6, 5, 3)
    assert torch.allclose(vectors[1, 2, 3], torch.tensor([3 / 8, 2 / 6, 1 / 4]))


def test_parseval():
    x = noise(6, 7, 8)
    transform = torch.fft.rfftn(x)
    columns = torch.tensor([1.0, 2, 2, 2, 1], dtype=torch.float64)
    assert torch.allclose((transform.abs() ** 2 * columns).sum() / x.numel(), (x**2).sum())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((8, 9, 10), (6, 5, 4)),
        ((7, 8, 6), (5, 6, 5)),
        ((8, 8, 8), (7, 8, 6)),
        ((8, 9, 7), (12, 11, 8)),
        ((4, 6, 8), (7, 9, 9)),
        ((4, 4, 4), (5, 6, 8)),
    ],
)
def test_crop_and_pad_agree_with_scipy(old, new):
    x = noise(2, *old)
    expected = x.numpy()
    for axis, n in enumerate(new):
        expected = resample(expected, n, axis=axis + 1)
    resampled = (fourier_crop if new[0] < old[0] or new[2] < old[2] else fourier_pad)(x, new)
    assert np.allclose(resampled.numpy(), expected, atol=1e-12)


def test_pad_keeps_voxel_zero_and_values():
    x = noise(6, 5, 8)
    padded = fourier_pad(x, (12, 15, 16))
    assert torch.allclose(padded[::2, ::3, ::2], x)
    assert torch.allclose(fourier_crop(padded, (6, 5, 8)), x)
    assert padded.mean() == pytest.approx(float(x.mean()))


def test_crop_and_pad_refuse_the_wrong_direction():
    with pytest.raises(ShapeError, match=r"crop a grid of \(4, 4\) to \(5, 4\)"):
        fourier_crop(noise(4, 4), (5, 4))
    with pytest.raises(ShapeError, match=r"pad a grid of \(4, 4\) to \(4, 3\)"):
        fourier_pad(noise(4, 4), (4, 3))


def test_shift_by_whole_voxels_is_a_roll_in_xyz():
    x = noise(6, 7, 8)
    shifted = fourier_shift(x, torch.tensor([1.0, -2.0, 3.0]))
    assert torch.allclose(shifted, x.roll((3, -2, 1), (0, 1, 2)))


def test_shift_agrees_with_scipy_on_odd_grids():
    x = noise(5, 7, 9)
    shifts = torch.tensor([[0.3, -1.7, 2.25], [0.5, 0.5, 0.5]], dtype=torch.float64)
    ours = fourier_shift(x.expand(2, -1, -1, -1), shifts)
    for one, shift in zip(ours, shifts, strict=True):
        transform = scipy_fourier_shift(np.fft.fftn(x.numpy()), shift.numpy()[::-1])
        assert np.allclose(one.numpy(), np.fft.ifftn(transform).real)


def test_shift_there_and_back_of_a_band_limited_image():
    x = fourier_pad(noise(5, 5), (8, 8))
    there = fourier_shift(x, torch.tensor([0.37, -1.2]))
    assert torch.allclose(fourier_shift(there, torch.tensor([-0.37, 1.2])), x)
    assert not torch.allclose(there, x)


@pytest.mark.parametrize("n", [6, 7])
def test_centred_volumes_of_real_transforms(n):
    # the power spectrum of a real volume is real and point-symmetric
    x = noise(n, n, n)
    full = np.fft.fftshift(abs(np.fft.fftn(x.numpy())) ** 2)
    half = torch.fft.rfftn(x).abs() ** 2
    assert np.allclose(centre_real_transform(half, n).numpy(), full)
    assert torch.equal(half_of_centred(centre_real_transform(half, n)), half)
