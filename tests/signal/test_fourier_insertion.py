import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from slice_model import gather

from subtomo.errors import ShapeError
from subtomo.signal.fourier_insertion import insert_slices_gather, insert_slices_torch
from subtomo.signal.fourier_sums import FourierSums

KERNELS = pytest.mark.parametrize("insert", [insert_slices_gather, insert_slices_torch])


def slices(size, count, seed=0, scale=1.0):
    """Spectra of random images, weights, matrices and radii."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(count, size, size))
    spectra = torch.fft.rfft2(torch.from_numpy(images)).to(torch.complex64)
    weights = torch.from_numpy(rng.random((count, size, size // 2 + 1))).float()
    matrices = torch.from_numpy(scale * Rotation.random(count, random_state=seed).as_matrix())
    matrices[0] = scale * torch.eye(3)
    radii = torch.from_numpy(rng.integers(0, size // 2 + 2, count))
    radii[:2] = size // 2 + 1
    return spectra, weights, matrices, radii


def centred(spectra):
    """Phases relative to pixel n // 2."""
    index = np.arange(spectra.shape[1])
    return spectra.numpy() * (-1.0) ** (index[:, None] + index[: spectra.shape[2]])


@KERNELS
@pytest.mark.parametrize("scale", [1.0, 1.35, 0.8])
def test_voxels_gather_what_the_slow_model_does(insert, scale):
    size = 12
    spectra, weights, matrices, radii = slices(size, 8, scale=scale)
    sums = FourierSums.empty(size)
    insert(sums, spectra, weights, matrices, radii)
    data, weight = gather(centred(spectra), weights.numpy(), matrices.numpy(), radii.numpy())
    np.testing.assert_allclose(sums.data.numpy(), data, atol=3e-7 * np.abs(data).max())
    np.testing.assert_allclose(sums.weight.numpy(), weight, atol=3e-7 * weight.max())


@KERNELS
def test_an_untilted_slice_is_the_plane_at_z_0(insert):
    """A projection along z is the central slice: a point in the image is a line in the map."""
    size = 8
    image = torch.zeros(1, size, size)
    image[0, 5, 2] = 1.0
    sums = FourierSums.empty(size)
    ones = torch.ones(1, size, size // 2 + 1)
    limit = torch.tensor([size // 2 + 1])
    insert(sums, torch.fft.rfft2(image), ones, torch.eye(3, dtype=torch.float64)[None], limit)
    assert not sums.values[1:].any()
    inner = [0, 1, 2, 3, -3, -2, -1]
    np.testing.assert_array_equal(sums.weight[0, inner][:, :-1], 1.0)
    # phases of the point at (x, y) = (2, 5) relative to the centre (4, 4)
    k = np.array(inner)[:, None]
    expected = np.exp(-2j * np.pi * (k * (5 - 4) + np.arange(4) * (2 - 4)) / size)
    np.testing.assert_allclose(sums.data[0, inner][:, :-1], expected, atol=1e-6)


def test_slices_add_up_the_same_however_many_come_at_once():
    size = 16
    every = slices(size, 9, seed=3)
    together, one_by_one = FourierSums.empty(size), FourierSums.empty(size)
    insert_slices_gather(together, *every)
    for k in range(9):
        insert_slices_gather(one_by_one, *(part[k : k + 1] for part in every))
    assert torch.equal(together.values, one_by_one.values)


def test_weights_in_double_precision_may_be_tiny():
    size = 8
    spectra, weights, matrices, radii = slices(size, 3)
    sums = FourierSums.empty(size)
    insert_slices_gather(sums, spectra, weights.double() * 1e-60, matrices, radii)
    _, weight = gather(centred(spectra), weights.double().numpy(), matrices.numpy(), radii.numpy())
    np.testing.assert_allclose(sums.weight.numpy(), 1e-60 * weight, atol=1e-66)


def test_arrays_that_do_not_fit_are_refused():
    spectra, weights, matrices, radii = slices(8, 2)
    with pytest.raises(ShapeError, match=r"for sums of 10 voxels; expected \(2, 10, 6\)"):
        insert_slices_gather(FourierSums.empty(10), spectra, weights, matrices, radii)
    with pytest.raises(ShapeError, match="slices reach 6 voxels into sums of 8; expected 5"):
        insert_slices_gather(FourierSums.empty(8), spectra, weights, matrices, radii + 1)


KERNEL = """
import hashlib

import torch
from subtomo.signal.fourier_insertion import insert_slices_gather
from subtomo.signal.fourier_sums import FourierSums

torch.manual_seed(0)
matrices = torch.linalg.qr(torch.randn(20, 3, 3, dtype=torch.float64)).Q
spectra, weights = torch.randn(20, 24, 13, dtype=torch.complex64), torch.rand(20, 24, 13)
sums = FourierSums.empty(24)
insert_slices_gather(sums, spectra, weights, matrices, torch.full((20,), 13))
print(hashlib.sha256(sums.values.numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_just_compiled_code_rounds_as_the_code_from_the_cache(tmp_path):
    where = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", KERNEL], env=where, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    )
    assert any(tmp_path.rglob("*.nbc"))
    assert first == second


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gathers_the_same():
    size = 16
    every = slices(size, 5)
    here, there = FourierSums.empty(size), FourierSums.empty(size, "cuda")
    insert_slices_torch(here, *every)
    insert_slices_gather(there, *(part.cuda() for part in every[:2]), *every[2:])
    np.testing.assert_allclose(there.values.cpu(), here.values, atol=1e-10)
