"""Extraction of boxes from tomograms: error against truths, and CPU time beside acryo and reading.

Usage::

    python -m venv /tmp/acryo && /tmp/acryo/bin/pip install acryo==0.9.1
    python benchmarks/volumes.py --peer-python /tmp/acryo/bin/python

Row "extraction": equality with the truth at whole positions, the error at sub-voxel ones inside the
box less 2 voxels, and where a pick from a tomogram binned by 2 lands in the full one.

Row "extraction speed": 1000 boxes of 64³ from a tomogram of 512 x 512 x 256 voxels (x, y, z) in
an MRC file, at sub-voxel positions and without orientation, as an array in memory: user and system
seconds of a process of its own with one thread, less those of a process that opens the same and
extracts nothing. acryo's ``SubtomogramLoader`` is given the tomogram as a memory map and as an
array, and hands out boxes in batches of 50 by ``construct_dask().compute()``; the fastest counts,
measured on ``--peer-boxes`` of them. Reading alone copies the same boxes from the memory map. The
truth is noise up to a fraction of the Nyquist frequency, moved by a phase of the whole tomogram's
Fourier transform (float64), for the boxes that share the first position's part of a voxel; errors
are of the box less 2 voxels, over the truth's deviation. Memory is the most that a whole
``subtomo extract volumes`` had resident, pages of the mapped tomogram included.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy
import torch

import subtomo
from subtomo.formats.mrc import read_mrc
from subtomo.formats.particles import write_particles
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.jobs.memory import keep_freed_memory
from subtomo.model import Particles, TomogramFrame, Volume
from subtomo.signal.boxes import cut_boxes

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
SHAPE = (256, 512, 512)  # z, y, x
BOX, N_BOXES, N_JUDGED, BATCH = 64, 1000, 20, 50
LIMITS = (0.5, 0.8, 0.9)  # of the truth, fractions of the Nyquist frequency
PIXEL = 10.0
PEER = """
import os, resource, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
import acryo, dask, scipy
folder, order, kind, count, out = sys.argv[1:]
dask.config.set(scheduler="single-threaded")
image = np.load(f"{folder}/tomogram.npy", mmap_mode="r")
image = np.array(image) if kind == "array" else np.asarray(image)
positions = np.load(f"{folder}/voxels.npy")[:, ::-1][: int(count)]
# its box of even size has its centre between voxels: half a voxel to bring ours onto voxel n // 2
positions = positions - 0.5
boxes = np.empty((len(positions), 64, 64, 64), np.float32)
for start in range(0, len(positions), 50):
    molecules = acryo.Molecules(positions[start : start + 50])
    loader = acryo.SubtomogramLoader(image, molecules, order=int(order), output_shape=(64, 64, 64))
    boxes[start : start + 50] = loader.construct_dask().compute()
if out != "-":
    np.save(out, boxes)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(usage.ru_utime + usage.ru_stime, acryo.__version__, np.__version__, scipy.__version__)
"""


def main():
    """Print both rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", type=Path, help="Python of an environment with acryo")
    parser.add_argument("--repeats", type=int, default=3, help="timings, of which the least counts")
    parser.add_argument(
        "--peer-boxes",
        type=int,
        default=200,
        help=f"boxes that acryo is timed on; its seconds are brought to {N_BOXES}",
    )
    parser.add_argument("--ours", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.ours:
        run_ours(Path(options.ours[0]), options.ours[1], int(options.ours[2]))
        return
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(
        f"subtomo {subtomo.__version__}, torch {torch.__version__}, numpy {np.__version__}, scipy "
        f"{scipy.__version__}, Python {platform.python_version()}; one core, one thread, float32; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    print_accuracy()
    with tempfile.TemporaryDirectory() as folder:
        print_speed(Path(folder), options)
        print_memory(Path(folder))


def print_accuracy():
    """Print the row "extraction", noise-free."""
    rng = np.random.default_rng(1)
    data, moved = noise_and_its_move((96, 96, 96), 0.8, np.array([0.37, -0.21, 0.48]), rng)
    volume = Volume(data, PIXEL)
    whole = np.array([[48.0, 47, 50]]) * PIXEL
    box = cut_boxes(volume, whole, 32)[0].numpy()
    print(
        f"whole positions: largest difference {np.abs(box - data[34:66, 31:63, 32:64]).max():.1e}"
    )
    place = whole + np.array([0.37, -0.21, 0.48]) * PIXEL
    box = cut_boxes(volume, place, 32)[0].numpy()
    error = relative_error(box, moved[34:66, 31:63, 32:64])
    print(f"sub-voxel positions, truth up to 0.8 of Nyquist: {100 * error:.3f} % relative RMS")
    print(f"picked at bin 2, extracted at bin 1: {distance_between_binnings(rng):.4f} voxels apart")


def distance_between_binnings(rng):
    """Greatest distance (voxels) of blobs, picked in a binned tomogram, from the box's centre."""
    places = rng.uniform(30, 66, (10, 3))
    apart = []
    for place in places:
        full = Volume(blob((97, 96, 95), place), PIXEL)
        z, y, x = (n // 2 * 2 for n in full.shape)
        means = full.data[:z, :y, :x].reshape(z // 2, 2, y // 2, 2, x // 2, 2).mean((1, 3, 5))
        binned = Volume(means, 2 * PIXEL, (PIXEL / 2,) * 3)
        pick = binned.index_to_position(centre_of_mass(binned.data)[None])
        box = cut_boxes(full, pick, 24)[0].numpy()
        apart.append(np.linalg.norm(centre_of_mass(box) - 12))
    return max(apart)


def blob(shape, place):
    """Make a Gaussian of 2 voxels at a place (x, y, z)."""
    axes = [
        np.exp(-((np.arange(n) - at) ** 2) / 8) for n, at in zip(shape, place[::-1], strict=True)
    ]
    return (axes[0][:, None, None] * axes[1][:, None] * axes[2]).astype(np.float32)


def centre_of_mass(values):
    """Centre (x, y, z) of what is above a twentieth of the maximum."""
    weights = np.where(values > values.max() / 20, values, 0)
    return np.array([(weights * grid).sum() / weights.sum() for grid in np.indices(values.shape)])[
        ::-1
    ]


def noise_and_its_move(shape, limit, fraction, rng):
    """White noise below a radius of frequencies, and its values ``fraction`` (x, y, z) further."""
    transform = np.fft.rfftn(rng.standard_normal(shape))
    axes = [np.fft.fftfreq(n) for n in shape[:-1]] + [np.fft.rfftfreq(shape[-1])]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    transform[x**2 + y**2 + z**2 > (limit / 2) ** 2] = 0
    data = np.fft.irfftn(transform, s=shape, axes=(0, 1, 2))
    transform *= np.exp(2j * np.pi * (x * fraction[0] + y * fraction[1] + z * fraction[2]))
    moved = np.fft.irfftn(transform, s=shape, axes=(0, 1, 2))
    return tuple((each / data.std()).astype(np.float32) for each in (data, moved))


def relative_error(box, truth, less=2):
    """RMS of the difference over that of the truth, ``less`` voxels inside each face."""
    inner = (..., *(slice(less, -less),) * 3)
    difference = box[inner] - truth[inner]
    return float(np.sqrt((difference**2).mean() / (truth[inner] ** 2).mean()))


def print_speed(folder, options):
    """Print the row "extraction speed"."""
    errors = {}
    for limit in LIMITS:
        truth, judged = make_data(folder, limit)
        errors["ours", limit] = relative_error(judged.numpy(), truth)
        for order in (1, 3) if options.peer_python else ():
            run_peer(options.peer_python, folder, order, "map", N_JUDGED, folder / "peer.npy")
            errors[order, limit] = relative_error(np.load(folder / "peer.npy"), truth)
    repeats = range(options.repeats)
    ours = min(seconds_of_ours(folder, "cut", N_BOXES) for _ in repeats)
    start = min(seconds_of_ours(folder, "cut", 0) for _ in repeats)
    reading = min(seconds_of_ours(folder, "read", N_BOXES) for _ in repeats)
    ours, reading = ours - start, reading - start
    print(f"CPU seconds for {N_BOXES} boxes of {BOX}³ | ours / it | error at {LIMITS} of Nyquist")
    print(line("reading alone", reading, ours, None))
    print(line("subtomo", ours, ours, [errors["ours", limit] for limit in LIMITS]))
    for order in (1, 3) if options.peer_python else ():
        seconds, versions = peer_seconds(options, folder, order)
        peer = [errors[order, limit] for limit in LIMITS]
        print(line(f"acryo order {order}", seconds, ours, peer), flush=True)
    if options.peer_python:
        print(f"acryo, numpy, scipy there: {versions}")


def line(name, seconds, ours, errors):
    """One row of the table."""
    shown = "" if errors is None else ", ".join(f"{100 * error:.2f} %" for error in errors)
    return f"{name:15s} {seconds:7.2f} | {seconds / ours:5.2f} | {shown}"


def make_data(folder, limit):
    """Write a tomogram, positions in voxels; give the truth of the first boxes, and ours."""
    rng = np.random.default_rng(2)
    fraction = np.array([0.31, 0.47, -0.22])
    data, moved = noise_and_its_move(SHAPE, limit, fraction, rng)
    np.save(folder / "tomogram.npy", data)
    write_volume(folder / "tomogram.mrc", Volume(data, PIXEL))
    margin = BOX // 2 + 16
    whole = rng.integers(margin, np.array(SHAPE[::-1]) - margin, (N_BOXES, 3))
    voxels = whole + rng.uniform(-0.5, 0.5, (N_BOXES, 3))
    voxels[:N_JUDGED] = whole[:N_JUDGED] + fraction
    np.save(folder / "voxels.npy", voxels)
    truth = []
    for x, y, z in whole[:N_JUDGED] - BOX // 2:
        truth.append(moved[z : z + BOX, y : y + BOX, x : x + BOX])
    volume = read_volume(folder / "tomogram.mrc")
    return np.array(truth), cut_boxes(volume, voxels[:N_JUDGED] * PIXEL, BOX)


def run_ours(folder, what, count):
    """Cut or only read boxes in this process; print its CPU seconds."""
    keep_freed_memory()
    voxels = np.load(folder / "voxels.npy")[:count]
    volume = read_volume(folder / "tomogram.mrc")
    for start in range(0, count, BATCH):
        batch = voxels[start : start + BATCH]
        if what == "cut":
            cut_boxes(volume, batch * PIXEL, BOX)
            continue
        boxes = np.empty((len(batch), BOX, BOX, BOX), np.float32)
        for box, (x, y, z) in zip(boxes, np.rint(batch).astype(int) - BOX // 2, strict=True):
            box[:] = volume.data[z : z + BOX, y : y + BOX, x : x + BOX]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(usage.ru_utime + usage.ru_stime)


def seconds_of_ours(folder, what, count):
    """CPU seconds of a process of our own."""
    return float(output_of([sys.executable, __file__, "--ours", folder, what, count]))


def peer_seconds(options, folder, order):
    """CPU seconds of acryo less its start, the less of both ways to give it the tomogram."""
    best, versions = np.inf, ""
    for kind in ("map", "array"):
        runs = {}
        for count in (0, options.peer_boxes):
            done = [
                run_peer(options.peer_python, folder, order, kind, count, "-")
                for _ in range(options.repeats)
            ]
            runs[count] = min(float(text.split()[0]) for text in done)
            versions = ", ".join(done[0].split()[1:])
        best = min(best, (runs[options.peer_boxes] - runs[0]) / options.peer_boxes * N_BOXES)
    return best, versions


def run_peer(python, folder, order, kind, count, out):
    """Extract by acryo in a process of its own; give what it printed."""
    return output_of([python, "-c", PEER, folder, order, kind, count, out])


def output_of(command):
    """Run a command with one thread; give what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return done.stdout.strip()


def print_memory(folder):
    """Print what whole commands take, for few and many particles, in each format of boxes."""
    print("subtomo extract volumes, whole: format, particles: CPU s | most memory | wall s")
    voxels = np.load(folder / "voxels.npy")
    data, _ = read_mrc(folder / "tomogram.mrc")
    frame = TomogramFrame(data.shape[::-1], PIXEL)
    runs = [("mrc", 100), ("mrc", N_BOXES), ("mrc", 2 * N_BOXES)]
    for kind, count in [*runs, *((kind, N_BOXES) for kind in ("mrc-stack", "hdf", "zarr"))]:
        rows = np.resize(np.arange(len(voxels)), count)
        table = folder / "particles.star"
        names = np.full(count, "tomogram")
        write_particles(table, Particles(names, voxels[rows] * PIXEL), {"tomogram": frame})
        cpu, memory, wall = measure(folder, kind)
        print(f"{kind:9s} {count:5d}: {cpu:6.1f} | {memory / 1024:5.0f} MB | {wall:5.1f}")


def measure(folder, kind):
    """CPU seconds, most resident kB and seconds of one command."""
    out = folder / "out"
    command = [sys.executable, "-m", "subtomo", "extract", "volumes", folder / "particles.star"]
    command += ["--tomograms", folder / "tomogram.mrc", "--box-size", BOX, "--output-dir", out]
    command += ["--output-format", kind, "--executor", "inline", "--quiet", "--overwrite"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{kind}: the command failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss, time.perf_counter() - started


if __name__ == "__main__":
    main()
