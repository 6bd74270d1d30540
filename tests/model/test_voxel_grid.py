import numpy as np
import pytest

from subtomo.errors import DataError
from subtomo.model import Volume, VoxelGrid


def test_a_binned_grid_keeps_the_half_voxel() -> None:
    """Voxel 0 of a volume binned by 2 is the mean of voxels 0 and 1: half a voxel on."""
    grid = VoxelGrid(10.0, (4, 4, 4), (2.5, 2.5, 2.5))
    np.testing.assert_array_equal(grid.positions([[0, 1, 2]]), [[2.5, 12.5, 22.5]])
    np.testing.assert_array_equal(grid.indices([[2.5, 12.5, 22.5]]), [[0, 1, 2]])


def test_a_volume_tells_its_grid() -> None:
    assert Volume(np.zeros((2, 3, 4)), 5.0, (1, 2, 3)).grid == VoxelGrid(5.0, (4, 3, 2), (1, 2, 3))


@pytest.mark.parametrize("values", [(0.0, None), (float("nan"), None), (1.0, (1, 0, 1))])
def test_a_grid_without_extent_is_refused(values) -> None:
    with pytest.raises(DataError, match="positive"):
        VoxelGrid(*values)
