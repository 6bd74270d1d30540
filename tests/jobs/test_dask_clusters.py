"""Dask clusters that exist already, and those that SLURM starts."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
import toy

from subtomo.errors import ItemsFailed, MissingDependency, SettingsError
from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        yield cluster


def run_toy(folder, **values):
    settings = toy.ToySettings(output_dir=folder, **values)
    toy.run(settings, Job("toy", settings, quiet=True))
    return (folder / "table.txt").read_text()


@pytest.mark.slow
def test_running_cluster_is_joined_and_left_alone(tmp_path, cluster):
    found = run_toy(tmp_path / "dask", scheduler=cluster.scheduler_address)
    assert found == run_toy(tmp_path / "inline", executor="inline")
    assert cluster.status.name == "running"


def test_workers_limit_what_is_sent_to_a_running_cluster(tmp_path, cluster):
    settings = toy.ToySettings(
        output_dir=tmp_path / "out", scheduler=cluster.scheduler_address, workers=1
    )
    from subtomo.jobs.executors.dask_cluster import DaskExecutor
    from subtomo.jobs.items import make_task
    from subtomo.jobs.messages import Messages

    (tmp_path / "out").mkdir()
    executor = DaskExecutor(settings, Messages(quiet=True))
    taken = []

    def tasks():
        for i in range(8):
            taken.append(i)
            yield make_task(str(i), abs, -i, 1)

    for ended, _ in enumerate(executor.run(tasks()), start=1):
        assert len(taken) <= ended + 2
    executor.close()
    assert len(taken) == 8


@pytest.mark.slow
def test_workers_that_are_gone_for_good_are_replaced(tmp_path, monkeypatch):
    from subtomo.jobs.executors import dask_cluster
    from subtomo.jobs.items import make_task
    from subtomo.jobs.messages import Messages

    monkeypatch.setattr(dask_cluster, "_SECONDS_BETWEEN_LOOKS", 0.3)
    settings = JobSettings(output_dir=tmp_path, executor="dask", workers=1)
    executor = dask_cluster.DaskExecutor(settings, Messages(quiet=True))
    executor._connection.cluster.scale(0)
    while executor._connection.client.nthreads():
        time.sleep(0.05)
    outcomes = list(executor.run([make_task("a", abs, -3, 1)]))
    executor.close()
    assert [outcome.result for outcome in outcomes] == ["3"]


def test_cluster_that_does_not_see_the_folder_is_refused(tmp_path, cluster):
    from subtomo.jobs.executors.dask_cluster import DaskExecutor
    from subtomo.jobs.messages import Messages

    settings = JobSettings(output_dir=tmp_path / "absent", scheduler=cluster.scheduler_address)
    with pytest.raises(SettingsError, match=r"does not see .*absent; workers need the same file"):
        DaskExecutor(settings, Messages(quiet=True))


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Stand-ins for sbatch and scancel that run a job's script on this machine."""
    programs = tmp_path / "bin"
    programs.mkdir()
    jobs = tmp_path / "jobs"
    (programs / "sbatch").write_text(
        f'#!/bin/sh\ncp "$1" {jobs}.sh\nsetsid sh {jobs}.sh >{jobs}.log 2>&1 &\n'
        'echo "Submitted batch job $!"\n'
    )
    (programs / "scancel").write_text(f'#!/bin/sh\necho "$@" >> {jobs}.ended\nkill -- "-$1"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(toy.__file__))
    return jobs


@pytest.mark.slow
def test_slurm_starts_workers_and_ends_them(tmp_path, slurm):
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is an extra")
    options = tmp_path / "slurm.yaml"
    options.write_text("cores: 4\nmemory: 1GB\nqueue: short\ninterface: lo\n")
    found = run_toy(tmp_path / "out", slurm=options, workers=1)
    assert found == run_toy(tmp_path / "inline", executor="inline")
    script = slurm.with_suffix(".sh").read_text()
    assert "#SBATCH -p short" in script
    assert "--nthreads 4" in script  # one worker with all the cores of its job
    assert "--nworkers" not in script
    assert slurm.with_suffix(".ended").exists()


def test_slurm_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(MissingDependency, match=r"pip install dask-jobqueue"):
        run_toy(tmp_path / "out", slurm=tmp_path / "slurm.yaml")


@pytest.mark.filterwarnings("ignore:Exception ignored in.*Cluster.__del__")
def test_slurm_file_with_a_wrong_option_is_named(tmp_path):
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is an extra")
    (tmp_path / "slurm.yaml").write_text("cores: 1\n")
    with pytest.raises(SettingsError, match=r"slurm\.yaml: You must specify"):
        run_toy(tmp_path / "out", slurm=tmp_path / "slurm.yaml")


@pytest.fixture
def remote_scheduler(tmp_path):
    """A scheduler and a worker in processes of their own."""
    where = tmp_path / "scheduler.json"
    options = ["--scheduler-file", where, "--dashboard-address", "127.0.0.1:0"]
    environment = os.environ | {"PYTHONPATH": os.path.dirname(toy.__file__)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *options, *more],
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=tmp_path,
        )
        for program, more in [
            ("dask_scheduler", ["--host", "127.0.0.1", "--port", "0"]),
            ("dask_worker", ["--nthreads", "1", "--no-nanny"]),
        ]
    ]
    while not where.exists():
        time.sleep(0.05)
    yield json.loads(where.read_text())["address"], processes[0]
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_lost_scheduler_leaves_a_resumable_job(tmp_path, remote_scheduler):
    address, scheduler = remote_scheduler
    folder = tmp_path / "out"
    settings = toy.ToySettings(output_dir=folder, scheduler=address, sleep=0.2, count=30)

    def kill_after_the_first_item():
        ledger = folder / "ledger.jsonl"
        while not (ledger.is_file() and ledger.stat().st_size):
            time.sleep(0.05)
        scheduler.kill()

    lost = threading.Thread(target=kill_after_the_first_item)
    lost.start()
    with pytest.raises(
        ItemsFailed, match=r"the Dask scheduler was lost, with (1 item|2 items); --resume"
    ):
        toy.run(settings, Job("toy", settings, quiet=True))
    lost.join()
    again = toy.ToySettings(output_dir=folder, executor="inline", count=30, resume=True)
    assert toy.run(again, Job("toy", again, quiet=True)).read_text().count("item_") == 30
