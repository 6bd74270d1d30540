import numpy as np
import pytest

from subtomo.averaging.reconstruction.groups import LEAST_IN_GROUP, MOST_GROUPS, cut_groups


def cut(counts, *, n_optics=1, sum_bytes=1e6, seed=0):
    """Groups of a table whose rows are in any order, with the number of rows by tomogram."""
    rng = np.random.default_rng(seed)
    n = sum(counts)
    parts = np.split(rng.permutation(n), np.cumsum(counts)[:-1])
    rows = {f"TS_{i}": part for i, part in enumerate(parts)}
    optics, half = rng.integers(0, n_optics, n), rng.integers(1, 3, n)
    return rows, optics, half, cut_groups(rows, optics, half, sum_bytes=sum_bytes)


@pytest.mark.parametrize("counts", [[5], [30, 0, 70], [150, 20, 60, 120], [4000, 300, 900]])
def test_every_particle_is_in_one_group(counts):
    rows, *_, groups = cut(counts)
    found = np.concatenate([portion.rows for group in groups for portion in group])
    assert sorted(found) == list(range(sum(counts)))
    for group in groups:
        for portion in group:
            assert set(portion.rows) <= set(rows[portion.tomogram])


@pytest.mark.parametrize(
    ("counts", "n_groups"),
    [([99], 1), ([150, 49], 1), ([200], 2), ([999, 1], 10), ([10_000], MOST_GROUPS)],
)
def test_groups_are_of_equal_size_and_not_small(counts, n_groups):
    *_, groups = cut(counts)
    sizes = [sum(len(portion.rows) for portion in group) for group in groups]
    assert len(sizes) == n_groups
    assert max(sizes) - min(sizes) <= 1
    assert n_groups == 1 or min(sizes) >= LEAST_IN_GROUP


def test_tomograms_stay_in_their_order():
    *_, groups = cut([150, 120, 130])
    names = [portion.tomogram for group in groups for portion in group]
    assert names == sorted(names)


def test_a_portion_is_of_one_optics_group():
    _, optics, _, groups = cut([3000, 200], n_optics=3)
    for portion in (portion for group in groups for portion in group):
        assert set(optics[portion.rows]) == {portion.optics_row}
        assert len(portion.rows) <= 500


def test_neighbours_are_taken_together_and_then_halves():
    rng = np.random.default_rng(0)
    place, half = rng.integers(0, 5, 60), rng.integers(1, 3, 60)
    rows = {"A": rng.permutation(60)}
    ((portion,),) = cut_groups(rows, np.zeros(60, int), half, sum_bytes=1e6, place=place)
    keys = list(zip(place[portion.rows], half[portion.rows], strict=True))
    assert keys == sorted(keys)


def test_large_boxes_make_fewer_groups():
    *_, groups = cut([5000], sum_bytes=3e9)
    assert len(groups) == 2
    *_, groups = cut([5000], sum_bytes=9e9)
    assert len(groups) == 1
