import numpy as np
import pytest
import torch

from subtomo.model import Volume
from subtomo.signal.boxes import boxes_inside, boxes_touching, cut_boxes

PIXEL = 4.0


def gaussian_volume(points, width, shape=(40, 44, 48), origin=(0.0, 0.0, 0.0)):
    """Gaussians (Å) at points in Å, sampled at the voxels of a tomogram."""
    z, y, x = np.meshgrid(*[np.arange(n) * PIXEL for n in shape], indexing="ij")
    data = np.zeros(shape, dtype=np.float32)
    for point in points:
        px, py, pz = np.array(point) - origin
        squared = (x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2
        data += np.exp(-squared / (2 * width**2)).astype(np.float32)
    return Volume(data, PIXEL, origin)


def expected_box(n, pixel, width):
    axis = (torch.arange(n) - n // 2) * pixel
    squared = axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2
    return torch.exp(-squared / (2 * width**2))


@pytest.mark.parametrize("box_size", [15, 16])
def test_positions_come_exactly_to_the_centre(box_size):
    points = np.array([[90.3, 81.9, 77.7], [97.99, 88.0, 70.01]])
    for point in points:
        volume = gaussian_volume([point], 7.0)
        box = cut_boxes(volume, point[None], box_size)[0]
        assert (box - expected_box(box_size, PIXEL, 7.0)).abs().max() < 2e-3


def test_the_origin_of_a_binned_tomogram_counts():
    origin = (2.0, 2.0, 2.0)  # as block means of two give
    point = np.array([91.7, 85.0, 80.2])
    box = cut_boxes(gaussian_volume([point], 7.0, origin=origin), point[None], 16)[0]
    assert (box - expected_box(16, PIXEL, 7.0)).abs().max() < 2e-3


@pytest.mark.parametrize("box_size", [9, 10])
def test_binned_boxes_keep_the_centre(box_size):
    point = np.array([90.3, 81.9, 77.7])
    box = cut_boxes(gaussian_volume([point], 12.0), point[None], box_size, binning=2)[0]
    assert box.shape == (box_size,) * 3
    assert (box - expected_box(box_size, 2 * PIXEL, 12.0)).abs().max() < 3e-3


def test_whole_voxels_are_copied():
    data = np.random.default_rng(0).standard_normal((20, 22, 24)).astype(np.float32)
    volume = Volume(data, PIXEL)
    box = cut_boxes(volume, np.array([[11, 10, 9]]) * PIXEL, 8)[0]
    assert np.allclose(box.numpy(), data[5:13, 6:14, 7:15], atol=1e-5)


def test_part_of_a_voxel_moves_noise_up_to_four_fifths_of_nyquist():
    # the truth is moved by the Fourier transform of the whole volume
    n, fraction = 64, np.array([0.37, -0.21, 0.48])
    frequencies = [np.fft.fftfreq(n), np.fft.fftfreq(n), np.fft.rfftfreq(n)]
    z, y, x = np.meshgrid(*frequencies, indexing="ij")
    transform = np.fft.rfftn(np.random.default_rng(5).standard_normal((n,) * 3))
    transform[x**2 + y**2 + z**2 > 0.4**2] = 0
    volume = Volume(np.fft.irfftn(transform, s=(n,) * 3, axes=(0, 1, 2)).astype(np.float32), PIXEL)
    phase = np.exp(2j * np.pi * (x * fraction[0] + y * fraction[1] + z * fraction[2]))
    truth = np.fft.irfftn(transform * phase, s=(n,) * 3, axes=(0, 1, 2))[24:40, 23:39, 25:41]
    box = cut_boxes(volume, (np.array([[33.0, 31, 32]]) + fraction) * PIXEL, 16)[0].numpy()
    inner = (slice(2, -2),) * 3
    error = np.sqrt(((box - truth)[inner] ** 2).mean() / (truth[inner] ** 2).mean())
    assert error < 0.002  # 0.02 was asked for
    copied = cut_boxes(volume, np.array([[33.0, 31, 32]]) * PIXEL, 16)[0].numpy()
    assert np.array_equal(copied, volume.data[24:40, 23:39, 25:41])


def test_boxes_do_not_depend_on_the_slabs_they_are_read_in(monkeypatch):
    volume = gaussian_volume([[80.0, 90.0, 70.0]], 9.0)
    point = np.array([[81.3, 88.9, 71.7]])
    for binning in (1, 2):
        whole = cut_boxes(volume, point, 10, binning=binning)
        with monkeypatch.context() as patch:
            patch.setattr("subtomo.signal.boxes._SLAB_BYTES", 40000)
            assert torch.allclose(cut_boxes(volume, point, 10, binning=binning), whole, atol=1e-6)


@pytest.mark.parametrize("x", [0.0, 0.3])
def test_outside_is_the_mean_of_what_is_inside(x):
    data = np.full((20, 20, 20), 5.0, dtype=np.float32)
    data[:10] = 7.0
    box = cut_boxes(Volume(data, PIXEL), np.array([[x, 10, 10]]) * PIXEL, 8)[0]
    if x == 0:
        assert torch.equal(box[:, :, 4:], torch.tensor(data[6:14, 6:14, :4]))
    # the edges go on beyond the volume for the resampling only: nothing rings along x
    assert torch.allclose(box[:, :, 4:], box[:, :, 4:5], atol=1e-5)
    assert torch.allclose(box[:, :, :4], torch.tensor(6.0), atol=1e-5)


def test_far_beyond_the_volume_the_mean_goes_on():
    data = np.random.default_rng(0).standard_normal((20, 20, 20)).astype(np.float32)
    box = cut_boxes(Volume(data, PIXEL), np.array([[-6.7, 10.2, 25.9]]) * PIXEL, 16)[0]
    inside = box[:2, :, 15:]
    assert torch.isfinite(box).all()
    assert torch.allclose(box[4:], inside.mean(), atol=1e-5)


def test_which_boxes_lie_inside():
    volume = Volume(np.zeros((20, 20, 30), dtype=np.float32), PIXEL)
    positions = (
        np.array([[4, 10, 10], [3, 10, 10], [26, 10, 10], [27, 10, 10], [-9, 10, 10]]) * PIXEL
    )
    assert boxes_inside(volume, positions, 8).tolist() == [True, False, True, False, False]
    assert boxes_touching(volume, positions, 8).tolist() == [True, True, True, True, False]
    assert boxes_inside(volume, positions, 4, binning=2).tolist() == [
        True,
        False,
        True,
        False,
        False,
    ]
