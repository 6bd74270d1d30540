"""The demo killed with SIGKILL at random points and resumed: the same bytes as an unbroken run.

    python benchmarks/demo_resume.py OUT [--kills 3] [--seed 1] [--preset demo]

Runs the demo unbroken, then again with its whole process group killed at random moments and
resumed each time, and compares every result file (not job.json, ledgers, logs and reports).
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

NOT_RESULTS = {"job.json", "ledger.jsonl", "log.txt", "report.html"}


def main() -> None:
    """Compare an unbroken run with a killed one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="demo")
    arguments = parser.parse_args()
    start = time.perf_counter()
    subprocess.run(command(arguments.out / "unbroken", arguments.preset), check=True)
    seconds = time.perf_counter() - start
    rng = random.Random(arguments.seed)
    for kill in range(arguments.kills):
        after = rng.uniform(0.1, 0.9) * seconds / arguments.kills
        killed = run_and_kill(command(arguments.out / "killed", arguments.preset), after)
        print(f"kill {kill + 1} after {after:.1f} s: {'killed' if killed else 'it had ended'}")
    subprocess.run(command(arguments.out / "killed", arguments.preset), check=True)
    unbroken, resumed = (digests(arguments.out / name) for name in ("unbroken", "killed"))
    differing = sorted(
        name for name in unbroken.keys() | resumed.keys() if unbroken.get(name) != resumed.get(name)
    )
    print(f"{len(unbroken)} result files, {len(differing)} differ: {differing[:10]}")
    sys.exit(bool(differing))


def command(folder: Path, preset: str) -> list[str]:
    """Give the command line of a run that goes on where the one before was killed."""
    demo = [sys.executable, "-m", "subtomo", "demo", "--preset", preset, "--resume", "--quiet"]
    return [*demo, "--output-dir", str(folder)]


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


def digests(folder: Path) -> dict[str, str]:
    """Digest every result file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in NOT_RESULTS
    }


if __name__ == "__main__":
    main()
