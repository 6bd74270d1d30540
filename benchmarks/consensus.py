"""Consensus of three sets of picks: wall and CPU seconds, of the function and of the command.

python benchmarks/consensus.py [--picks 100000] [--repeats 3]

The picks are those of a made-up tomogram: each picker finds 70 % of the particles with an error of
15 Å along each axis, and as many false ones as it misses. Oriented, with scores. The peer's rule
(``--compatible``) runs beside ours.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from subtomo.formats.particles import write_particles
from subtomo.geometry import random_quaternions
from subtomo.model import Particles
from subtomo.picking.consensus.consensus import find_consensus

SIZE = (40_000.0, 40_000.0, 12_000.0)  # Å
RADIUS, ERROR, FOUND = 80.0, 15.0, 0.7


def make_sets(n: int, seed: int = 0) -> dict[str, Particles]:
    """Make three sets of ``n`` picks each."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, SIZE, size=(n, 3))
    poses = random_quaternions(n, rng)
    sets = {}
    for name in ("hand", "match", "net"):
        is_found = rng.random(n) < FOUND
        positions = rng.uniform(0, SIZE, size=(n, 3))
        positions[is_found] = truth[is_found] + rng.normal(scale=ERROR, size=(is_found.sum(), 3))
        sets[name] = Particles(
            np.full(n, "TS_01"), positions, orientation=poses, score=rng.random(n)
        )
    return sets


def timed(call: Callable[[], object], repeats: int) -> tuple[list[float], list[float]]:
    """Measure wall and CPU seconds of each call, child processes counted."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, before = time.perf_counter(), sum(os.times()[:4])
        call()
        wall.append(time.perf_counter() - start)
        cpu.append(sum(os.times()[:4]) - before)
    return wall, cpu


def tell(what: str, times: tuple[list[float], list[float]]) -> None:
    """Print the medians and the range."""
    wall, cpu = times
    print(
        f"{what:44s} wall {np.median(wall):6.2f} s ({min(wall):.2f} to {max(wall):.2f}), "
        f"CPU {np.median(cpu):6.2f} s"
    )


def main() -> None:
    """Time the function, and the command from tables to tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picks", type=int, default=100_000, help="in each of the three sets")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    sets = make_sets(arguments.picks)
    for words, options in (
        ("function", {}),
        ("function, symmetry D2", {"symmetry": "D2"}),
        ("function, compatible", {"compatible": True}),
    ):
        call = lambda options=options: find_consensus(  # noqa: E731
            sets, radius=RADIUS, votes=2, **options
        )
        tell(f"3 x {arguments.picks:,}: {words}", timed(call, arguments.repeats))
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{name}.csv") for name in sets]
        for path, particles in zip(paths, sets.values(), strict=True):
            write_particles(path, particles)
        line = [sys.executable, "-m", "subtomo", "pick", "consensus", *paths, "--overwrite"]
        line += ["--radius", str(RADIUS), "--consensus", "2", "-o", f"{folder}/out", "--quiet"]
        call = lambda: subprocess.run(line, check=True)  # noqa: E731
        tell("command: tables read and written, report", timed(call, arguments.repeats))


if __name__ == "__main__":
    main()
