import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from subtomo.errors import ShapeError
from subtomo.signal.fourier import frequency_vectors
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.slices import (
    complete_plane,
    extract_slices,
    insert_slices,
    project_volume,
    transform_volume,
)


def matrices(count, seed=0):
    return torch.from_numpy(Rotation.random(count, random_state=seed).as_matrix())


def gaussians(n, points, widths):
    """A sum of Gaussians on a grid of any dimension, centre n // 2."""
    axes = [torch.arange(n, dtype=torch.float64) - n // 2] * points.shape[1]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], -1)
    out = torch.zeros(grid.shape[:-1], dtype=torch.float64)
    for point, width in zip(points, widths, strict=True):
        amplitude = (2 * np.pi * width**2) ** (-len(point) / 2)
        out += amplitude * torch.exp(-((grid - point) ** 2).sum(-1) / (2 * width**2))
    return out


def test_projections_of_gaussians_have_a_closed_form():
    points = torch.tensor([[5.0, 2, -3], [-4, 1, 6], [0, -6, 2]], dtype=torch.float64)
    widths = [1.5, 2.0, 1.8]
    turns = matrices(4)
    projected = project_volume(gaussians(32, points, widths), turns, pad_factor=2.0)
    for image, turn in zip(projected, turns, strict=True):
        expected = gaussians(32, (points @ turn.mT)[:, :2], widths)
        assert (image - expected).abs().max() < 0.01 * expected.max()


def test_projection_is_the_sum_along_z_after_rotation():
    volume = soft_sphere((24, 24, 24), 6, 3, centre=(13, 10, 12.5))
    turns = matrices(3, seed=1)
    summed = rotate_volumes(volume, turns, oversampling=2).sum(1)
    # the copies that periodic interpolation folds into the box fade as it is padded more
    for pad_factor, tolerance in ((2.0, 0.03), (3.0, 0.01)):
        projected = project_volume(volume, turns, pad_factor)
        assert (projected - summed).abs().max() < tolerance * summed.max()


def test_untilted_projection_is_the_sum_along_z():
    volume = soft_sphere((9, 9, 9), 3).double() * torch.rand(9, 9, 9, dtype=torch.float64)
    image = project_volume(volume, torch.eye(3)[None], pad_factor=8.0)[0]
    # on grid points nothing is interpolated, yet the falloff is corrected: at most 3 · 1.5 %
    assert torch.allclose(image, volume.sum(0), rtol=0.045)


def test_slices_of_a_plane_wave_peak_where_the_rotation_says():
    # a wave with 3 cycles along x and 2 along z; seen along z after a turn by 90° about x
    n = 16
    z, _, x = torch.meshgrid(*[torch.arange(n, dtype=torch.float64) - n // 2] * 3, indexing="ij")
    wave = torch.cos(2 * np.pi * (3 * x + 2 * z) / n)
    transform = torch.fft.fftshift(torch.fft.rfftn(torch.fft.ifftshift(wave)), dim=(0, 1))
    turn = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
    image = extract_slices(transform, turn[None], n)[0]
    peak = np.unravel_index(int(image.abs().argmax()), image.shape)
    expected = turn @ torch.tensor([3.0, 0, 2], dtype=torch.float64)  # (3, -2, 0)
    assert peak == (expected[1] % n, expected[0])
    assert image[peak].real == pytest.approx(n**3 / 2)


def test_insert_is_the_adjoint_of_extract():
    generator = torch.Generator().manual_seed(0)
    turns = matrices(5, seed=2)
    volume = torch.randn(16, 16, 9, dtype=torch.complex128, generator=generator)
    images = torch.randn(5, 12, 7, dtype=torch.complex128, generator=generator)
    left = (extract_slices(volume, turns, 12) * images.conj()).real.sum()
    right = (volume * insert_slices(images, turns, 16)[0].conj()).real.sum()
    assert left == pytest.approx(float(right), rel=1e-12)


def test_weights_of_inserted_slices_add_up_to_the_number_of_samples():
    images = torch.ones(3, 8, 5, dtype=torch.complex128)
    turns = matrices(3, seed=3)
    data, weight = insert_slices(images, turns, 32)
    radius = frequency_vectors((8, 8), 1 / 32).norm(dim=-1)
    assert weight.sum() <= 3 * 8 * 5  # the corners fall outside
    assert weight.sum() >= 3 * (radius < 15).sum()
    assert torch.allclose(data.real, weight)
    twice = insert_slices(images, turns, 32, weights=torch.full((3, 8, 5), 2.0))[1]
    assert torch.allclose(twice.double(), 2 * weight)


def test_many_slices_reconstruct_the_volume():
    n = 16
    volume = soft_sphere((n, n, n), 3, 3, centre=(9, 7, 8)).double()
    turns = matrices(100, seed=4)
    slices = extract_slices(transform_volume(volume, 2.0), turns, 2 * n)
    data, weight = insert_slices(slices, turns, 2 * n)
    data, weight = complete_plane(data), complete_plane(weight)
    transform = torch.fft.ifftshift(data / weight.clamp_min(1e-3), dim=(0, 1))
    back = torch.fft.fftshift(torch.fft.irfftn(transform))[8:24, 8:24, 8:24]
    ours, truth = back - back.mean(), volume - volume.mean()
    correlation = (ours * truth).sum() / (ours.norm() * truth.norm())
    assert correlation > 0.99


def test_slice_frequencies_are_those_of_the_image():
    # the value at image frequency k is that of the volume at Rᵀ k: a volume linear in kx
    p = 16
    kx = frequency_vectors((p, p, p), 1 / p, dtype=torch.float64)[..., 0]
    volume = torch.fft.fftshift(1j * kx, dim=(0, 1)).to(torch.complex128)
    turn = matrices(1, seed=5)
    image = extract_slices(volume, turn, 8)[0]
    plane = frequency_vectors((8, 8), 1 / p, dtype=torch.float64)
    expected = plane @ turn[0, :2, 0]
    inside = plane.norm(dim=-1) < p // 2 - 1
    assert inside.sum() > 20
    assert torch.allclose(image.imag[inside], expected[inside], atol=1e-9)


def test_only_cubes():
    with pytest.raises(ShapeError, match=r"\(4, 4, 5\); expected a cube"):
        transform_volume(torch.zeros(4, 4, 5))
