"""An average compared with the truth: worked by hand on densities that are known."""

import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.model import Volume
from subtomo.workflows.demo.comparison import compare_densities, in_box, outer_diameter


@pytest.fixture
def body():
    rng = np.random.default_rng(3)
    z, y, x = np.mgrid[:32, :32, :32] - 16
    inside = z**2 + y**2 + x**2 < 8**2
    return (inside * (1 + rng.normal(size=inside.shape))).astype(np.float32)


@pytest.fixture
def mask():
    z, y, x = np.mgrid[:32, :32, :32] - 16
    return Volume((z**2 + y**2 + x**2 < 11**2).astype(np.float32), 10.0)


def test_truth_compared_with_itself_reaches_nyquist(body, mask):
    volume = Volume(body, 10.0)
    assert compare_densities(volume, volume, mask).resolution == pytest.approx(20.0)


def test_resolution_is_where_noise_takes_over(body, mask):
    transform = np.fft.rfftn(body)
    k = np.linalg.norm(
        np.stack(np.meshgrid(*[np.fft.fftfreq(32)] * 2, np.fft.rfftfreq(32), indexing="ij")),
        axis=0,
    )
    noise = np.fft.rfftn(np.random.default_rng(4).normal(size=body.shape))
    average = np.fft.irfftn(np.where(k < 0.25, transform, noise), s=body.shape, axes=(0, 1, 2))
    found = compare_densities(Volume(average.astype(np.float32), 10.0), Volume(body, 10.0), mask)
    assert found.resolution == pytest.approx(40.0, rel=0.1)


def test_pixel_sizes_must_agree(body, mask):
    with pytest.raises(ShapeError, match="resample"):
        compare_densities(Volume(body, 10.0), Volume(body, 8.0), mask)


@pytest.mark.parametrize("size", [20, 21, 40, 41])
def test_centre_stays_the_centre_in_another_box(size):
    volume = torch.zeros(31, 31, 31)
    volume[15, 15, 15] = 1
    assert torch.nonzero(in_box(volume, size)).tolist() == [[size // 2] * 3]


def test_outer_diameter_of_a_voxel_ten_from_the_centre():
    data = np.zeros((32, 32, 32), dtype=np.float32)
    data[16, 16, 26] = 1
    assert outer_diameter(Volume(data, 5.0)) == pytest.approx(2 * 10 * 5.0)
