import pytest
import torch

from subtomo.signal.masks import soft_sphere
from subtomo.signal.normalise import normalise


def test_mean_and_deviation_of_each_of_a_batch():
    x = torch.rand(3, 6, 6, 6, dtype=torch.float64) * 4 + 7
    y = normalise(x)
    assert torch.allclose(y.mean((1, 2, 3)), torch.zeros(3, dtype=torch.float64))
    assert torch.allclose(y.std((1, 2, 3), correction=0), torch.ones(3, dtype=torch.float64))


def test_mean_and_deviation_under_a_soft_mask():
    mask = soft_sphere((8, 8, 8), 2, 2).double()
    y = normalise(torch.rand(2, 8, 8, 8, dtype=torch.float64) + torch.arange(8), mask)
    total = mask.sum()
    assert ((y * mask).sum((1, 2, 3)) / total).abs().max() < 1e-12
    assert ((y**2 * mask).sum((1, 2, 3)) / total).tolist() == pytest.approx([1, 1])


def test_images_with_two_axes():
    y = normalise(torch.rand(5, 9, 9), ndim=2)
    assert y.mean((1, 2)).abs().max() < 1e-6


def test_a_flat_array_becomes_zero():
    assert torch.equal(normalise(torch.full((4, 4, 4), 3.0)), torch.zeros(4, 4, 4))
