"""The demo on every executor, killed and with a killed worker: the same bytes each time.

    python benchmarks/demo_same_bytes.py [OUT] [--kills 3] [--seed 1] [--preset demo]

Runs the demo unbroken in this order: inline; in two worker processes; on a Dask cluster of two
workers, one of which is killed on the way; and killed itself with SIGKILL, its whole process group,
at random moments and resumed each time. Compares every result file (not job.json, ledgers, logs
and reports) with those of the first.
"""

import argparse
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


def main() -> None:
    """Run the demo in each way and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("benchmarks/out/same_bytes"))
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="demo")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)

    def command(name: str, *options: str) -> list[str]:
        line = [sys.executable, "-m", "subtomo", "demo", "--preset", arguments.preset, "--quiet"]
        return [*line, "--output-dir", str(arguments.out / name), *options]

    subprocess.run(command("inline", "--executor", "inline"), check=True)
    start = time.perf_counter()
    subprocess.run(command("processes", "--executor", "processes", "--workers", "2"), check=True)
    seconds = time.perf_counter() - start
    dask = command("dask", "--executor", "dask", "--workers", "2")
    run_and_kill_a_worker(dask, rng.uniform(0.2, 0.8) * seconds, rng)
    killed = command("killed", "--executor", "processes", "--workers", "2", "--resume")
    for kill in range(arguments.kills):
        after = rng.uniform(0.1, 0.9) * seconds / arguments.kills
        state = "killed" if run_and_kill(killed, after) else "it had ended"
        print(f"kill {kill + 1} after {after:.1f} s: {state}", flush=True)
    subprocess.run(killed, check=True)
    expected = digests(arguments.out / "inline")
    differ = [compare(name, arguments.out, expected) for name in ("processes", "dask", "killed")]
    sys.exit(any(differ))


def run_and_kill_a_worker(line: list[str], after: float, rng: random.Random) -> None:
    """Run to the end; kill one of the workers that are there after some time."""
    process = subprocess.Popen(line)
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


def run_and_kill(line: list[str], after: float) -> bool:
    """Start a run in a process group of its own and kill the group; tell whether it still ran."""
    process = subprocess.Popen(line, start_new_session=True)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def compare(name: str, out: Path, expected: dict[str, str]) -> bool:
    """Print which result files of a run differ from the expected ones; tell whether any does."""
    found = digests(out / name)
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


if __name__ == "__main__":
    main()
