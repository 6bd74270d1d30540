"""Reconstruction from extracted stacks: CPU time by particle, straight from tilt series beside it.

Usage::

    python benchmarks/reconstruction_from_stacks.py

Stacks are extracted from one tilt series of noise, those of the first 21 or of all 41 tilts, and
back-projected; then the same particles straight from the tilt series. Each is a whole process on
one core; the time by particle is the slope of user and system seconds between two numbers of
particles, so that start-up and the making of maps drop out and reading does not. RELION 5 takes
5.4 ms (box 64) and 20 ms (box 128) straight from tilt series, with 15 to 20 visible tilts, on
another machine's core.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import torch

import subtomo
from extraction import cpu_seconds
from tilt_project import TILTS, make_project

IMAGE_PX = 1024
NUMBERS = {32: (400, 2000), 64: (200, 1000), 128: (60, 260)}  # of particles, by box
DOSES = (60.0, 1000.0)  # e⁻/Å² of the last image; each takes 3


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--repeats", type=int, default=2, help="timings, of which the least counts")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(
        f"subtomo {subtomo.__version__}, torch {torch.__version__}, Python "
        f"{sys.version.split()[0]}; one core, one thread"
    )
    print(f"CPU ms by particle; box | tilts | from stacks | from tilt series ({len(TILTS)} tilts)")
    for box in options.boxes:
        for max_dose in DOSES:
            with tempfile.TemporaryDirectory() as folder:
                print_row(Path(folder), box, max_dose, options.repeats)


def print_row(folder, box, max_dose, repeats):
    """Time one box size with one number of tilts."""
    projects = [make_project(folder / str(n), n, image_px=IMAGE_PX) for n in NUMBERS[box]]
    for project in projects:
        extract(project, box, max_dose)
    stacks = slope(from_stacks, projects, box, repeats)
    n_tilts = int(min(len(TILTS), max_dose // 3 + 1))
    text = f"{box:4d} | {n_tilts} | {stacks:.2f} | "
    if n_tilts == len(TILTS):
        text += f"{slope(from_tilt_series, projects, box, repeats):.2f}"
    print(text, flush=True)


def slope(run, projects, box, repeats):
    """CPU ms by particle, from two numbers of particles."""
    few, many = (min(run(project, box) for _ in range(repeats)) for project in projects)
    return 1000 * (many - few) / (NUMBERS[box][1] - NUMBERS[box][0])


def extract(project, box, max_dose):
    """Make the stacks."""
    command = [*tables(project), "--box-size", str(box), "--max-dose", str(max_dose)]
    run_subtomo(["extract", "stacks", "local", *command, "-o", str(project / "stacks")])


def from_stacks(project, box):
    """Back-project the stacks; CPU seconds."""
    table = project / "stacks" / "particles.star"
    command = ["stacks", str(table), "--tomograms-starfile", str(project / "tomograms.star")]
    return reconstruct(project, command)


def from_tilt_series(project, box):
    """Back-project straight from the tilt series; CPU seconds."""
    return reconstruct(project, ["local", *tables(project), "--box-size", str(box)])


def reconstruct(project, command):
    """Run a reconstruction into an empty folder; CPU seconds."""
    out = project / "maps"
    shutil.rmtree(out, ignore_errors=True)
    return run_subtomo(["reconstruct", *command, "--no-local-resolution", "-o", str(out)])


def tables(project):
    """Options that name the tables of a project."""
    names = ("particles", "tomograms")
    return [word for n in names for word in (f"--{n}-starfile", str(project / f"{n}.star"))]


def run_subtomo(words):
    """Run a command on one core; CPU seconds."""
    command = [sys.executable, "-m", "subtomo", *words, "--executor", "inline", "--quiet"]
    return cpu_seconds(command)


if __name__ == "__main__":
    main()
