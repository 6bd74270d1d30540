import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.signal.fourier_sums import FourierSums


def test_sums_are_added_lane_by_lane():
    a, b = FourierSums.empty(4), FourierSums.empty(4)
    a.values[1, 2, 0] = torch.tensor([1.0, 2.0, 3.0])
    b.values[1, 2, 0] = torch.tensor([10.0, 20.0, 30.0])
    total = a + b
    a.add(b)
    for sums in (a, total):
        assert sums.data[1, 2, 0] == 11 + 22j
        assert sums.weight[1, 2, 0] == 33
    assert b.weight.sum() == 30


@pytest.mark.parametrize("shape", [(4, 4, 3, 2), (5, 5, 3, 3), (4, 4, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match="expected"):
        FourierSums(torch.zeros(shape, dtype=torch.float64))


def test_single_precision_is_refused():
    with pytest.raises(ShapeError, match="float64"):
        FourierSums(torch.zeros(4, 4, 3, 3))
