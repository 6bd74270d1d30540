import math

import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density

from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, best_shift, correlate, observe, prepare_reference
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.signal.filters import apply_filter
from subtomo.signal.fourier import fourier_shift
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

N = 24
BOX = Box(N, PIXEL)
WEIGHTS = torch.ones(N // 2 + 1)


def particle(density, seed=0, shift=(0.0, 0.0, 0.0), wedge=None):
    rng = np.random.default_rng(seed)
    matrix = torch.from_numpy(matrices_from_quaternions(random_quaternions(1, rng)))
    box = rotate_volumes(density, matrix, torch.tensor([shift]), oversampling=3)[0]
    return box if wedge is None else apply_filter(box, wedge), matrix


def test_the_true_pose_correlates_fully_and_gives_the_shift():
    density, shift = asymmetric_density(N), (1.3, -0.6, 0.7)
    wedge = missing_wedge((N, N, N), [-60, 60])
    box, matrix = particle(density, shift=shift, wedge=wedge)
    band = Band(BOX, 7.0, 4.0)
    observed = observe(box, wedge, torch.zeros(3), WEIGHTS, band)
    score, found = correlate(prepare_reference(density), observed, matrix, band)
    assert score[0] > 0.99
    assert found[0].tolist() == pytest.approx(shift, abs=0.06)


def test_score_is_the_constrained_correlation_by_its_definition():
    # no shift: sum over the band of w X conj(T G) / sqrt(sum w |X|² · sum w |T G|²)
    density = asymmetric_density(N)
    wedge = missing_wedge((N, N, N), [-60, 60], soft_edge_px=0)
    box, _ = particle(density, seed=1, wedge=wedge)
    matrix = torch.from_numpy(
        matrices_from_quaternions(random_quaternions(1, np.random.default_rng(9)))
    )
    band = Band(BOX, 6.5, 0.0)
    weights = torch.linspace(1, 3, N // 2 + 1)
    observed = observe(box, wedge, torch.zeros(3), weights, band)
    score, shift = correlate(prepare_reference(density), observed, matrix, band)
    x = torch.fft.fftn(torch.fft.ifftshift(box * BOX.sphere)).numpy()
    rotated = rotate_volumes(density, matrix, oversampling=4)[0]
    g = torch.fft.fftn(torch.fft.ifftshift(rotated)).numpy()
    k = np.fft.fftfreq(N, 1 / N)
    radius = np.sqrt(k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2)
    # the wedge of all components, by its definition: |kz| <= tan(60°) |kx|
    slope = np.abs(k[:, None, None]) <= np.tan(np.pi / 3) * np.abs(k[None, None, :]) + 1e-9
    w = (radius > 0) & (radius <= 6.5) & slope
    w = w * weights.numpy()[np.minimum(radius.round().astype(int), N // 2)]
    numerator = (w * x * g.conj()).sum().real
    expected = numerator / np.sqrt((w * abs(x) ** 2).sum() * (w * abs(g) ** 2).sum())
    assert 0.2 < expected < 0.9
    assert score[0] == pytest.approx(expected, abs=0.01)
    assert shift.abs().max() == 0


def test_all_shifts_are_those_of_a_plain_inverse_transform():
    density = asymmetric_density(N)
    box, _ = particle(density, seed=2, shift=(1.0, 2.0, -1.0))
    spectrum = torch.fft.rfftn(torch.fft.ifftshift(box))
    band = Band(BOX, N // 2 - 1, 3.0)
    products = torch.zeros(1, (2 * band.reach + 1) ** 2 * (band.reach + 1), dtype=torch.complex64)
    products[0, band.places] = band.take(spectrum) * band.multiplicity
    maps = band.correlate_shifts(products)[0]
    inside = (BOX.frequencies.norm(dim=-1) <= N // 2 - 1) & (BOX.shells > 0)
    expected = torch.fft.irfftn(spectrum * inside, s=(N,) * 3) * N**3
    near = slice(N // 2 - 4, N // 2 + 5)
    around = torch.fft.fftshift(expected)[near, near, near]
    assert torch.allclose(maps, around, atol=1e-3 * float(expected.abs().max()))


def test_shifts_beyond_reach_are_not_found():
    density = asymmetric_density(N)
    box, matrix = particle(density, seed=3, shift=(3.0, 0.0, 0.0))
    reference = prepare_reference(density)
    for most in (0.0, 1.0, 2.0):
        band = Band(BOX, 7.0, most)
        observed = observe(box, torch.ones(N, N, N // 2 + 1), torch.zeros(3), WEIGHTS, band)
        _, shift = correlate(reference, observed, matrix, band)
        assert float(shift.norm()) <= most + 1e-5


def test_shifts_count_from_the_start():
    density = asymmetric_density(N)
    box, matrix = particle(density, seed=4, shift=(1.4, -1.1, 0.5))
    band = Band(BOX, 7.0, 2.0)
    start = torch.tensor([1.0, -1.0, 0.0])
    observed = observe(box, torch.ones(N, N, N // 2 + 1), start, WEIGHTS, band)
    _, shift = correlate(prepare_reference(density), observed, matrix, band)
    assert (shift[0] + start).tolist() == pytest.approx([1.4, -1.1, 0.5], abs=0.06)


def test_a_paraboloid_finds_peaks_between_voxels():
    band = Band(BOX, 7.0, 2.0)
    z, y, x = torch.meshgrid(*[torch.arange(-3.0, 4)] * 3, indexing="ij")
    peak = torch.tensor([0.3, -1.2, 0.8])
    x, y, z = x - peak[0], y - peak[1], z - peak[2]
    maps = 5 - x**2 - 2 * y**2 - 0.5 * z**2 + 0.6 * x * y - 0.4 * y * z
    height, shift = best_shift(maps[None], band)
    assert shift[0].tolist() == pytest.approx(peak.tolist(), abs=1e-5)
    assert height[0] == pytest.approx(5, abs=1e-5)


def test_kernels_agree():
    density = asymmetric_density(N)
    wedge = missing_wedge((N, N, N), [-60, 60])
    box, _ = particle(density, seed=5, shift=(0.5, 0.5, -0.5), wedge=wedge)
    band = Band(BOX, 8.0, 3.0)
    observed = observe(box, wedge, torch.zeros(3), WEIGHTS, band)
    matrices = torch.from_numpy(
        matrices_from_quaternions(random_quaternions(12, np.random.default_rng(6)))
    )
    reference = prepare_reference(density)
    compiled = correlate(reference, observed, matrices, band, kernel="numba")
    plain = correlate(reference, observed, matrices, band, kernel="torch")
    assert torch.allclose(compiled[0], plain[0], atol=1e-5)
    assert torch.allclose(compiled[1], plain[1], atol=1e-3)


def test_noise_weights_do_not_change_a_perfect_match_but_the_sign_does():
    density = asymmetric_density(N)
    box, matrix = particle(density, seed=7)
    band, reference = Band(BOX, 7.0, 2.0), prepare_reference(density)
    whole = torch.ones(N, N, N // 2 + 1)
    for weights in (WEIGHTS, torch.linspace(1, 20, N // 2 + 1)):
        observed = observe(box, whole, torch.zeros(3), weights, band)
        assert correlate(reference, observed, matrix, band)[0] > 0.99
    observed = observe(-box, whole, torch.zeros(3), WEIGHTS, Band(BOX, 7.0, 0.0))
    assert correlate(reference, observed, matrix, Band(BOX, 7.0, 0.0))[0] < -0.99


def test_a_shifted_box_and_a_shifted_start_are_the_same():
    density = asymmetric_density(N)
    box, matrix = particle(density, seed=8)
    moved = fourier_shift(box, torch.tensor([1.0, 0.0, -2.0]))
    band, whole = Band(BOX, 7.0, 2.0), torch.ones(N, N, N // 2 + 1)
    start = torch.tensor([1.0, 0.0, -2.0])
    first = correlate(
        prepare_reference(density), observe(box, whole, torch.zeros(3), WEIGHTS, band), matrix, band
    )
    second = correlate(
        prepare_reference(density), observe(moved, whole, start, WEIGHTS, band), matrix, band
    )
    assert torch.allclose(first[0], second[0], atol=0.01)
    assert torch.allclose(first[1], second[1], atol=0.05)


def test_shifts_count_less_towards_the_largest():
    band = Band(BOX, 7.0, 4.0, 2.0)
    lengths = torch.tensor([0.0, 2.0, 3.0, 4.0])
    expected = [1, 1, 0.5 * (1 + math.cos(math.pi / 4)), 0.5]
    assert band.weight_of_shift(lengths).tolist() == pytest.approx(expected)
    maps = torch.zeros(1, 11, 11, 11)
    centre = 5
    maps[0, centre, centre, centre + 4] = 1.0  # at the largest shift
    maps[0, centre, centre, centre - 1] = 0.6
    height, shift = best_shift(maps, band)
    assert shift[0, 0] == pytest.approx(-1, abs=0.2)
    assert height[0] == pytest.approx(0.6, abs=0.05)
    _, hard = best_shift(maps, Band(BOX, 7.0, 4.0))
    assert hard[0, 0] == pytest.approx(4, abs=0.2)
