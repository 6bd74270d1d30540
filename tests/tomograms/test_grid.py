import numpy as np
import pytest

from subtomo.errors import SettingsError
from subtomo.model import TomogramFrame
from subtomo.tomograms.grid import centred_grid


def test_the_centre_stays_whatever_the_sizes():
    frame = TomogramFrame((301, 319, 121), 4.0)
    for pixel_size in (4.0, 10.0, 13.7):
        grid = centred_grid(frame, pixel_size)
        # index - size / 2 is the same point in both
        middle = np.array(grid.shape[::-1]) / 2 * pixel_size + grid.origin
        np.testing.assert_allclose(middle, frame.centre)


def test_full_resolution_is_the_frame_itself():
    grid = centred_grid(TomogramFrame((301, 319, 121), 4.0), 4.0)
    assert grid.shape == (121, 319, 301)
    assert grid.origin == (0, 0, 0)


def test_thickness_is_cut_about_the_centre():
    frame = TomogramFrame((100, 100, 60), 5.0)
    whole, part = centred_grid(frame, 10.0), centred_grid(frame, 10.0, thickness=120.0)
    assert (whole.shape[0], part.shape[0]) == (30, 12)
    assert part.origin[2] == whole.origin[2] + 9 * 10.0
    assert part.origin[:2] == whole.origin[:2]


def test_voxels_to_positions():
    grid = centred_grid(TomogramFrame((8, 8, 8), 5.0), 10.0)
    assert (grid.voxel_to_position() @ [1, 2, 3, 1]).tolist() == [10, 20, 30, 1]


def test_no_voxel_left_is_refused():
    with pytest.raises(SettingsError, match="no voxel of 100 Å"):
        centred_grid(TomogramFrame((64, 64, 8), 5.0), 100.0)
