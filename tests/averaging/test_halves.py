import numpy as np
import pytest

from subtomo.averaging.halves import assign_halves
from subtomo.errors import DataError
from subtomo.model import Particles


def particles(names, half=None):
    half = None if half is None else np.array(half)
    return Particles(np.array(names), np.zeros((len(names), 3)), half=half)


def test_halves_of_the_table_are_kept():
    assert assign_halves(particles(["a"] * 4, [2, 2, 1, 2]), 0).tolist() == [2, 2, 1, 2]


def test_drawn_halves_are_balanced_in_each_tomogram_and_in_all():
    names = ["a"] * 7 + ["b"] * 5 + ["c"] * 9 + ["a"] * 2
    half = assign_halves(particles(names), 3)
    for name in "abc":
        mine = half[np.array(names) == name]
        assert abs(int((mine == 1).sum()) - int((mine == 2).sum())) <= 1
    assert abs(int((half == 1).sum()) - int((half == 2).sum())) <= 1
    assert np.array_equal(half, assign_halves(particles(names), 3))
    assert not np.array_equal(half, assign_halves(particles(names), 4))


@pytest.mark.parametrize(
    ("half", "message"), [([1, 0, 2], "1 of 3 particles have no half"), ([1, 1, 1], "3 and 0")]
)
def test_halves_that_cannot_be_used(half, message):
    with pytest.raises(DataError, match=message):
        assign_halves(particles(["a"] * 3, half), 0)
