"""Template matching: CPU time by rotation and recall of planted particles, pyTME beside us.

Usage::

    python -m venv /tmp/pytme && /tmp/pytme/bin/pip install pytme==0.3.6
    python benchmarks/matching.py --peer-python /tmp/pytme/bin/python

Time is that of the whole search in one process on one core and one thread, exhaustive, float32:
the slope between two numbers of rotations, in CPU seconds. A 32³ template with a spherical mask.
We search where the template fits into the volume, 97³ positions of 128³. pyTME pads the volume
(128³ to 160³) and gives scores up to the faces, where the template meets nothing beyond; the
figures by searched position are printed too, and those of our search with padded edges.

Accuracy: particles at random places and orientations in white noise, the same volumes, template,
mask and rotations for both; peaks found by one function, only where the template fits. Recall at
the most picks whose precision is 0.9.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
import torch

import subtomo
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.model import Particles, Volume
from subtomo.picking.evaluation import precision_and_recall
from subtomo.picking.matching.peaks import find_peaks
from subtomo.picking.matching.search import search_block
from subtomo.picking.matching.template import Template
from subtomo.picking.matching.tiling import plan_tiles, read_block
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes

PEER = Path(__file__).parent / "peers" / "pytme_matching.py"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
PRECISION = 0.9


def main():
    """Print the tables."""
    options = parse_options()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    print(
        f"subtomo {subtomo.__version__}, torch {torch.__version__}, numba {numba.__version__}, "
        f"numpy {np.__version__}, Python {sys.version.split()[0]}; one core, one thread, float32"
    )
    peer = Peer(options.peer_python)
    if "speed" in options.parts:
        print_speed(peer, repeats=options.repeats)
    if "accuracy" in options.parts:
        print_accuracy(peer, seeds=options.seeds)


def parse_options():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peer-python",
        help="python of an environment with pyTME 0.3.6 "
        "(python -m venv DIR && DIR/bin/pip install pytme==0.3.6); without it only we run",
    )
    parser.add_argument("--parts", nargs="+", default=["speed", "accuracy"])
    parser.add_argument("--repeats", type=int, default=3, help="timings, of which the least counts")
    parser.add_argument("--seeds", type=int, default=2, help="volumes for each noise level")
    return parser.parse_args()


class Peer:
    """pyTME in its own environment."""

    def __init__(self, python):
        self.python = python

    def __bool__(self):
        return self.python is not None

    def search(self, volume, template, matrices, counts):
        """Return CPU seconds of each count and the scores (z, y, x) of the last."""
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
            np.savez(
                given,
                volume=volume,
                template=template.density,
                mask=template.mask,
                matrices=matrices,
                counts=counts,
            )
            command = [self.python, str(PEER), str(given), str(found)]
            done = subprocess.run(
                command, capture_output=True, text=True, env=os.environ | ONE_THREAD
            )
            if done.returncode:
                sys.exit(f"pyTME failed:\n{done.stderr}")
            with np.load(found) as result:
                self.version = f"pyTME {result['version']}: {result['settings']}"
                return result["seconds"], result["score"]


def make_template(box, *, seed=0):
    """Make a lumpy body as wide as half the box."""
    radius = box / 4
    rng = np.random.default_rng(seed)
    band = bandpass((box,) * 3, 1.0, low_pass=4.0)
    rough = apply_filter(torch.from_numpy(rng.normal(size=(box,) * 3)).float(), band)
    lumps = (rough.abs() / rough.std() + 0.5) * soft_sphere((box,) * 3, radius - 2, 2.0)
    mask = soft_sphere((box,) * 3, radius + 1, 2.0)
    return Template("lumps", lumps.numpy(), mask.numpy(), True, 2 * radius)


def slope(seconds, counts):
    """CPU seconds by rotation between the two counts."""
    return (seconds[1] - seconds[0]) / (counts[1] - counts[0])


def our_seconds(volume, template, matrices, counts, *, to_faces=False):
    """Time each count, tile by tile as the command does."""
    size, box = len(volume), template.box
    first, n = (0, size) if to_faces else (box // 2, size - box + 1)
    tiles = plan_tiles((first,) * 3, (n,) * 3, box)
    whole = Volume(volume, 1.0)
    blocks = [read_block(whole, tuple(a - box // 2 for a in t.first), t.block) for t in tiles]
    seconds = []
    for count in counts:
        start = time.process_time()
        for block in blocks:
            search_block(block, template, matrices[:count])
        seconds.append(time.process_time() - start)
    return seconds


def print_speed(peer, *, repeats):
    """Compare CPU time by rotation at two sizes."""
    template = make_template(32)
    matrices = matrices_from_quaternions(orientation_grid(15.0))
    print("\nCPU ms by rotation, template 32³ (slope between two numbers of rotations)")
    print(
        "volume | rotations | subtomo | searched to the faces | pyTME | ratio | ratio to the faces"
    )
    for size, counts, limit in ((128, (40, 240), 0.5), (192, (16, 80), 0.65)):
        volume = np.random.default_rng(0).normal(size=(size,) * 3).astype(np.float32)
        search_block(volume[:40, :40, :40], template, matrices[:2])  # compile, plan
        ours, faces, theirs = [], [], []
        for _ in range(repeats):
            ours.append(slope(our_seconds(volume, template, matrices, counts), counts))
            faces.append(
                slope(our_seconds(volume, template, matrices, counts, to_faces=True), counts)
            )
            if peer:
                seconds, _ = peer.search(volume, template, matrices, counts)
                theirs.append(slope(seconds, counts))
        ms = [1e3 * min(values) if values else float("nan") for values in (ours, faces, theirs)]
        print(
            f"{size}³ | {counts[0]}, {counts[1]} | {ms[0]:.1f} | {ms[1]:.1f} | {ms[2]:.1f} | "
            f"{ms[0] / ms[2]:.2f} (at most {limit}) | {ms[1] / ms[2]:.2f}"
        )
    print(getattr(peer, "version", "pyTME was not run: give --peer-python"))


def plant(template, *, size, n, sd, seed):
    """Make a volume with particles in noise; return it and the places (n, 3) z, y, x."""
    rng = np.random.default_rng(seed)
    half = template.box // 2
    places = []
    while len(places) < n:
        place = rng.integers(half, size - half - 1, size=3)
        if all(np.linalg.norm(place - other) > template.diameter for other in places):
            places.append(place)
    volume = rng.normal(scale=sd, size=(size,) * 3).astype(np.float32)
    turns = matrices_from_quaternions(random_quaternions(n, rng))
    density = torch.from_numpy(template.density)
    turned = rotate_volumes(density, torch.from_numpy(turns).float(), oversampling=3).numpy()
    for place, one in zip(places, turned, strict=True):
        start = place - half
        volume[tuple(slice(a, a + template.box) for a in start)] += one
    return volume, np.array(places)


def recall_at(score, places, template):
    """Recall of the longest list of picks whose precision is as asked."""
    peaks = find_peaks(
        score, np.ones(score.shape, bool), min_distance_px=template.diameter / 2, at_most=400
    )
    picks = Particles(
        np.full(len(peaks), "a"), peaks.voxel.astype(float), score=peaks.height.astype(float)
    )
    truth = Particles(np.full(len(places), "a"), places.astype(float))
    precision, recall = precision_and_recall(picks, truth, radius=template.diameter / 4)
    good = np.flatnonzero(precision >= PRECISION)
    return recall[good[-1]] if len(good) else 0.0


def print_accuracy(peer, *, seeds):
    """Compare recall at falling signal-to-noise ratio."""
    size, n = 112, 40
    template = make_template(25)
    matrices = matrices_from_quaternions(orientation_grid(20.0))
    inside = template.mask > 0.5
    signal = template.density[inside].var()
    half = template.box // 2
    print(
        f"\nRecall at precision {PRECISION}: {n} particles in {size}³, template {template.box}³, "
        f"{len(matrices)} rotations, {seeds} volumes a row"
    )
    print("SNR (variance in the mask) | subtomo | pyTME")
    for snr in (0.04, 0.03, 0.02, 0.015, 0.01):
        recalls = []
        for seed in range(seeds):
            volume, places = plant(
                template, size=size, n=n, sd=float(np.sqrt(signal / snr)), seed=seed
            )
            both = [
                recall_at(search_block(volume, template, matrices).score, places - half, template)
            ]
            if peer:
                _, score = peer.search(volume, template, matrices, [len(matrices)])
                score = score[(slice(half, size - half),) * 3]  # where the template fits
                both.append(recall_at(score, places - half, template))
            recalls.append(both)
        means = np.mean(recalls, axis=0)
        print(f"{snr} | " + " | ".join(f"{value:.3f}" for value in means))
    print(getattr(peer, "version", "pyTME was not run: give --peer-python"))


if __name__ == "__main__":
    main()
