import numpy as np
import pytest
from pick_files import on_line

from subtomo.picking.consensus.consensus import find_consensus
from subtomo.picking.consensus.overlap import count_combinations, pairwise_f1


def test_combinations_are_counted_most_frequent_first():
    voted = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 1]], dtype=bool)
    counts = count_combinations(voted)
    assert counts == {(0, 1): 2, (0,): 1, (1, 2): 1}
    assert list(counts) == [(0, 1), (0,), (1, 2)]
    assert count_combinations(np.empty((0, 3), dtype=bool)) == {}


def test_votes_by_picker_of_a_consensus():
    found = find_consensus({"b": on_line(0, 50), "a": on_line(1)}, radius=9, votes=1)
    assert found.names == ("a", "b")
    assert found.votes_by_picker.tolist() == [[True, True], [False, True]]


def test_pairwise_f1_worked_by_hand():
    sets = {"a": on_line(0, 100), "b": on_line(1, 101, 200), "c": on_line(201)}
    f1 = pairwise_f1(sets, radius=5)
    assert f1[0, 1] == pytest.approx(2 * 2 / 5)
    assert f1[1, 2] == pytest.approx(2 * 1 / 4)
    assert f1[0, 2] == 0
    np.testing.assert_array_equal(f1, f1.T)
    classes = {"a": on_line(0, class_name=np.array(["x"])), "b": on_line(1)}
    assert pairwise_f1(classes, radius=5, per_class=True)[0, 1] == 0
