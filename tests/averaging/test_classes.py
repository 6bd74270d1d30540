import numpy as np
import pytest

from subtomo.averaging.classes import class_probabilities, random_classes


def test_probabilities_by_hand():
    # odds of e to 1, and of 1 to 1
    found = class_probabilities(np.array([[5.0, 4.0], [-2.0, -2.0]]), 1.0)
    assert found == pytest.approx(np.array([[0.731, 0.269], [0.5, 0.5]]), abs=1e-3)


def test_a_higher_temperature_is_softer_and_little_counts_as_nothing():
    likelihood = np.array([[10.0, 4.0, -np.inf]])
    assert class_probabilities(likelihood, 1.0).tolist() == [[1.0, 0.0, 0.0]]
    # e^-1.5 = 0.223 of the other
    assert class_probabilities(likelihood, 4.0)[0] == pytest.approx([0.818, 0.182, 0], abs=1e-3)


def test_random_classes_are_of_equal_size():
    dealt = random_classes(31, 3, 0)
    assert sorted(dealt.sum(axis=0).tolist()) == [10, 10, 11]
    assert np.array_equal(dealt.sum(axis=1), np.ones(31))
    assert not np.array_equal(dealt, random_classes(31, 3, 1))
