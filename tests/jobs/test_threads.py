"""The number of threads is the same wherever an item runs, and comes back afterwards."""

import os
import subprocess
import sys
import threading

import items
import pytest

from subtomo.jobs.job import Job
from subtomo.jobs.settings import JobSettings
from subtomo.jobs.threads import limited_threads

torch = pytest.importorskip("torch")


def test_torch_and_the_environment_come_back():
    before = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")
    with limited_threads(3):
        assert torch.get_num_threads() == 3
        assert os.environ["OMP_NUM_THREADS"] == "3"
    assert (torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")) == before


def test_first_limit_counts_until_the_last_one_ends():
    before = torch.get_num_threads()
    with limited_threads(1):
        with limited_threads(5):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_limits_of_several_threads_of_one_process():
    before = torch.get_num_threads()
    entered, leave = threading.Barrier(3), threading.Event()

    def hold():
        with limited_threads(1):
            entered.wait()
            leave.wait()

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    entered.wait()
    leave.set()
    for holder in holders:
        holder.join()
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("executor", ["inline", pytest.param("processes", marks=pytest.mark.slow)])
@pytest.mark.parametrize("threads", [1, 2])
def test_items_have_their_threads(tmp_path, executor, threads):
    settings = JobSettings(output_dir=tmp_path, executor=executor, threads_per_item=threads)
    job = Job("toy", settings, quiet=True)
    with job.start(["a"]):
        found = job.map("threads", items.count_threads, {"a": None})
    assert found["a"] == {"torch": threads, "blas": [threads]}


@pytest.mark.slow
def test_numba_starting_its_threads_leaves_those_of_torch():
    # numba sets the number of OpenMP threads when it first counts its own: in a fresh process
    code = """
import torch
torch.randn(300, 300) @ torch.randn(300, 300)
from subtomo.jobs.threads import limited_threads
import numba
with limited_threads(1):
    assert torch.get_num_threads() == 1, torch.get_num_threads()
with limited_threads(1):
    with limited_threads(1):
        assert torch.get_num_threads() == 1, torch.get_num_threads()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
