"""Where the halves of a reconstruction come from."""

from types import SimpleNamespace

import numpy as np
import pytest

from subtomo.averaging.reconstruction.halves import choose_halves
from subtomo.errors import DataError, StarError
from subtomo.formats.star import StarTable

TABLE = np.array([1, 1, 2, 1, 2, 2, 2])
NAMES = np.array(["TS_01"] * 4 + ["TS_02"] * 3)


class Project(SimpleNamespace):
    def __len__(self):
        return len(self.tomogram)


def halves(split, in_table=TABLE, seed=0):
    columns = {"rlnTomoName": NAMES, "rlnRandomSubset": in_table}
    project = Project(particles=StarTable(columns, source="particles.star"), tomogram=NAMES)
    return choose_halves(project, in_table, SimpleNamespace(split=split, seed=seed))


def test_halves_of_the_table_stay_as_they_are():
    np.testing.assert_array_equal(halves("table"), TABLE)


def test_rows_alternate_whatever_the_table_says():
    np.testing.assert_array_equal(halves("rows"), [1, 2, 1, 2, 1, 2, 1])


def test_drawn_halves_are_balanced_and_depend_on_the_seed():
    drawn = [halves("random", seed=seed) for seed in range(8)]
    for half in drawn:
        assert abs((half == 1).sum() - (half == 2).sum()) <= 1
    assert len({tuple(half) for half in drawn}) > 1
    np.testing.assert_array_equal(drawn[3], halves("random", seed=3))


def test_one_empty_half_is_refused():
    with pytest.raises(DataError, match="0 and 7 particles"):
        halves("table", np.full(7, 2))


def test_a_particle_without_half_is_named():
    with pytest.raises(StarError, match="row 3: rlnRandomSubset is 0"):
        halves("table", np.array([1, 2, 0, 1, 2, 1, 2]))
