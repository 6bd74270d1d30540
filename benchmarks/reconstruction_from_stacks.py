"""Reconstruction from extracted stacks: CPU time by particle.

Usage::

    python benchmarks/reconstruction_from_stacks.py

Stacks are extracted from one tilt series of 41 tilts of noise; every particle is seen on all of
them, and figures are given for 20 views. The time by particle is the slope of user and system
seconds of whole processes on one core between two numbers of particles, so that start-up and
the making of maps drop out and reading does not. Straight from tilt series: reconstruction.py.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import torch

import subtomo
from extraction import cpu_seconds, files_of
from tilt_project import TILTS, make_project

IMAGE_PX = 1536
NUMBERS = {32: (400, 2000), 64: (200, 1000), 128: (100, 400)}  # of particles, by box
VIEWS = 20


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--repeats", type=int, default=3, help="timings, of which the least counts")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(
        f"subtomo {subtomo.__version__}, torch {torch.__version__}, Python "
        f"{sys.version.split()[0]}; one core, one thread, {len(TILTS)} tilts"
    )
    print(f"CPU ms by particle of {VIEWS} views; box | premultiplied stacks | without CTF")
    for box in options.boxes:
        figures = [by_particle(box, options.repeats, *flag) for flag in ((), ("--no-ctf",))]
        print(f"{box:4d} | " + " | ".join(f"{one:.2f}" for one in figures), flush=True)


def by_particle(box, repeats, *flags):
    """CPU ms by particle from stacks that are extracted with these flags."""
    few, many = NUMBERS[box]
    with tempfile.TemporaryDirectory() as folder:
        projects = [make_project(Path(folder) / str(n), n, image_px=IMAGE_PX) for n in (few, many)]
        for project in projects:
            run("extract", "stacks", "local", *files_of(project, box), *flags)
        seconds = [min(reconstruct(project) for _ in range(repeats)) for project in projects]
    return 1000 * VIEWS / len(TILTS) * (seconds[1] - seconds[0]) / (many - few)


def reconstruct(project):
    """Back-project the stacks into an empty folder; CPU seconds."""
    maps = project / "maps"
    shutil.rmtree(maps, ignore_errors=True)
    table, tomograms = project / "out" / "particles.star", project / "tomograms.star"
    words = [table, "--tomograms-starfile", tomograms, "--no-postprocess", "-o", maps]
    return run("reconstruct", "stacks", *map(str, words))


def run(*words):
    """Run a command on one core; CPU seconds."""
    options = ("--executor", "inline", "--quiet")
    return cpu_seconds([sys.executable, "-m", "subtomo", *words, *options])


if __name__ == "__main__":
    main()
