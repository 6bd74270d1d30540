import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.signal.correlation import local_normalised_correlation
from subtomo.signal.masks import soft_sphere


def brute_force(volume, template, mask, voxel):
    """Weighted Pearson correlation of the box around one voxel, by its definition."""
    box = tuple(
        slice(i - n // 2, i - n // 2 + n) for i, n in zip(voxel, template.shape, strict=True)
    )
    patch, weights = volume[box].double(), mask.double()
    covariance = np.cov(patch.flatten(), template.double().flatten(), aweights=weights.flatten())
    return covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])


@pytest.mark.parametrize("size", [7, 8])
def test_equals_the_weighted_pearson_correlation(size):
    generator = torch.Generator().manual_seed(size)
    volume = torch.randn(16, 18, 20, generator=generator) + 5
    template = torch.randn(size, size, size, generator=generator)
    mask = soft_sphere((size,) * 3, 2, 1.5)
    scores = local_normalised_correlation(volume, template, mask)
    for voxel in [(8, 9, 10), (5, 12, 7), (4, 4, 4)]:
        assert scores[voxel] == pytest.approx(brute_force(volume, template, mask, voxel), abs=1e-5)


def test_a_planted_template_scores_one_whatever_its_scale():
    generator = torch.Generator().manual_seed(0)
    volume = torch.randn(20, 20, 20, generator=generator)
    template = torch.randn(6, 6, 6, generator=generator)
    volume[9:15, 4:10, 11:17] = 3 * template + 10
    mask = soft_sphere((6, 6, 6), 2.0)
    scores = local_normalised_correlation(volume, template, mask)
    assert np.unravel_index(int(scores.argmax()), scores.shape) == (12, 7, 14)
    assert scores.max() == pytest.approx(1, abs=1e-5)
    assert scores.abs().max() <= 1 + 1e-5


def test_flat_volumes_score_zero():
    scores = local_normalised_correlation(
        torch.full((8, 8, 8), 3.0), torch.randn(4, 4, 4), torch.ones(4, 4, 4)
    )
    assert torch.equal(scores, torch.zeros(8, 8, 8))


def test_a_template_larger_than_the_volume_is_refused():
    with pytest.raises(ShapeError, match="larger than the volume"):
        local_normalised_correlation(torch.zeros(8, 8, 8), *[torch.zeros(8, 9, 8)] * 2)
