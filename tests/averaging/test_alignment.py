import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density
from scipy.spatial.transform import Rotation

from subtomo.averaging.alignment import Poses, align_particles
from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, prepare_reference
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
    start = Poses(
        multiply_quaternions(turns.as_quat(), orientation),
        np.zeros((COUNT, 3)),
        np.full(COUNT, np.nan),
    )
    return density, boxes, orientation, shift, start


def align(noisy, **options):
    density, boxes, _, _, start = noisy
    return align_particles(
        boxes,
        WEDGE.expand(COUNT, -1, -1, -1),
        torch.zeros(COUNT, 3),
        start,
        prepare_reference(density),
        torch.ones(N // 2 + 1),
        Band(BOX, 7.0, 3.0),
        **{"range_deg": 10.0, "step_deg": 5.0, **options},
    )


@pytest.mark.slow
def test_poses_come_closer_to_the_truth(noisy):
    _, _, orientation, shift, start = noisy
    found = align(noisy)
    before, after = (angular_distance(p.orientation, orientation) for p in (start, found))
    assert np.median(before) == pytest.approx(7, abs=0.01)
    assert np.median(after) < 4  # the finer grid has a step of 2.5°
    assert np.median(np.linalg.norm(found.shift_px - shift, axis=1)) < 0.25
    assert found.score.min() > 0.3
    finer = align_particles(
        noisy[1],
        WEDGE.expand(COUNT, -1, -1, -1),
        torch.zeros(COUNT, 3),
        found,
        prepare_reference(noisy[0]),
        torch.ones(N // 2 + 1),
        Band(BOX, 7.0, 3.0),
        range_deg=3.0,
        step_deg=1.5,
    )
    assert np.all(finer.score >= found.score - 1e-6)
    assert np.median(angular_distance(finer.orientation, orientation)) < 2.5


def test_a_range_below_the_step_leaves_the_coarse_pose(noisy):
    found = align(noisy, range_deg=0.2, step_deg=0.2)
    assert angular_distance(found.orientation, noisy[4].orientation).max() < 0.45


def test_kernels_find_the_same_poses(noisy):
    compiled, plain = (align(noisy, kernel=kernel) for kernel in ("numba", "torch"))
    assert np.allclose(compiled.orientation, plain.orientation)
    assert np.allclose(compiled.shift_px, plain.shift_px, atol=1e-3)


def test_the_wedge_does_not_bias_poses(noisy):
    # noiseless particles: what is left is the grid's spacing
    density, _, orientation, shift, start = noisy
    matrices = torch.from_numpy(matrices_from_quaternions(orientation))
    boxes = rotate_volumes(density, matrices, torch.from_numpy(shift), oversampling=3)
    dims = (1, 2, 3)
    boxes = torch.fft.irfftn(torch.fft.rfftn(boxes, dim=dims) * WEDGE, s=(N,) * 3, dim=dims)
    found = align((density, boxes, orientation, shift, start))
    found = align((density, boxes, orientation, shift, found), range_deg=2.0, step_deg=1.0)
    assert np.median(angular_distance(found.orientation, orientation)) < 1
    assert np.linalg.norm(found.shift_px - shift, axis=1).max() < 0.05
    assert found.score.min() > 0.99
