"""Peak memory of matching on a tomogram of 512 x 512 x 256 voxels.

    python benchmarks/matching_memory.py [--workers 2]

Runs ``subtomo pick match`` on a tomogram of noise with a template of 32 voxels and adds up the
resident memory of the command and its workers, twenty times a second; a page that processes share
is divided among them (Linux's PSS). Few orientations: memory does not depend on their number.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from subtomo.formats.volumes import write_volume
from subtomo.model import Volume

SHAPE = (256, 512, 512)  # z, y, x


def main() -> None:
    """Match and print the peaks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        line = prepare(Path(folder), arguments.workers)
        start = time.perf_counter()
        together, largest = watch(line)
        seconds = time.perf_counter() - start
    print(
        f"{arguments.workers} workers, {seconds:.0f} s: all processes {together / 1e9:.2f} GB, "
        f"the largest {largest / 1e9:.2f} GB"
    )


def prepare(folder: Path, workers: int) -> list[str]:
    """Write a tomogram and a template; give the command line."""
    rng = np.random.default_rng(1)
    write_volume(folder / "noise.mrc", Volume(rng.standard_normal(SHAPE, dtype=np.float32), 10.0))
    ball = np.zeros((32, 32, 32), dtype=np.float32)
    ball[8:24, 8:24, 10:22] = rng.random((16, 16, 12), dtype=np.float32)
    write_volume(folder / "template.mrc", Volume(ball, 10.0))
    line = [sys.executable, "-m", "subtomo", "pick", "match", str(folder / "noise.mrc")]
    line += ["--template", str(folder / "template.mrc"), "--angular-step", "60", "--pad-edges"]
    line += ["--workers", str(workers), "--output-dir", str(folder / "out"), "--quiet"]
    return line


def watch(line: list[str]) -> tuple[int, int]:
    """Run to the end; give the most memory of all processes together, and of one, in bytes."""
    process = subprocess.Popen(line)
    together = largest = 0
    while process.poll() is None:
        sizes = resident(process.pid)
        together, largest = max(together, sum(sizes)), max([largest, *sizes])
        time.sleep(0.05)
    if process.returncode:
        sys.exit(f"{' '.join(line)}: exit status {process.returncode}")
    return together, largest


def resident(pid: int) -> list[int]:
    """Resident memory (PSS) of a process and all it has started, in bytes."""
    try:
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return [each.memory_full_info().pss for each in tree]
    except psutil.Error:  # one has just ended
        return []


if __name__ == "__main__":
    main()
