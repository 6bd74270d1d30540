"""Volumes that cannot be computed with are named before any work starts."""

import numpy as np
import pytest

from subtomo.errors import DataError
from subtomo.formats.finite import require_variation
from subtomo.model import Volume


@pytest.mark.parametrize(("value", "dtype"), [(0, np.float32), (-3, np.int16)])
def test_a_volume_of_one_value_is_refused(value, dtype):
    flat = Volume(np.full((4, 5, 6), value, dtype), 10.0)
    with pytest.raises(DataError, match=rf"flat\.mrc: every voxel is {value}; expected"):
        require_variation(flat, "flat.mrc")


def test_one_other_voxel_is_enough():
    data = np.zeros((4, 5, 6), np.float32)
    data[3, 4, 5] = 1e-30
    require_variation(Volume(data, 10.0), "dot.mrc")
