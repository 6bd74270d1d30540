import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from subtomo.signal.fourier_sampling import sample_transform

GENERATOR = torch.Generator().manual_seed(0)


def centred_transform(n):
    """A real volume's whole transform, centred, and its right half."""
    volume = torch.randn(n, n, n, generator=GENERATOR, dtype=torch.float64)
    full = np.fft.fftshift(np.fft.fftn(volume.numpy()))
    half = torch.fft.fftshift(torch.fft.rfftn(volume), dim=(0, 1))
    return full, half


@pytest.mark.parametrize("kernel", ["numba", "torch"])
@pytest.mark.parametrize("n", [8, 9])
def test_agrees_with_scipy_on_the_whole_transform(kernel, n):
    full, half = centred_transform(n)
    radius = n // 2 - 1  # beyond it scipy has no voxel on the far side
    points = torch.rand(200, 3, generator=GENERATOR) * 2 * radius - radius
    places = (points.numpy()[:, ::-1] + n // 2).T
    expected = map_coordinates(full.real, places, order=1) + 1j * map_coordinates(
        full.imag, places, order=1
    )
    ours = sample_transform(half.to(torch.complex64), points, kernel=kernel)
    assert np.allclose(ours.numpy(), expected, atol=2e-4 * abs(expected).max())


def test_kernels_agree_on_real_and_complex_volumes_up_to_the_border():
    _, half = centred_transform(8)
    points = torch.rand(300, 3, generator=GENERATOR) * 11 - 5.5
    for volume in (half.to(torch.complex64), half.real.float().contiguous()):
        compiled = sample_transform(volume, points, kernel="numba")
        assert torch.allclose(compiled, sample_transform(volume, points, kernel="torch"), atol=1e-3)
        assert torch.all(compiled[(points.abs() >= 4).any(dim=1)] == 0)


def test_shape_of_points_is_kept_and_voxels_are_exact():
    _, half = centred_transform(8)
    values = sample_transform(half, torch.tensor([[[1.0, -2, 3], [-1, 2, -3]]]))
    assert values.shape == (1, 2)
    assert values[0, 0] == half[4 + 3, 4 - 2, 1]
    assert values[0, 1] == half[4 + 3, 4 - 2, 1].conj()
