import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density

from subtomo.averaging.box import Box
from subtomo.averaging.sums import average_of, measured_power, particle_sums, symmetrised
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.signal.fsc import fourier_shell_correlation
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

N = 24
BOX = Box(N, PIXEL)


def turned(density, count, seed, shift=1.0):
    rng = np.random.default_rng(seed)
    matrices = torch.from_numpy(matrices_from_quaternions(random_quaternions(count, rng)))
    shifts = torch.from_numpy(rng.uniform(-shift, shift, (count, 3)))
    return rotate_volumes(density, matrices, shifts, oversampling=3), matrices, shifts


def in_wedge(boxes, wedge):
    return torch.fft.irfftn(
        torch.fft.rfftn(boxes, dim=(1, 2, 3)) * wedge, s=(N,) * 3, dim=(1, 2, 3)
    )


def whole(count):
    return torch.ones(count, N, N, N // 2 + 1)


def test_one_particle_comes_back_in_the_frame_of_the_reference():
    density = asymmetric_density(N)
    sums = particle_sums(*[t[:1] for t in _with_transfer(turned(density, 1, 0))], BOX)
    average = average_of(sums, BOX, 1e-6)
    assert (average - density).abs().max() < 0.06 * density.max()
    assert sums.count == 1


def _with_transfer(particle):
    boxes, matrices, shifts = particle
    return boxes, whole(len(boxes)), matrices, shifts


@pytest.mark.slow
def test_particles_with_wedges_fill_all_directions():
    density = asymmetric_density(N)
    wedge = missing_wedge((N, N, N), [-50, 50])
    boxes, matrices, shifts = turned(density, 30, 1)
    sums = particle_sums(
        in_wedge(boxes, wedge), wedge.expand(30, -1, -1, -1), matrices, shifts, BOX
    )
    correlation = fourier_shell_correlation(average_of(sums, BOX, 0.01), density)
    assert correlation[1:9].min() > 0.99
    # the mean weight is the measured part of the sphere
    inside = BOX.shells < N // 2
    assert float(sums.weight[inside].mean()) / 30 == pytest.approx(
        float(wedge[inside].mean()), rel=0.03
    )


@pytest.mark.slow
def test_unmeasured_components_do_not_dilute():
    # a plain mean of the boxes loses amplitude in the wedge; the weighted one does not
    density = asymmetric_density(N)
    wedge = missing_wedge((N, N, N), [-45, 45])
    boxes, matrices, shifts = turned(density, 20, 2)
    boxes = in_wedge(boxes, wedge)
    weighted = average_of(
        particle_sums(boxes, wedge.expand(20, -1, -1, -1), matrices, shifts, BOX), BOX, 1e-3
    )
    plain = average_of(particle_sums(boxes, whole(20), matrices, shifts, BOX), BOX, 1e-3)
    true, ours, theirs = (
        BOX.shell_mean(torch.fft.rfftn(x).abs())[2:7] for x in (density, weighted, plain)
    )
    assert (ours / true).min() > 0.93
    assert (theirs / true).max() < 0.75


def test_signed_transfers_give_back_the_sign():
    density = asymmetric_density(N)
    boxes, matrices, shifts = turned(density, 20, 3)
    flipped = torch.cos(2 * torch.pi * BOX.frequencies.norm(dim=-1) / 16)  # 0 at 4, -1 at 8
    sums = particle_sums(
        in_wedge(boxes, flipped), flipped.expand(20, -1, -1, -1), matrices, shifts, BOX
    )
    correlation = fourier_shell_correlation(average_of(sums, BOX, 1e-3), density)
    assert correlation[6:10].min() > 0.98


def test_kernels_give_the_same_sums():
    boxes, matrices, shifts = turned(asymmetric_density(N), 3, 4)
    wedge = missing_wedge((N, N, N), [-50, 50]).expand(3, -1, -1, -1)
    compiled, plain = (
        particle_sums(boxes, wedge, matrices, shifts, BOX, kernel=kernel)
        for kernel in ("numba", "torch")
    )
    assert torch.allclose(compiled.data, plain.data, atol=1e-4 * float(plain.data.abs().max()))
    assert torch.allclose(compiled.weight, plain.weight, atol=1e-5)


@pytest.mark.parametrize("symmetry", ["C3", "D2", "T"])
@pytest.mark.slow
def test_symmetrised_sums_give_a_symmetric_average(symmetry):
    density = asymmetric_density(N)
    matrices = torch.from_numpy(matrices_from_quaternions(symmetry_quaternions(symmetry)))
    sums = particle_sums(*_with_transfer(turned(density, 2, 5)), BOX)
    average = average_of(symmetrised(sums, BOX, matrices), BOX, 1e-3)
    expected = rotate_volumes(density, matrices, oversampling=3).mean(0)
    assert fourier_shell_correlation(average, expected)[1:8].min() > 0.98
    for copy in rotate_volumes(average, matrices, oversampling=3):
        assert (copy - average).abs().max() < 0.08 * average.max()


def test_regularisation_damps_what_few_particles_measured():
    wedge = missing_wedge((N, N, N), [-40, 40])
    noise = torch.randn(1, N, N, N, generator=torch.Generator().manual_seed(0))
    sums = particle_sums(noise, wedge[None], torch.eye(3)[None], torch.zeros(1, 3), BOX)
    little, much = (average_of(sums, BOX, tau).std() for tau in (0.01, 1.0))
    assert much < 0.7 * little
    assert torch.isfinite(average_of(sums, BOX, 1e-9)).all()


def test_measured_power_of_white_noise_is_flat_whatever_the_wedge():
    generator = torch.Generator().manual_seed(0)
    wedge = missing_wedge((N, N, N), [-40, 40], soft_edge_px=0)
    power = torch.zeros(N // 2 + 1, dtype=torch.float64)
    for _ in range(10):
        power += measured_power(torch.randn(N, N, N, generator=generator), wedge, BOX) / 10
    expected = float((BOX.sphere**2).sum())
    assert power[3:12].numpy() == pytest.approx(expected, rel=0.2)  # few components a shell
    assert float(power[3:12].mean()) == pytest.approx(expected, rel=0.06)


def test_box_shells():
    values = torch.rand(N, N, N // 2 + 1)
    means = BOX.shell_mean(BOX.by_shell(torch.arange(N // 2 + 1.0)))
    assert torch.allclose(means, torch.arange(N // 2 + 1.0).double())
    assert BOX.by_shell(torch.ones(N // 2 + 1))[BOX.shells > N // 2].sum() == 0
    assert BOX.shell_mean(values)[0] == pytest.approx(float(values[0, 0, 0]))
    assert BOX.shell_of(40.0) == pytest.approx(N * PIXEL / 40)


def test_the_ball_fills_the_box_and_leaves_out_the_corners():
    line = BOX.sphere[12, 12]
    assert line[2:23].min() == 1
    assert 0 < line[0] < 1
    assert BOX.sphere[2, 2, 2] == 0


def test_weights_are_what_each_particle_counts():
    rng = torch.Generator().manual_seed(0)
    boxes = torch.randn(2, 16, 16, 16, generator=rng)
    box, ones = Box(16, 10.0), torch.ones(2, 16, 16, 9)
    turns, shifts = torch.eye(3).expand(2, 3, 3), torch.zeros(2, 3)
    first, second = (
        particle_sums(boxes[i : i + 1], ones[:1], turns[:1], shifts[:1], box) for i in (0, 1)
    )
    both = particle_sums(boxes, ones, turns, shifts, box, weights=torch.tensor([0.25, 1.0]))
    assert both.count == 1.25
    assert torch.allclose(both.data, 0.25 * first.data + second.data)
    assert torch.allclose(both.weight, 0.25 * first.weight + second.weight)
    assert torch.allclose(both.power, 0.25 * first.power + second.power)
    assert particle_sums(boxes, ones, turns, shifts, box, weights=torch.zeros(2)).count == 0
