import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation

from subtomo.errors import ShapeError
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes


def blobs(n, points, width=1.5):
    grid = torch.stack(torch.meshgrid(*[torch.arange(n) - n // 2] * 3, indexing="ij")[::-1], -1)
    squared = ((grid[None] - torch.tensor(np.array(points))[:, None, None, None]) ** 2).sum(-1)
    return torch.exp(-squared / (2 * width**2)).sum(0).float()


def test_agrees_with_scipy_affine_transform():
    rng = np.random.default_rng(0)
    volume = rng.standard_normal((12, 14, 16)).astype(np.float32)
    volume *= soft_sphere((12, 14, 16), 3, 2).numpy()  # edges differ: zeros against half voxels
    matrices = Rotation.random(3, random_state=1).as_matrix()
    shifts = rng.uniform(-1, 1, (3, 3))
    ours = rotate_volumes(
        torch.from_numpy(volume), torch.from_numpy(matrices), torch.from_numpy(shifts)
    )
    centre = np.array([6, 7, 8])
    for one, matrix, shift in zip(ours, matrices, shifts, strict=True):
        inverse = matrix[::-1, ::-1].T
        offset = centre - inverse @ (centre + shift[::-1])
        expected = ndimage.affine_transform(volume, inverse, offset, order=1)
        assert np.allclose(one.numpy(), expected, atol=1e-5)


def test_a_point_moves_to_its_rotated_place():
    point = np.array([6.0, 2.0, -3.0])
    matrices = Rotation.random(4, random_state=2).as_matrix()
    shifts = np.random.default_rng(3).uniform(-2, 2, (4, 3))
    rotated = rotate_volumes(
        blobs(32, [point]), torch.from_numpy(matrices), torch.from_numpy(shifts), oversampling=2
    )
    for one, matrix, shift in zip(rotated, matrices, shifts, strict=True):
        centre = np.array(ndimage.center_of_mass(one.numpy()))[::-1] - 16
        assert centre == pytest.approx(matrix @ point + shift, abs=0.02)


def test_each_volume_by_its_own_rotation():
    volumes = torch.stack([blobs(16, [[3.0, 0, 0]]), blobs(16, [[0.0, 2, 3]])])
    matrices = torch.from_numpy(Rotation.random(2, random_state=4).as_matrix())
    both = rotate_volumes(volumes, matrices)
    assert torch.allclose(both[0], rotate_volumes(volumes[0], matrices[:1])[0])
    assert torch.allclose(both[1], rotate_volumes(volumes[1], matrices[1:])[0])


def test_oversampling_brings_a_rotation_and_its_inverse_closer_to_the_identity():
    volume = blobs(24, [[4.0, 1, -2], [-3, -4, 2]], width=1.2)
    matrix = torch.from_numpy(Rotation.from_euler("zyz", [20, 40, 70], degrees=True).as_matrix())
    errors = []
    for oversampling in (1, 2, 3):
        there = rotate_volumes(volume, matrix[None], oversampling=oversampling)
        back = rotate_volumes(there, matrix.mT[None], oversampling=oversampling)[0]
        errors.append(float((back - volume).abs().max() / volume.max()))
    assert errors[0] > 3 * errors[1] > 5 * errors[2]
    assert errors[2] < 0.05


def test_quarter_turn_is_exact():
    volume = torch.rand(7, 7, 7)
    quarter = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])  # x to y
    assert torch.allclose(rotate_volumes(volume, quarter)[0], volume.rot90(1, (2, 1)), atol=1e-5)


def test_numbers_of_volumes_and_matrices_must_agree():
    with pytest.raises(ShapeError, match="2 volumes and 3 rotation matrices"):
        rotate_volumes(torch.zeros(2, 4, 4, 4), torch.eye(3).expand(3, 3, 3))
