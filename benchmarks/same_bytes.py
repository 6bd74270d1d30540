"""One command on every executor, killed and with a killed worker: the same bytes or not."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

NOT_RESULTS = {"job.json", "ledger.jsonl", "log.txt", "report.html"}
RESULT = "result"  # the output folder, below one for each way of running


def differs(line: list[str], out: Path, *, kills: int, seed: int) -> bool:
    """Run a command line in each way and compare.

    Unbroken inline; in two worker processes; on a Dask cluster of two workers, one of which is
    killed on the way; and killed itself with SIGKILL, its whole process group, at random moments
    and resumed each time. Every result file (not job.json, ledgers, logs and reports) is compared
    with the first run's.

    Parameters
    ----------
    line : of the command, without ``--output-dir`` and executor; paths in it absolute
    out : folder for the results, one folder a way
    kills : how often it is killed
    seed : of the moments
    """
    rng = random.Random(seed)
    folders = {name: out / name for name in ("inline", "processes", "dask", "killed")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    line = [*line, "--output-dir", RESULT, "--quiet"]
    processes = [*line, "--executor", "processes", "--workers", "2"]
    subprocess.run([*line, "--executor", "inline"], cwd=folders["inline"], check=True)
    start = time.perf_counter()
    subprocess.run(processes, cwd=folders["processes"], check=True)
    seconds = time.perf_counter() - start
    dask = [*line, "--executor", "dask", "--workers", "2"]
    run_and_kill_a_worker(dask, folders["dask"], rng.uniform(0.2, 0.8) * seconds, rng)
    resumed = [*processes, "--resume"]
    for kill in range(kills):
        after = rng.uniform(0.1, 0.9) * seconds / kills
        state = "killed" if run_and_kill(resumed, folders["killed"], after) else "it had ended"
        print(f"kill {kill + 1} after {after:.1f} s: {state}", flush=True)
    subprocess.run(resumed, cwd=folders["killed"], check=True)
    expected = digests(folders["inline"] / RESULT)
    names = ("processes", "dask", "killed")
    differing = [compare(name, folders[name] / RESULT, expected) for name in names]
    return any(differing)


def run_and_kill_a_worker(line: list[str], folder: Path, after: float, rng: random.Random) -> None:
    """Run to the end; kill one of the workers that are there after some time."""
    process = subprocess.Popen(line, cwd=folder)
    time.sleep(after)
    while process.poll() is None and not (workers := workers_of(process.pid)):
        time.sleep(0.1)  # between two steps
    if process.poll() is None:
        victim = rng.choice(workers)
        victim.kill()
        print(f"Dask: killed worker process {victim.pid} after {after:.1f} s", flush=True)
    if process.wait():
        sys.exit(f"{' '.join(line)}: exit status {process.returncode}")


def workers_of(pid: int) -> list[psutil.Process]:
    """Find the worker processes that a run has started."""
    workers = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                workers.append(child)
        except psutil.Error:  # it has ended since
            continue
    return workers


def run_and_kill(line: list[str], folder: Path, after: float) -> bool:
    """Start a run in a process group of its own and kill the group; tell whether it still ran."""
    process = subprocess.Popen(line, cwd=folder, start_new_session=True)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def compare(name: str, folder: Path, expected: dict[str, str]) -> bool:
    """Print which result files of a run differ from the expected ones; tell whether any does."""
    found = digests(folder)
    files = found.keys() | expected.keys()
    differing = sorted(file for file in files if found.get(file) != expected.get(file))
    print(
        f"{name}: {len(files)} result files, {len(differing)} differ {differing[:10]}", flush=True
    )
    return bool(differing)


def digests(folder: Path) -> dict[str, str]:
    """Digest every result file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in NOT_RESULTS
    }
