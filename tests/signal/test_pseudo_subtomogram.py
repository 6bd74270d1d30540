import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.signal.pseudo_subtomogram import (
    PseudoSums,
    insert_slices_forward,
    insert_slices_torch,
)

S = 8
FLAT = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=torch.float64)


def random_slices(n, size=S, seed=1):
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.normal(size=(n, size, size)).astype(np.float32))
    spectra = torch.fft.rfft2(images)
    weights = torch.from_numpy(rng.uniform(size=spectra.shape).astype(np.float32))
    slopes = torch.from_numpy(matrices_from_quaternions(random_quaternions(n, rng))[:, :2].copy())
    ends = torch.from_numpy(rng.integers(0, size // 2 + 2, (n, size)))
    return spectra, weights, slopes, ends


def inserted(*slices, size=S, insert=insert_slices_forward):
    sums = PseudoSums.empty(size)
    insert(sums, *slices)
    return sums


def test_an_untilted_slice_is_the_central_plane():
    spectra, weights, _, _ = random_slices(1)
    sums = inserted(spectra, weights, FLAT, torch.full((1, S), S // 2))
    plane = sums.data[0]
    np.testing.assert_allclose(plane[:, 1:-1], spectra[0, :, 1:-1])
    np.testing.assert_allclose(plane[1:4, 0], spectra[0, 1:4, 0])  # real images: F(-y) = F*(y)
    np.testing.assert_allclose(plane[5:, 0], spectra[0, 5:, 0], rtol=1e-6)
    np.testing.assert_allclose(sums.weight[0, :, 1:-1], weights[0, :, 1:-1])
    assert sums.multiplicity[0, 0, 0] == 2  # its own mirror image
    assert torch.all(sums.multiplicity[0, 1:4, :-1] == 1)
    assert not sums.multiplicity[0, :, -1].any()  # beyond the ends
    assert not sums.values[1:].any()


def test_a_point_between_voxels_is_shared_out_and_conjugated():
    spectra = torch.zeros((1, S, S // 2 + 1), dtype=torch.complex64)
    spectra[0, 0, 1] = 2 + 3j
    slopes = torch.tensor([[[-1.25, 0.5, 0], [0, 1, 0]]], dtype=torch.float64)
    ends = torch.zeros((1, S), dtype=torch.int64)
    ends[0, 0] = 2
    sums = inserted(spectra, torch.ones(spectra.shape), slopes, ends)
    size = np.hypot(1.25, 0.5)  # x = 1.25, y = -0.5: three quarters at 1, a quarter at 2
    for x, part in ((1, 0.75), (2, 0.25)):
        for y in (0, -1):
            np.testing.assert_allclose(sums.data[0, y, x], size * part / 2 * (2 - 3j))
            np.testing.assert_allclose(sums.weight[0, y, x], size * part / 2)
    assert sums.multiplicity[0, 0, 0] == 2 * size  # zero frequency of this slice


# Insertion is the transpose of reading: the sum of weights is that of all pixels' shares.
def test_nothing_is_lost_inside_and_the_mirror_image_is_there():
    spectra, weights, slopes, _ = random_slices(20)
    ends = torch.full((20, S), 2)
    sums = inserted(spectra, weights, slopes, ends, size=16)
    whole = torch.cat([sums.multiplicity, sums.multiplicity[:, :, 1:-1]], dim=2)
    pixels = S + S // 2  # columns 0 and 1, negative rows without column 0
    assert whole.sum() == pytest.approx(2 * 20 * pixels, rel=1e-12)
    plane = sums.data[:, :, 0]
    mirrored = plane.flip(0, 1).roll((1, 1), (0, 1)).conj()
    np.testing.assert_allclose(plane.numpy(), mirrored.resolve_conj().numpy(), atol=1e-9)


@pytest.mark.parametrize("size", [6, 8])
def test_torch_does_the_same(size, monkeypatch):
    monkeypatch.setattr("subtomo.signal.pseudo_subtomogram._TORCH_PIXELS", 37)
    spectra, weights, slopes, ends = random_slices(12)
    slices = (spectra, weights, slopes * (size / S), ends)
    ours = inserted(*slices, size=size)
    theirs = inserted(*slices, size=size, insert=insert_slices_torch)
    assert ours.values.abs().max() > 1
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_does_the_same():
    slices = random_slices(12)
    ours = inserted(*slices)
    sums = PseudoSums.empty(S, "cuda")
    insert_slices_forward(sums, slices[0].cuda(), slices[1].cuda(), *slices[2:])
    np.testing.assert_allclose(ours.values, sums.values.cpu(), atol=1e-6)


def test_arrays_that_do_not_fit():
    spectra, weights, slopes, ends = random_slices(2)
    with pytest.raises(ShapeError, match=r"spectra, weights, slopes and ends have shapes"):
        inserted(spectra, weights[:1], slopes, ends)
    with pytest.raises(ShapeError, match=r"expected float64 of \(4, 4, 3, 4\)"):
        PseudoSums(torch.zeros(4, 4, 3, 4))
