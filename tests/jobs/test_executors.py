"""The same bytes from every executor, and nothing lost when a worker dies."""

import os
import subprocess
import sys
import time
from pathlib import Path

import items
import pytest
import toy

from subtomo.errors import ItemsFailed, SettingsError
from subtomo.jobs.executors.processes import ProcessesExecutor
from subtomo.jobs.items import make_task
from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings, available_cores

each_with_workers = pytest.mark.parametrize(
    "executor", ["processes", pytest.param("dask", marks=pytest.mark.slow)]
)


def run_toy(folder, **values):
    settings = toy.ToySettings(output_dir=folder, **values)
    toy.run(settings, Job("toy", settings, quiet=True))


def results(folder):
    own = {"job.json", "log.txt", "ledger.jsonl"}
    files = (path for path in folder.iterdir() if path.name not in own)
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "inline"
    run_toy(folder, executor="inline", count=5)
    found = results(folder)
    assert len(found) == 6
    return found


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_processes_give_the_same_bytes(tmp_path, expected, workers):
    run_toy(tmp_path / "out", executor="processes", workers=workers, count=5)
    assert results(tmp_path / "out") == expected


@pytest.mark.slow
def test_dask_cluster_gives_the_same_bytes(tmp_path, expected):
    run_toy(tmp_path / "out", executor="dask", workers=2, count=5)
    assert results(tmp_path / "out") == expected


@each_with_workers
def test_worker_that_is_killed_loses_nothing(tmp_path, expected, executor):
    run_toy(tmp_path / "out", executor=executor, workers=2, count=5, deadly=("item_1", "item_3"))
    assert results(tmp_path / "out") == expected


@each_with_workers
def test_item_that_kills_every_worker_fails_alone(tmp_path, executor):
    settings = JobSettings(output_dir=tmp_path, executor=executor, workers=1)
    job = Job("toy", settings, quiet=True)
    with pytest.raises(ItemsFailed, match=r"bad: .*worker"), job.start(["good", "bad"]):
        job.map("kill", items.kill_worker_of_bad, {"bad": "bad", "good": "good"})
    assert ("kill", "good") in finished(tmp_path)


def finished(folder):
    from subtomo.jobs.ledger import Ledger

    with Ledger(folder / "ledger.jsonl") as ledger:
        return ledger.finished


@pytest.mark.slow
def test_reason_names_how_the_worker_ended(tmp_path):
    executor = ProcessesExecutor(1)
    tasks = [make_task("kill", items.kill_worker, 0, 1), make_task("exit", items.leave, 0, 1)]
    reasons = {outcome.item: outcome.failure.reason for outcome in executor.run(tasks)}
    executor.close()
    assert reasons == {
        "kill": "its worker process was ended by SIGKILL (out of memory?), 3 times",
        "exit": "its worker process ended with status 3, 3 times",
    }


@pytest.mark.slow
def test_script_without_its_guard_is_told(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import toy\n"
        "from subtomo.jobs.job import Job\n"
        f"settings = toy.ToySettings(output_dir={str(tmp_path / 'out')!r}, executor='processes')\n"
        "toy.run(settings, Job('toy', settings))\n"
    )
    paths = {"PYTHONPATH": str(Path(toy.__file__).parent)}
    ended = subprocess.run(
        [sys.executable, script], env=os.environ | paths, capture_output=True, text=True, timeout=60
    )
    assert ended.stderr.splitlines()[-1].startswith("subtomo.errors.SettingsError")
    assert "'if __name__ == \"__main__\":'" in ended.stderr.splitlines()[-1]


def test_workers_take_one_item_each_at_a_time():
    taken = []

    def tasks():
        for i in range(12):
            taken.append(i)
            yield make_task(str(i), time.sleep, 0.01, 1)

    executor = ProcessesExecutor(2)
    for ended, _ in enumerate(executor.run(tasks()), start=1):
        assert len(taken) <= ended + 2
    executor.close()
    assert len(taken) == 12


def test_workers_are_kept_between_stages_and_end_with_the_job(tmp_path):
    job = Job("toy", JobSettings(output_dir=tmp_path, executor="processes", workers=2), quiet=True)
    with job.start(["a", "b"]):
        first = job.map("one", items.own_pid, {"a": 0, "b": 0})
        second = job.map("two", items.own_pid, {"a": 0, "b": 0})
    assert set(second.values()) <= set(first.values())
    assert not any(Path(f"/proc/{pid}").exists() for pid in first.values())


def test_steps_share_their_workers(tmp_path):
    def settings(folder):
        return JobSettings(output_dir=folder, executor="processes", workers=2)

    def step(settings, job):
        with job.start(["a", "b"]):
            seen.append(set(job.map("one", items.own_pid, {"a": 0, "b": 0}).values()))

    seen = []
    job = Job("toy", settings(tmp_path), quiet=True)
    with job.start(["first", "second"]):
        for name in ("first", "second"):
            job.step(name, "toy", step, settings(tmp_path / name))
        assert seen[1] <= seen[0]
        assert any(Path(f"/proc/{pid}").exists() for pid in seen[0])
    assert not any(Path(f"/proc/{pid}").exists() for pid in seen[0])


def test_executor_is_chosen_by_workers_and_items(tmp_path):
    def chosen(n_items, **values):
        return JobSettings(output_dir=tmp_path, **values).executor_for(n_items)

    assert chosen(1, workers=4) == "inline"
    assert chosen(4, workers=1) == "inline"
    assert chosen(4, workers=2) == "processes"
    assert chosen(4, scheduler="tcp://127.0.0.1:8786") == "dask"
    assert chosen(4, executor="inline") == "inline"
    settings = JobSettings(output_dir=tmp_path, threads_per_item=available_cores())
    assert settings.worker_count() == 1


def test_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("subtomo.jobs.executors.dask_connection._SECONDS_TO_CONNECT", 0.3)
    with pytest.raises(SettingsError, match=r"--scheduler tcp://127\.0\.0\.1:9: no Dask scheduler"):
        run_toy(tmp_path / "out", scheduler="tcp://127.0.0.1:9")


def test_options_that_contradict_each_other_are_refused(tmp_path):
    for values, message in [
        ({"resume": True, "overwrite": True}, "--resume and --overwrite"),
        ({"executor": "inline", "scheduler": "tcp://h:1"}, "--scheduler needs --executor dask"),
        ({"scheduler": "tcp://h:1", "slurm": "x.yaml"}, "--scheduler and --slurm"),
        ({"executor": "inline", "workers": 2}, "--workers has no effect with --executor inline"),
    ]:
        with pytest.raises(ValueError, match=message):
            JobSettings(output_dir=tmp_path, **values)
