"""A job that is killed at any point and resumed leaves the bytes of an unbroken one."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy

from subtomo.errors import OutputError
from subtomo.jobs.job import Job

COUNT = 8


def start_toy(folder, **values):
    values = {"output_dir": folder, "count": COUNT, "sleep": 0.03, **values}
    arguments = [f"{name}={value}" for name, value in values.items()]
    return subprocess.Popen(
        [sys.executable, toy.__file__, *arguments], stderr=subprocess.PIPE, text=True
    )


def finish_toy(folder, **values):
    process = start_toy(folder, **values)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    return said


def results(folder):
    """Read what a user looks at; a killed item may leave a file under its temporary name."""
    return {path.name: path.read_bytes() for path in folder.glob("[it]*.txt")}


def wait_for_lines(process, ledger, count):
    while process.poll() is None and not (
        ledger.is_file() and ledger.read_bytes().count(b"\n") >= count
    ):
        time.sleep(0.005)


def children(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def busy_workers(process, folder):
    """Wait until two workers compute; give them and their resource tracker."""
    while process.poll() is None and len(list(folder.glob("*.begun"))) < 2:
        time.sleep(0.02)
    found = children(process.pid)
    assert len(found) == 3
    return found


def all_end(pids):
    """Wait a little: the children's own clean-up may take its time."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not all(has_ended(pid) for pid in pids):
        time.sleep(0.02)
    return all(has_ended(pid) for pid in pids)


def has_ended(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "out"
    finish_toy(folder, executor="inline")
    return results(folder)


@pytest.mark.slow
@pytest.mark.parametrize("where", [{"executor": "inline"}, {"executor": "processes", "workers": 2}])
def test_killed_three_times_and_resumed(tmp_path, unbroken, where):
    folder = tmp_path / "out"
    points = random.Random(17)
    n_finished = []
    for i in range(3):
        process = start_toy(folder, **where, resume=i > 0)
        wait_for_lines(process, folder / "ledger.jsonl", 1 + 2 * i)
        time.sleep(points.uniform(0, 0.03))
        process.kill()
        process.communicate()
        n_finished.append((folder / "ledger.jsonl").read_bytes().count(b"\n"))
    assert 0 < n_finished[0] < n_finished[2] < COUNT
    assert "finished already" in finish_toy(folder, **where, resume=True)
    assert results(folder) == unbroken
    assert json.loads((folder / "job.json").read_text())["state"] == "finished"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "")])
@pytest.mark.slow
def test_signal_leaves_a_resumable_job_and_no_children(tmp_path, unbroken, number, status):
    folder = tmp_path / "out"
    process = start_toy(folder, executor="processes", workers=2, sleep=20)
    workers = busy_workers(process, folder)
    process.send_signal(number)
    said = process.communicate(timeout=10)[1]
    assert process.returncode != 0
    assert status in said
    assert "interrupted; --resume goes on" in said
    assert all_end(workers)
    assert json.loads((folder / "job.json").read_text())["state"] == "interrupted"
    finish_toy(folder, executor="inline", resume=True)
    assert results(folder) == unbroken


def test_workers_end_when_their_job_is_killed(tmp_path):
    process = start_toy(tmp_path / "out", executor="processes", workers=2, sleep=20)
    workers = busy_workers(process, tmp_path / "out")
    process.kill()
    process.wait()
    assert all_end(workers)
    process.communicate()


def test_second_job_in_the_same_folder_is_refused(tmp_path):
    folder = tmp_path / "out"
    process = start_toy(folder, executor="inline", sleep=0.3)
    wait_for_lines(process, folder / "ledger.jsonl", 1)
    settings = toy.ToySettings(output_dir=folder, count=COUNT, sleep=0.3, resume=True)
    with pytest.raises(OutputError, match="another process is working"):
        toy.run(settings, Job("toy", settings, quiet=True))
    process.kill()
    process.communicate()


def test_signal_before_the_block_and_after_it_is_as_ever(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    settings = toy.ToySettings(output_dir=tmp_path / "out", executor="inline")
    toy.run(settings, Job("toy", settings, quiet=True))
    assert signal.getsignal(signal.SIGTERM) == before
