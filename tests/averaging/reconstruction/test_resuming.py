"""Kills, what is taken up again, and what is computed again."""

import numpy as np
import pytest
from reconstructing import maps_of, read, reconstruct, state_of

from subtomo.averaging.reconstruction import group_sums, items
from subtomo.averaging.reconstruction.views import add_views


class Killer:
    """Stands for the back-projection of portions; is killed at one of them."""

    def __init__(self, at):
        self.at, self.calls = at, 0

    def __call__(self, *arguments, **options):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return add_views(*arguments, **options)


@pytest.mark.parametrize(("options", "n_left"), [([], 1), (["--no-backup"], 2)])
def test_a_killed_job_goes_on_and_ends_with_the_same_bytes(
    oracle, tmp_path, monkeypatch, options, n_left
):
    """One group of two tomograms, killed at the second."""
    monkeypatch.setattr(group_sums, "_BACKUP_AFTER", 1)
    assert reconstruct(tmp_path / "whole") == 0
    monkeypatch.setattr(items, "add_views", Killer(2))
    assert reconstruct(tmp_path / "part", *options) == 130
    assert state_of(tmp_path / "part") == "interrupted"
    assert any((tmp_path / "part/temp").glob("sums_1_*.npz")) == (not options)
    counter = Killer(None)
    monkeypatch.setattr(items, "add_views", counter)
    assert reconstruct(tmp_path / "part", "--only-do-unfinished", *options) == 0
    assert counter.calls == n_left
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "whole")
    assert not (tmp_path / "part/temp").exists()


def test_groups_that_are_finished_are_not_added_up_again(many, tmp_path, monkeypatch):
    """Two groups, the first of one portion."""
    whole, rest = Killer(None), Killer(None)
    monkeypatch.setattr(items, "add_views", whole)
    assert reconstruct(tmp_path / "whole", particles=many) == 0
    monkeypatch.setattr(items, "add_views", Killer(2))
    assert reconstruct(tmp_path / "part", particles=many) == 130
    monkeypatch.setattr(items, "add_views", rest)
    assert reconstruct(tmp_path / "part", "--resume", particles=many) == 0
    assert rest.calls == whole.calls - 1
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "whole")


def test_a_finished_job_has_nothing_left_to_do(oracle, tmp_path, monkeypatch):
    assert reconstruct(tmp_path) == 0
    before = maps_of(tmp_path)
    counter = Killer(None)
    monkeypatch.setattr(items, "add_views", counter)
    assert reconstruct(tmp_path, "--resume") == 0
    assert counter.calls == 0
    assert maps_of(tmp_path) == before


def test_starting_afresh_forgets_the_sums_of_a_killed_job(many, tmp_path, monkeypatch):
    monkeypatch.setattr(group_sums, "_BACKUP_AFTER", 1)
    monkeypatch.setattr(items, "add_views", Killer(2))
    assert reconstruct(tmp_path / "part", particles=many) == 130
    monkeypatch.setattr(items, "add_views", add_views)
    options = ["--no-ctf", "--overwrite"]
    assert reconstruct(tmp_path / "part", *options, particles=many) == 0
    assert reconstruct(tmp_path / "whole", "--no-ctf", particles=many) == 0
    assert maps_of(tmp_path / "part") == maps_of(tmp_path / "whole")


def test_a_map_that_was_removed_is_made_again(oracle, tmp_path):
    assert reconstruct(tmp_path) == 0
    before = maps_of(tmp_path)
    (tmp_path / "half1.mrc").unlink()
    assert reconstruct(tmp_path, "--resume") == 0
    assert maps_of(tmp_path) == before


def test_a_tilt_series_that_changed_is_added_up_again_on_resuming(oracle, tmp_path):
    series, tomograms = tmp_path / "TS_02.star", tmp_path / "tomograms.star"
    series.write_text((oracle / "tilt_series/TS_02.star").read_text())
    table = (oracle / "tomograms.star").read_text()
    tomograms.write_text(table.replace("tilt_series/TS_02.star", str(series)))
    place = ["--tiltseries-relative-dir", str(oracle)]
    assert reconstruct(tmp_path / "out", *place, tomograms=tomograms) == 0
    before = read(tmp_path / "out/merged.mrc")
    series.write_text(series.read_text().replace(" 30.000000 ", " 31.000000 "))
    series.write_text(series.read_text().replace(" 3.894000 ", " 23.894000 "))
    assert reconstruct(tmp_path / "out", *place, "--resume", tomograms=tomograms) == 0
    assert reconstruct(tmp_path / "new", *place, tomograms=tomograms) == 0
    again = read(tmp_path / "out/merged.mrc")
    assert np.abs(again - before).max() > 0
    np.testing.assert_array_equal(again, read(tmp_path / "new/merged.mrc"))
