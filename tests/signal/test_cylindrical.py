"""Means about the z axis against closed forms."""

import pytest
import torch

from subtomo.signal.cylindrical import cylindrical_mean

N = 24


def grid(height, width):
    z = torch.arange(8, dtype=torch.float64) - 4
    y = torch.arange(height, dtype=torch.float64) - height // 2
    x = torch.arange(width, dtype=torch.float64) - width // 2
    return torch.meshgrid(z, y, x, indexing="ij")


@pytest.mark.parametrize("size", [(24, 24), (23, 23), (20, 26)])
def test_what_is_the_same_all_around_stays(size):
    z, y, x = grid(*size)
    radius = torch.hypot(x, y)
    volume = torch.exp(-((radius - 6) ** 2) / 8) * torch.exp(-(z**2) / 20)
    assert (cylindrical_mean(volume) - volume).abs().max() < 0.005


def test_a_gaussian_beside_the_axis():
    # the mean over angles is exp(-(r² + d²) / 2s²) I0(r d / s²)
    s, d = 2.0, 5.0
    z, y, x = grid(N, N)
    radius = torch.hypot(x, y)
    scale = 1 + 0.1 * z  # planes do not mix
    volume = scale * torch.exp(-((x - d) ** 2 + y**2) / (2 * s * s))
    truth = (
        scale * torch.exp(-(radius**2 + d * d) / (2 * s * s)) * torch.special.i0(radius * d / s**2)
    )
    inside = radius < N // 2 - 1
    assert (cylindrical_mean(volume) - truth)[inside].abs().max() < 0.004 * truth.max()
    # without the finer grid the same, smoothed
    rough = (cylindrical_mean(volume, oversampling=1) - truth)[inside].abs().max()
    assert 0.01 * truth.max() < rough < 0.06 * truth.max()


def test_nothing_rings_where_asked():
    _, y, x = grid(N, N)
    step = (torch.hypot(x, y) < 5).double()
    mean = cylindrical_mean(step, oversampling=1)
    assert mean.min() >= 0
    assert mean.max() <= 1
    assert cylindrical_mean(step).min() < -0.01


def test_corners_are_means_of_what_lies_in_the_volume():
    mean = cylindrical_mean(torch.full((3, N, N), 2.5))
    assert torch.allclose(mean, torch.tensor(2.5))
