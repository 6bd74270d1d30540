"""Template matching: CPU time by rotation and recall of planted particles, pyTME beside us.

Usage::

    python -m venv /tmp/pytme && /tmp/pytme/bin/pip install pytme==0.3.6
    python benchmarks/matching.py --peer-python /tmp/pytme/bin/python

Time is that of the search in one process on one core and one thread, float32: the slope between two
numbers of rotations, in CPU seconds, exhaustive and from coarse to fine. A 32³ template with a
spherical mask, orientations 7° apart. We search where the template fits into the volume, 97³
positions of 128³; the volume of 400 x 400 x 160 is searched in tiles of one shape, of which one is
timed. pyTME pads the volume (128³ to 160³) and gives scores up to the faces, where the template
meets nothing beyond. It takes fewer rotations, for its time is proportional to them.

Recall: the peaks that the search from coarse to fine finds of those of the exhaustive one, in the
same voxel and with a score that differs by less than 0.001.

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
from subtomo.picking.matching.coarse_search import search_coarse_to_fine
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
    if "recall" in options.parts:
        print_recall(seeds=options.seeds)
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
    parser.add_argument("--parts", nargs="+", default=["speed", "recall", "accuracy"])
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


def our_seconds(search, volume, template, matrices, counts):
    """Time each count: one tile's seconds times the number of tiles, which are of one shape."""
    box = template.box
    z, y, x = (size - box + 1 for size in volume.shape)
    tiles = plan_tiles((box // 2,) * 3, (z, y, x), box)
    start = tuple(a - box // 2 for a in tiles[0].first)
    block = read_block(Volume(volume, 1.0), start, tiles[0].block)
    seconds = []
    for count in counts:
        begin = time.process_time()
        search(block, template, matrices[:count])
        seconds.append(len(tiles) * (time.process_time() - begin))
    return seconds


def print_speed(peer, *, repeats):
    """Compare CPU time by rotation at two sizes."""
    template = make_template(32)
    matrices = matrices_from_quaternions(orientation_grid(7.0))
    print(
        "\nCPU ms by rotation, template 32³ (slope between two numbers of rotations, in brackets)"
    )
    print("volume (z, y, x) | exhaustive | coarse to fine | pyTME | ratios, the second at most")
    small = np.random.default_rng(0).normal(size=(64, 64, 64)).astype(np.float32)
    for search in (search_block, search_coarse_to_fine):  # compile, plan
        search(small, template, matrices[:2500])
    for shape, few, many, limit in (
        ((128, 128, 128), (20, 80), (500, 2500), 1 / 4),
        ((160, 400, 400), (4, 12), (500, 2000), 1 / 3),
    ):
        volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        slopes = [[], [], []]
        for _ in range(repeats):
            if peer:
                slopes[2].append(slope(peer.search(volume, template, matrices, few)[0], few))
            for which, (search, counts) in enumerate(
                ((search_block, few), (search_coarse_to_fine, many))
            ):
                seconds = our_seconds(search, volume, template, matrices, counts)
                slopes[which].append(slope(seconds, counts))
        ms = [1e3 * min(values) if values else float("nan") for values in slopes]
        print(
            f"{shape} | {ms[0]:.1f} {few} | {ms[1]:.2f} {many} (in all {seconds[1]:.0f} s) | "
            f"{ms[2]:.1f} {few} | {ms[0] / ms[2]:.2f}, {ms[1] / ms[2]:.3f} ({limit:.2f})",
            flush=True,
        )
    print(getattr(peer, "version", "pyTME was not run: give --peer-python"))


def print_recall(*, seeds):
    """Compare the peaks of the search from coarse to fine with the exhaustive ones."""
    template = make_template(25)
    matrices = matrices_from_quaternions(orientation_grid(7.0))
    matrices = matrices[:3000]
    inside = template.mask > 0.5
    print(f"\nExhaustive peaks that are found: 40 particles in 112³, {len(matrices)} rotations")
    print("SNR (variance in the mask) | peaks above 5 σ | found | above 4 σ | found")
    for snr in (0.04, 0.02):
        counts = np.zeros(4, dtype=int)
        for seed in range(seeds):
            deviation = float(np.sqrt(template.density[inside].var() / snr))
            volume, _ = plant(template, size=112, n=40, sd=deviation, seed=seed, turns=matrices)
            whole = search_block(volume, template, matrices)
            found = search_coarse_to_fine(volume, template, matrices)
            counts += count_found(whole, found, template.diameter / 2)
        print(f"{snr} | {counts[0]} | {counts[1]} | {counts[2]} | {counts[3]}", flush=True)


def count_found(whole, found, distance):
    """Count the peaks above 5 σ and those of them that are found, and the same above 4 σ."""
    peaks, ours = (
        find_peaks(result.score, result.exact, min_distance_px=distance, at_most=5000)
        for result in (whole, found)
    )
    heights = {tuple(voxel): height for voxel, height in zip(ours.voxel, ours.height, strict=True)}
    same = np.array(
        [
            abs(heights.get(tuple(voxel), -2.0) - height) < 1e-3
            for voxel, height in zip(peaks.voxel, peaks.height, strict=True)
        ]
    )
    mean = whole.total / whole.n_scores
    deviation = np.sqrt(whole.total_squares / whole.n_scores - mean**2)
    high = [peaks.height > mean + level * deviation for level in (5, 4)]
    return np.array([value for each in high for value in (each.sum(), same[each].sum())])


def plant(template, *, size, n, sd, seed, turns=None):
    """Make a volume with particles in noise; return it and the places (n, 3) z, y, x.

    They are turned by some of ``turns``, or anyhow.
    """
    rng = np.random.default_rng(seed)
    half = template.box // 2
    places = []
    while len(places) < n:
        place = rng.integers(half, size - half - 1, size=3)
        if all(np.linalg.norm(place - other) > template.diameter for other in places):
            places.append(place)
    volume = rng.normal(scale=sd, size=(size,) * 3).astype(np.float32)
    if turns is None:
        turns = matrices_from_quaternions(random_quaternions(n, rng))
    else:
        turns = turns[rng.integers(0, len(turns), n)]
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
