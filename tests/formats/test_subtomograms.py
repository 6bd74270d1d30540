import numpy as np
import pytest

from subtomo.errors import MissingFileError
from subtomo.formats.box_stacks import BoxHeader, write_box_stack
from subtomo.formats.subtomograms import IMAGE, box_files, with_files_named_from
from subtomo.formats.volumes import read_volume
from subtomo.model import Particles


@pytest.fixture
def table(tmp_path):
    """Two boxes of a stack in a folder below that of their table."""
    header = BoxHeader("a", np.zeros(3), np.zeros(3), None, np.zeros(3))
    with write_box_stack(tmp_path / "job" / "boxes" / "a.hdf", "hdf", 2, 4, 10.0) as stack:
        for value in (1, 2):
            stack.write(np.full((4, 4, 4), value, np.float32), header)
    return tmp_path / "job" / "particles.star"


def particles(*names):
    n = len(names)
    return Particles(np.full(n, "a"), np.zeros((n, 3)), extra={IMAGE: np.array(names)})


def test_boxes_of_a_stack_are_found_by_their_numbers(table):
    files = box_files(particles("000002@boxes/a.hdf", "000001@boxes/a.hdf"), table)
    assert [read_volume(file).load()[0, 0, 0] for file in files] == [2, 1]


def test_names_of_boxes_in_stacks_move_with_their_table(table, tmp_path):
    moved = with_files_named_from(particles("000002@boxes/a.hdf"), table, tmp_path / "x" / "p.star")
    assert moved.extra[IMAGE].tolist() == ["000002@../job/boxes/a.hdf"]
    (tmp_path / "x").mkdir()
    (file,) = box_files(moved, tmp_path / "x" / "p.star")
    assert read_volume(file).load()[0, 0, 0] == 2


def test_a_stack_that_is_not_there(table):
    with pytest.raises(MissingFileError, match=r"particle 1: .*boxes/b\.hdf"):
        box_files(particles("000001@boxes/b.hdf"), table)
