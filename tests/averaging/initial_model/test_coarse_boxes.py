import pytest
import torch
from planted import blobs

from subtomo.averaging.box import Box
from subtomo.averaging.initial_model.coarse_boxes import (
    box_for_band,
    coarser_box,
    crop_transfers,
    crop_volumes,
)


@pytest.mark.parametrize(("n", "size"), [(24, 16), (25, 16), (24, 15), (25, 15), (24, 24)])
def test_the_centre_stays_at_the_middle_voxel(n, size):
    # a Gaussian on the point (3, 0, -3) Å from the middle, of boxes that differ in nothing else
    point = torch.tensor([[3.0, 0.0, -3.0]])
    fine = blobs(n, point * n / 24, width=2.5 * n / 24)
    coarse = crop_volumes(fine, size)
    expected = blobs(size, point * size / 24, width=2.5 * size / 24)
    assert torch.allclose(coarse, expected, atol=0.02)


def test_transfers_keep_their_low_frequencies():
    n, size = 24, 16
    box = Box(n, 10.0)
    radius = torch.linalg.vector_norm(box.frequencies, dim=-1)
    cropped = crop_transfers(radius[None], size)[0]
    small = torch.linalg.vector_norm(Box(size, 15.0).frequencies, dim=-1)
    assert cropped.shape == (size, size, size // 2 + 1)
    assert torch.allclose(cropped, small)


def test_the_extent_stays():
    box = box_for_band(Box(64, 5.0), 6.4)
    assert box.size == 20
    assert box.size * box.pixel_size == pytest.approx(320.0)
    assert box_for_band(Box(16, 5.0), 7.0).size == 16
    assert coarser_box(Box(33, 2.0), 11).pixel_size == pytest.approx(6.0)
