"""Alignment of subtomograms: CPU time by particle and rotation, scores, errors; acryo beside us.

Usage::

    python -m venv /tmp/acryo && /tmp/acryo/bin/pip install acryo==0.9.1
    python benchmarks/alignment.py --peer-python /tmp/acryo/bin/python

32³ boxes with a missing wedge (tilts of ±60°), shifts up to 3 voxels, one core, one thread. Both
compare each box with the same known reference. Time is the slope between two numbers of rotations,
343 the larger one. Errors: the same noisy boxes, turned by up to 8° and shifted by up to a voxel
and a half, searched 15° around the identity in steps of 5° (ours: then 2.5°; acryo: 343, no
finer step). Scores: acryo's zero-normalised correlation and ours in the whole band, of the best
rotation of boxes whose noise differs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

import subtomo
from subtomo.averaging.angular_search import AngularSearch, count_rotations
from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, prepare_reference
from subtomo.averaging.pose_search import align_particles
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

PEER = Path(__file__).parent / "peers" / "acryo_alignment.py"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
N, MAX_SHIFT, TILTS = 32, 3.0, (-60.0, 60.0)
WHOLE = 15.0  # Fourier voxels of a band that fills the box


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peer-python", help="python of an environment with acryo 0.9.1; without it only we run"
    )
    parser.add_argument("--particles", type=int, default=24)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    print(f"subtomo {subtomo.__version__}, torch {torch.__version__}; one core, one thread")
    reference = make_reference()
    boxes, turns, shifts = make_boxes(reference, options.particles, snr=0.1)
    print("\nCPU ms by particle and rotation")
    ours = {}
    for radius in (5.3, 10.7, WHOLE):
        ours[radius] = our_time(boxes, reference, radius)
        print(f"subtomo, band of {radius} Fourier voxels: {ours[radius]:.3f}")
    if options.peer_python:
        seconds, counts, peer = run_peer(options.peer_python, boxes, reference)
        per_rotation = (seconds[1] - seconds[0]) / (counts[1] - counts[0]) / len(boxes)
        print(f"acryo {peer['version']}, whole box: {1e3 * per_rotation:.3f}")
        print(f"acryo over subtomo in the whole band: {1e3 * per_rotation / ours[WHOLE]:.0f}")
    minutes = 1e-3 * ours[WHOLE] * 343 * 1000 / 60 / 2
    print(f"1,000 particles of 343 rotations, whole band, two cores: {minutes:.1f} minutes")
    print("\nMedian errors against the truth: degrees, voxels")
    found = align(boxes, reference, 10.7, 15.0, 5.0).poses
    print("start |", describe(np.tile([0.0, 0, 0, 1], (len(boxes), 1)), 0 * shifts, turns, shifts))
    print("subtomo |", describe(found.orientation, found.shift_px, turns, shifts))
    if options.peer_python:
        print("acryo |", describe(peer["quaternion"], peer["shift"], turns, shifts))
        scores = align(boxes, reference, WHOLE, 15.0, 5.0).poses.score
        together = np.corrcoef(scores, peer["score"])[0, 1]
        print(
            f"\nScores: medians {np.median(scores):.3f}, acryo {np.median(peer['score']):.3f}; "
            f"correlation between the two over the boxes {together:.3f}"
        )


def make_reference(seed=0):
    """Make a body of blobs about half as wide as the box."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((14, 3))
    points *= rng.uniform(0.2, 1, (14, 1)) * N / 5 / np.linalg.norm(points, axis=1)[:, None]
    axis = torch.arange(N) - N // 2
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")[::-1], dim=-1)
    squares = (((grid - torch.tensor(point)) ** 2).sum(-1) for point in points)
    return sum(torch.exp(-square / (2 * 1.4**2)) for square in squares).float()


def make_boxes(reference, count, *, snr, seed=1):
    """Make noisy boxes in known poses near the identity."""
    rng = np.random.default_rng(seed)
    axes = rng.standard_normal((count, 3))
    angles = rng.uniform(2, 8, (count, 1))
    turns = Rotation.from_rotvec(
        axes / np.linalg.norm(axes, axis=1)[:, None] * angles, degrees=True
    )
    shifts = rng.uniform(-1.5, 1.5, (count, 3))
    boxes = rotate_volumes(
        reference, torch.from_numpy(turns.as_matrix()), torch.from_numpy(shifts), oversampling=3
    )
    dims, wedge = (1, 2, 3), missing_wedge((N,) * 3, TILTS)
    boxes = torch.fft.irfftn(torch.fft.rfftn(boxes, dim=dims) * wedge, s=(N,) * 3, dim=dims)
    noise = torch.from_numpy(rng.standard_normal(boxes.shape)).float()
    amount = torch.from_numpy(rng.uniform(0.6, 1.4, (count, 1, 1, 1))).float()
    return boxes / boxes.std() * snr**0.5 + amount * noise, turns, shifts


def align(boxes, reference, radius, reach, step):
    """Align all boxes from the identity."""
    count = len(boxes)
    return align_particles(
        boxes,
        missing_wedge((N,) * 3, TILTS).expand(count, -1, -1, -1),
        torch.zeros(count, 3),
        np.tile([0.0, 0, 0, 1], (count, 1, 1)),
        [prepare_reference(reference)],
        torch.ones(N // 2 + 1),
        Band(Box(N, 10.0), radius, MAX_SHIFT),
        AngularSearch("local", step, reach),
    )[0]


def our_time(boxes, reference, radius):
    """CPU ms by particle and rotation, the slope between two searches."""
    align(boxes[:2], reference, radius, 5.0, 5.0)  # compile
    seconds, counts = [], []
    for reach in (5.0, 18.5):
        start = time.process_time()
        align(boxes, reference, radius, reach, 5.0)
        seconds.append(time.process_time() - start)
        counts.append(count_rotations(AngularSearch("local", 5.0, reach)))
    return 1e3 * (seconds[1] - seconds[0]) / (counts[1] - counts[0]) / len(boxes)


def run_peer(python, boxes, reference):
    """Align the same boxes with acryo: CPU seconds, rotations, and the poses of the last search."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(
            given,
            boxes=boxes.numpy(),
            reference=reference.numpy(),
            mask=soft_sphere((N,) * 3, N / 2 - 4, 3).numpy(),
            tilt_range=np.array(TILTS),
            max_shift=MAX_SHIFT,
            searches=np.array([[5.0, 5.0], [15.0, 5.0]]),
        )
        command = [python, str(PEER), str(given), str(found)]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ONE_THREAD)
        if done.returncode:
            sys.exit(f"acryo failed:\n{done.stderr}")
        with np.load(found) as result:
            values = {name: result[name] for name in result.files}
    return values["seconds"], values["counts"], values


def describe(quaternions, found_shifts, turns, shifts):
    """Median errors; a peer's convention is the one of four that fits best."""
    q = np.asarray(quaternions, dtype=np.float64)
    swapped = q[:, [2, 1, 0, 3]] * [-1, -1, -1, 1]  # the same turn with axes in the other order
    rotations = [Rotation.from_quat(tried) for tried in (q, swapped)]
    rotations += [rotation.inv() for rotation in rotations]
    errors = [np.median(np.degrees((r.inv() * turns).magnitude())) for r in rotations]
    distances = [
        np.median(np.linalg.norm(s - shifts, axis=1)) for s in (found_shifts, -found_shifts)
    ]
    return f"{min(errors):.2f}°, {min(distances):.2f}"


if __name__ == "__main__":
    main()
