"""Reconstruction from tilt series: CPU time by particle, extraction and insertion apart.

Usage::

    python benchmarks/reconstruction.py

One tilt series of 41 tilts of 1536 x 1536 pixels, noise; every particle is seen on all of them,
and figures are given for 20 views. The time by particle is the slope of user and system seconds of
whole processes on one core between two numbers of particles, so that start-up and the making of
maps drop out and reading does not. Below it, in this process: what of it is cutting windows,
transforming them and multiplying by the CTF, and what is insertion into the Fourier sums.

RELION 5 (commit 73f0a3c0, one core of an AMD EPYC, user and system): 5.4 ms at box 64 and 20 ms
at 128, about 15 to 20 views.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import torch

import subtomo
from extraction import cpu_seconds, files_of
from subtomo.averaging.reconstruction import items, views
from subtomo.cli.main import run
from tilt_project import TILTS, make_project

IMAGE_PX = 1536
NUMBERS = {32: (400, 2000), 64: (200, 1000), 128: (100, 400)}  # of particles, by box
VIEWS = 20


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boxes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--repeats", type=int, default=3, help="timings, of which the least counts")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    print(
        f"subtomo {subtomo.__version__}, torch {torch.__version__}, Python "
        f"{sys.version.split()[0]}; one core, one thread, {len(TILTS)} tilts of {IMAGE_PX}²"
    )
    print(f"CPU ms by particle of {VIEWS} views; box | whole | extraction | insertion")
    for box in options.boxes:
        with tempfile.TemporaryDirectory() as folder:
            print_row(box, Path(folder), options.repeats)


def print_row(box, folder, repeats):
    """Time everything at one box size."""
    few, many = (make_project(folder / str(n), n, image_px=IMAGE_PX) for n in NUMBERS[box])
    seconds = [min(reconstruct(p, box) for _ in range(repeats)) for p in (few, many)]
    by_particle = (seconds[1] - seconds[0]) / (NUMBERS[box][1] - NUMBERS[box][0])
    extraction, insertion = min((apart(few, box) for _ in range(repeats + 1)), key=sum)
    scale = 1000 * VIEWS / len(TILTS)
    parts = [scale * each for each in (by_particle, extraction, insertion)]
    print(f"{box:4d} | {parts[0]:.2f} | {parts[1]:.2f} | {parts[2]:.2f}", flush=True)


def reconstruct(project, box):
    """Run the command; CPU seconds."""
    shutil.rmtree(project / "out", ignore_errors=True)
    command = [sys.executable, "-m", "subtomo", "reconstruct", "local", "--no-postprocess"]
    return cpu_seconds([*command, "--executor", "inline", "--quiet", *files_of(project, box)])


def apart(project, box):
    """CPU seconds by particle of extraction and of insertion, in this process."""
    whole, insertion = timed(items.add_views), timed(views.insert_slices_gather)
    with (
        mock.patch.object(items, "add_views", whole),
        mock.patch.object(views, "insert_slices_gather", insertion),
    ):
        words = ["reconstruct", "local", "--no-postprocess", "--executor", "inline", "--quiet"]
        run([*words, *files_of(project, box)])
    n = min(NUMBERS[box])
    return (whole.seconds - insertion.seconds) / n, insertion.seconds / n


def timed(function):
    """Make a function that adds up its CPU seconds."""

    def measured(*arguments, **options):
        start = time.process_time()
        result = function(*arguments, **options)
        measured.seconds += time.process_time() - start
        return result

    measured.seconds = 0.0
    return measured


if __name__ == "__main__":
    main()
