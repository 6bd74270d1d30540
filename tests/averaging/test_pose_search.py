import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density
from scipy.spatial.transform import Rotation

from subtomo.averaging.angular_search import AngularSearch
from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, prepare_reference
from subtomo.averaging.pose_search import align_particles
from subtomo.geometry.rotations import (
    angular_distance,
    matrices_from_quaternions,
    multiply_quaternions,
    random_quaternions,
)
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

N, COUNT = 24, 8
BOX = Box(N, PIXEL)
WEDGE = missing_wedge((N, N, N), [-60, 60])


@pytest.fixture(scope="module")
def noisy():
    """Noisy particles with a wedge, their true poses, and poses that are off by 7° and a voxel."""
    rng = np.random.default_rng(0)
    density = asymmetric_density(N)
    orientation = random_quaternions(COUNT, rng)
    shift = rng.uniform(-0.7, 0.7, (COUNT, 3))
    boxes = rotate_volumes(
        density,
        torch.from_numpy(matrices_from_quaternions(orientation)),
        torch.from_numpy(shift),
        oversampling=3,
    )
    dims = (1, 2, 3)
    boxes = torch.fft.irfftn(torch.fft.rfftn(boxes, dim=dims) * WEDGE, s=(N,) * 3, dim=dims)
    boxes = boxes / boxes.std() + 1.5 * torch.from_numpy(rng.standard_normal(boxes.shape)).float()
    axes = rng.standard_normal((COUNT, 3))
    turns = Rotation.from_rotvec(7 * axes / np.linalg.norm(axes, axis=1)[:, None], degrees=True)
    start = multiply_quaternions(turns.as_quat(), orientation)
    return density, boxes, orientation, shift, start


def align(noisy, search, *, start=None, kernel=None):
    """Poses, and logarithms of the likelihood."""
    density, boxes, _, _, given = noisy
    (found,) = align_particles(
        boxes,
        WEDGE.expand(COUNT, -1, -1, -1),
        torch.zeros(COUNT, 3),
        (given if start is None else start)[:, None],
        [prepare_reference(density)],
        torch.ones(N // 2 + 1),
        Band(BOX, 7.0, 3.0),
        search,
        kernel=kernel,
    )
    return found.poses, found.log_likelihood


LOCAL = AngularSearch("local", 5.0, 10.0)


def test_poses_come_closer_to_the_truth(noisy):
    _, _, orientation, shift, start = noisy
    found, _ = align(noisy, LOCAL)
    assert np.median(angular_distance(start, orientation)) == pytest.approx(7, abs=0.01)
    # the finer grid has a step of 2.5°
    assert np.median(angular_distance(found.orientation, orientation)) < 4
    assert np.median(np.linalg.norm(found.shift_px - shift, axis=1)) < 0.25
    assert found.score.min() > 0.3
    finer, _ = align(noisy, AngularSearch("local", 1.5, 3.0), start=found.orientation)
    assert np.all(finer.score >= found.score - 1e-6)
    assert np.median(angular_distance(finer.orientation, orientation)) < 2.5


@pytest.mark.slow
def test_any_starting_knowledge_leads_to_the_truth(noisy):
    _, _, orientation, _, start = noisy
    nothing = np.tile([0.0, 0, 0, 1], (COUNT, 1))
    found, _ = align(noisy, AngularSearch("global", 20.0, n_refined=3), start=nothing)
    assert np.median(angular_distance(found.orientation, orientation)) < 5
    # the z axis is known to some 7°, the turn about it is not
    about_z = Rotation.from_rotvec([0, 0, 150], degrees=True).as_quat()
    turned = multiply_quaternions(start, about_z)
    found, _ = align(noisy, AngularSearch("cone", 20.0, 15.0, n_refined=3), start=turned)
    assert np.median(angular_distance(found.orientation, orientation)) < 5


def test_without_a_search_orientations_stay(noisy):
    found, _ = align(noisy, AngularSearch("none"))
    assert np.array_equal(found.orientation, noisy[4])


def test_a_range_below_the_step_leaves_the_coarse_pose(noisy):
    found, _ = align(noisy, AngularSearch("local", 0.2, 0.2))
    assert angular_distance(found.orientation, noisy[4]).max() < 0.45


def test_kernels_find_the_same_poses(noisy):
    (compiled, _), (plain, _) = (align(noisy, LOCAL, kernel=one) for one in ("numba", "torch"))
    assert np.allclose(compiled.orientation, plain.orientation)
    assert np.allclose(compiled.shift_px, plain.shift_px, atol=1e-3)


def test_the_likelihood_is_that_of_white_noise(noisy):
    # ln L = |X|² c² / 2 in the components of the band, of which the ball leaves a part independent
    found, likelihood = align(noisy, AngularSearch("none"))
    masked = noisy[1] * BOX.sphere
    power = torch.fft.fftn(masked, dim=(1, 2, 3)).abs() ** 2
    k = torch.fft.fftfreq(N, 1 / N)
    squared = k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2
    inside = (squared > 0) & (squared <= 49)
    half = torch.fft.irfftn(WEDGE, s=(N, N, N))
    measured = torch.fft.fftn(half).real > 0.02
    total = (power * (inside & measured)).sum(dim=(1, 2, 3)).double().numpy()
    expected = 0.5 * float((BOX.sphere**2).mean()) * total * found.score.clip(0) ** 2
    assert likelihood == pytest.approx(expected, rel=0.01)


def test_the_wedge_does_not_bias_poses(noisy):
    # noiseless particles: what is left is the grid's spacing
    density, _, orientation, shift, start = noisy
    matrices = torch.from_numpy(matrices_from_quaternions(orientation))
    boxes = rotate_volumes(density, matrices, torch.from_numpy(shift), oversampling=3)
    dims = (1, 2, 3)
    boxes = torch.fft.irfftn(torch.fft.rfftn(boxes, dim=dims) * WEDGE, s=(N,) * 3, dim=dims)
    clean = (density, boxes, orientation, shift, start)
    found, _ = align(clean, LOCAL)
    found, _ = align(clean, AngularSearch("local", 1.0, 2.0), start=found.orientation)
    assert np.median(angular_distance(found.orientation, orientation)) < 1
    assert np.linalg.norm(found.shift_px - shift, axis=1).max() < 0.05
    assert found.score.min() > 0.99
