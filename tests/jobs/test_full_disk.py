"""A full disk: resumable where something was finished, else as if nothing had been tried."""

import errno
import os
import shutil
import subprocess
from collections import namedtuple

import pytest
import toy

from subtomo.errors import DiskFullError
from subtomo.jobs.job import Job
from subtomo.jobs.ledger import Ledger
from subtomo.jobs.settings import JobSettings


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder, but):
    """Leave so many bytes of the disk."""
    free = shutil.disk_usage(folder).free
    (folder / "ballast").write_bytes(b"\0" * (free - but))


def run_toy(folder, **values):
    settings = toy.ToySettings(output_dir=folder, executor="inline", **values)
    return toy.run(settings, Job("toy", settings, quiet=True))


def test_disk_that_fills_stops_a_resumable_job(small_disk):
    # An item takes two pages of 4 kB; job.json, the ledger and the log take one each.
    with pytest.raises(DiskFullError, match="free some space and go on with --resume") as caught:
        run_toy(small_disk / "out", count=40)
    assert caught.value.resumable
    with Ledger(small_disk / "out" / "ledger.jsonl") as ledger:
        n_finished = len(ledger.finished)
    assert 0 < n_finished < 40
    files = sorted(path.name for path in (small_disk / "out").glob("item_*.txt"))
    assert files == sorted(f"item_{i}.txt" for i in range(n_finished))


def test_resumed_job_goes_on_when_there_is_space(small_disk, tmp_path):
    fill(small_disk, but=28 * 1024)
    with pytest.raises(DiskFullError):
        run_toy(small_disk / "out", count=4)
    (small_disk / "ballast").unlink()
    found = run_toy(small_disk / "out", count=4, resume=True).read_text()
    assert found == run_toy(tmp_path / "inline", count=4).read_text()


@pytest.mark.parametrize("free_kb", [0, 4, 8, 12])
def test_disk_that_is_full_from_the_start_leaves_nothing(small_disk, free_kb):
    fill(small_disk, but=free_kb * 1024)
    with pytest.raises(DiskFullError, match="choose another --output-dir") as caught:
        run_toy(small_disk / "out", count=4)
    assert not caught.value.resumable
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_first_item_that_could_not_be_recorded_is_resumable(small_disk):
    fill(small_disk, but=16 * 1024)
    with pytest.raises(DiskFullError, match="--resume") as caught:
        run_toy(small_disk / "out", count=4)
    assert caught.value.resumable
    (small_disk / "ballast").unlink()
    run_toy(small_disk / "out", count=4, resume=True)


def test_estimate_that_cannot_fit_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 2_000_000_000))
    job = Job("toy", JobSettings(output_dir=tmp_path / "out"))
    with (
        pytest.raises(DiskFullError, match=r"about 3 GB needed, 2 GB free"),
        job.start(["a"], bytes_needed=3e9),
    ):
        pass
    assert not (tmp_path / "out").exists()


def test_estimate_counts_only_what_is_missing(tmp_path, monkeypatch):
    run_toy(tmp_path / "out", count=2)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 150))
    settings = toy.ToySettings(output_dir=tmp_path / "out", count=2, resume=True)
    with Job("toy", settings, quiet=True).start(["a", "b", "c", "d"], bytes_needed=300):
        pass


def test_ledger_stays_whole_when_its_line_does_not_fit(tmp_path, monkeypatch):
    def fail(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.record("match", "TS_01", None, 0.0)
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            ledger.record("match", "TS_02", None, 0.0)
        assert list(ledger.finished) == [("match", "TS_01")]
    assert (tmp_path / "ledger.jsonl").read_bytes().count(b"\n") == 1
