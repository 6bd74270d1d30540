"""Adding up a group: killed, unreadable, and with nowhere to write."""

import pytest
import torch

from subtomo.averaging.reconstruction import group_sums
from subtomo.averaging.reconstruction.group_sums import GroupTask, PortionTask, add_group
from subtomo.averaging.reconstruction.partial_sums import PartialSums
from subtomo.errors import DataError, OutputError


class Adder:
    """Adds the payload to every value; does what a test wants at one payload."""

    def __init__(self, at=None, error=None):
        self.at, self.error = at, error
        self.seen = []

    def __call__(self, sums, payload):
        self.seen.append(payload)
        sums[1].values.add_(payload)
        if payload == self.at and self.error is not None:
            raise self.error
        sums[2].values.add_(0.1 * payload)
        return 10


@pytest.fixture
def task(tmp_path, monkeypatch):
    monkeypatch.setattr(group_sums, "_BACKUP_AFTER", 1)
    portions = [PortionTask(name, 5, number) for number, name in enumerate("AABCC", start=1)]
    return GroupTask(tmp_path / "sums.npz", (1, 2), 4, "cpu", portions)


def total(task):
    return {half: float(s.values[0, 0, 0, 0]) for half, s in read(task).halves.items()}


def read(task):
    return PartialSums.read(task.path)


def test_portions_are_added_and_counted(task):
    assert add_group(task, Adder()) == {"n_images": 50, "failures": {}}
    assert total(task) == {1: 15.0, 2: pytest.approx(1.5)}


def test_a_killed_group_goes_on_after_its_last_backup(task):
    with pytest.raises(KeyboardInterrupt):
        add_group(task, Adder(4, KeyboardInterrupt()))
    assert read(task).n_portions == 3
    adder = Adder()
    assert add_group(task, adder)["n_images"] == 50
    assert adder.seen == [4, 5]
    interrupted = read(task).halves
    task.path.unlink()
    add_group(task, Adder())
    for half, sums in read(task).halves.items():
        assert torch.equal(interrupted[half].values, sums.values)


def test_a_finished_group_is_not_added_again(task):
    add_group(task, Adder())
    adder = Adder()
    assert add_group(task, adder)["n_images"] == 50
    assert adder.seen == []


@pytest.mark.parametrize("keep", [0, 100, 400])
def test_damaged_sums_are_begun_again(task, keep):
    add_group(task, Adder())
    expected = total(task)
    task.path.write_bytes(task.path.read_bytes()[:keep])
    with pytest.raises(DataError, match="missing or damaged; start afresh with --overwrite"):
        read(task)
    adder = Adder()
    add_group(task, adder)
    assert len(adder.seen) == 5
    assert total(task) == expected


def test_without_backup_nothing_is_written_before_the_end(task):
    task = GroupTask(task.path, (1, 2), 4, "cpu", task.portions, backup=False)
    with pytest.raises(KeyboardInterrupt):
        add_group(task, Adder(4, KeyboardInterrupt()))
    assert not task.path.exists()
    add_group(task, Adder())
    assert total(task)[1] == 15


def test_backups_come_after_enough_particles(task, monkeypatch):
    monkeypatch.setattr(group_sums, "_BACKUP_AFTER", 15)
    with pytest.raises(KeyboardInterrupt):
        add_group(task, Adder(5, KeyboardInterrupt()))
    assert read(task).n_portions == 3


@pytest.mark.parametrize("backup", [True, False])
def test_nothing_of_an_unreadable_tomogram_is_in_the_sums(task, backup):
    task = GroupTask(task.path, (1, 2), 4, "cpu", task.portions, backup=backup)
    result = add_group(task, Adder(5, DataError("C is damaged")))
    assert result == {"n_images": 30, "failures": {"C": "C is damaged"}}
    assert total(task) == {1: 6.0, 2: pytest.approx(0.6)}


def test_a_tomogram_that_must_be_read_fails_the_item(task):
    task = GroupTask(task.path, (1, 2), 4, "cpu", task.portions, may_fail=False)
    with pytest.raises(DataError, match="damaged"):
        add_group(task, Adder(5, DataError("C is damaged")))


def test_faults_of_the_output_are_not_the_tomograms(task):
    with pytest.raises(OutputError):
        add_group(task, Adder(1, OutputError("cannot be written")))


def test_reasons_survive_a_kill(task):
    class Both(Adder):
        def __call__(self, sums, payload):
            if payload == 3:
                raise DataError("B is damaged")
            return super().__call__(sums, payload)

    with pytest.raises(KeyboardInterrupt):
        add_group(task, Both(5, KeyboardInterrupt()))
    assert add_group(task, Adder())["failures"] == {"B": "B is damaged"}
