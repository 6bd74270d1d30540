import numpy as np
import pytest
import torch

from subtomo.signal.box_weights import margin_voxels, resampling_weights
from subtomo.signal.fourier import fourier_crop, fourier_shift


@pytest.mark.parametrize("n", [7, 8])
def test_whole_voxels_are_copied(n):
    matrix = resampling_weights(n, torch.tensor(0.0, dtype=torch.float64))
    expected = torch.eye(n + 2 * margin_voxels())[margin_voxels() : margin_voxels() + n]
    assert torch.allclose(matrix, expected, atol=1e-7)


@pytest.mark.parametrize("rest", [-0.5, -0.2, 0.37, 0.5])
@pytest.mark.parametrize("frequency", [0.0, 0.1, 0.25, 0.4])
def test_waves_move(rest, frequency):
    n, margin = 12, margin_voxels()
    matrix = resampling_weights(n, torch.tensor(rest, dtype=torch.float64)).numpy()
    voxels = np.arange(n + 2 * margin)
    wave = np.exp(2j * np.pi * frequency * voxels)
    expected = np.exp(2j * np.pi * frequency * (voxels[margin : margin + n] + rest))
    # errors below 0.1 % up to 0.4 cycles a voxel, as the module says
    assert np.abs(matrix @ wave - expected).max() < 1e-3


@pytest.mark.parametrize("n", [7, 8])
@pytest.mark.parametrize("binning", [2, 3])
def test_binning_is_a_fourier_crop(n, binning):
    margin = margin_voxels(binning)
    wide = (n + 2 * margin) * binning
    line = torch.randn(wide, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    square = line[:, None] * torch.ones(wide, dtype=torch.float64)
    moved = fourier_shift(square, torch.tensor([0.0, -0.3]))
    expected = fourier_crop(moved, (n + 2 * margin,) * 2)[margin : margin + n, 0]
    matrix = resampling_weights(n, torch.tensor(0.3, dtype=torch.float64), binning=binning)
    assert torch.allclose(matrix.double() @ line, expected, atol=1e-5)


def test_matrices_of_several_rests_are_those_of_each():
    rests = torch.tensor([[0.1, -0.4], [0.0, 0.5]], dtype=torch.float64)
    for binning in (1, 2):
        together = resampling_weights(5, rests, binning=binning)
        alone = resampling_weights(5, rests[1, 1], binning=binning)
        assert together.shape[:2] == (2, 2)
        assert torch.equal(together[1, 1], alone)
