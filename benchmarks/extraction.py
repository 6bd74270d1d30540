"""Extraction of particle images: CPU time by image, a floor and zarr-particle-tools beside us.

Usage::

    python -m venv /tmp/zpt && /tmp/zpt/bin/pip install zarr-particle-tools==1.0.1
    python benchmarks/extraction.py --peer-bin /tmp/zpt/bin

Each program extracts two numbers of particles from one tilt series (41 tilts of 1536 x 1536
pixels) as a whole process on one core; the time by image is the slope of user and system seconds,
so that start-up drops out and reading and writing do not. Images are premultiplied by CTF and dose
weight, as tests compare them with RELION's to 1e-5 of their deviation.

The floor, likewise: batched ``rfft2`` and ``irfft2`` of the same windows, read from the same file,
and as many bytes written, one file a particle.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import subtomo
from subtomo.formats.mrc import read_mrc
from subtomo.geometry.particle_views import ViewGrid, particle_views
from subtomo.jobs.memory import keep_freed_memory
from subtomo.sources.local_project import open_local_project
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.settings import LocalSource
from tilt_project import make_project

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
IMAGE_PX = 1536
NUMBERS = {64: (200, 1000), 128: (100, 400)}  # of particles, by box
MANY = 2000  # particles of one series


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-bin", type=Path, help="folder of zarr-particle-extract")
    parser.add_argument("--boxes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--repeats", type=int, default=3, help="timings, of which the least counts")
    parser.add_argument("--floor", type=Path, help="run the floor on a project and stop")
    options = parser.parse_args()
    if options.floor:
        torch.set_num_threads(1)
        keep_freed_memory()
        floor(options.floor, options.boxes[0])
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    print(
        f"subtomo {subtomo.__version__}, torch {torch.__version__}, Python "
        f"{sys.version.split()[0]}; one core, one thread, float32, 41 tilts of {IMAGE_PX}²"
    )
    print("CPU ms by image; box | MRC | Zarr | floor | ours / floor | peer MRC, Zarr | ours / peer")
    with tempfile.TemporaryDirectory() as folder:
        for box in options.boxes:
            print_row(box, Path(folder), options)
        print_zarr(Path(folder), options.repeats)


def print_row(box, folder, options):
    """Time everything at one box size."""
    projects = {
        (suffix, n): make_project(folder / f"{suffix[1:]}_{n}", n, image_px=IMAGE_PX, suffix=suffix)
        for suffix in (".mrcs", ".zarr")
        for n in NUMBERS[box]
    }
    ours = {
        suffix: slope(lambda p: extract(p, box), projects, suffix, box, options.repeats)
        for suffix in (".mrcs", ".zarr")
    }
    least = slope(lambda p: run_floor(p, box), projects, ".mrcs", box, options.repeats)
    text = f"{box:4d} | {ours['.mrcs']:.3f} | {ours['.zarr']:.3f} | {least:.3f} | "
    text += f"{ours['.mrcs'] / least:.2f} | "
    if options.peer_bin:
        peer = {
            suffix: slope(
                lambda p: extract_by_peer(options.peer_bin, p, box), projects, suffix, box, 1
            )
            for suffix in (".mrcs", ".zarr")
        }
        text += f"{peer['.mrcs']:.3f}, {peer['.zarr']:.3f} | "
        text += ", ".join(f"{ours[s] / peer[s]:.2f}" for s in peer)
    print(text, flush=True)


def print_zarr(folder, repeats, box=64):
    """Compare Zarr with MRC where the whole series is used; what one particle costs is start-up."""
    seconds = {}
    for suffix in (".mrcs", ".zarr"):
        one, many = (
            make_project(folder / f"{suffix[1:]}_{n}", n, image_px=IMAGE_PX, suffix=suffix)
            for n in (1, MANY)
        )
        least = [
            min(into_empty_folder(lambda p: extract(p, box), project) for _ in range(repeats))
            for project in (one, many)
        ]
        seconds[suffix] = least[1] - least[0]
    ratio = seconds[".zarr"] / seconds[".mrcs"]
    print(
        f"{MANY} particles at box {box}, less start-up: MRC {seconds['.mrcs']:.1f} s, "
        f"Zarr {seconds['.zarr']:.1f} s: {ratio:.2f}"
    )


def slope(run, projects, suffix, box, repeats):
    """CPU ms by image, from two numbers of particles; the least of several timings of each."""
    few, many = NUMBERS[box]
    counts, seconds = [], []
    for n in (few, many):
        project = projects[suffix, n]
        seconds.append(min(into_empty_folder(run, project) for _ in range(repeats)))
        counts.append(image_count(project, box))
    return 1000 * (seconds[1] - seconds[0]) / (counts[1] - counts[0])


def into_empty_folder(run, project):
    """Run where nothing has to be replaced."""
    shutil.rmtree(project / "out", ignore_errors=True)
    return run(project)


def image_count(project, box):
    """Count the images that there are to be extracted."""
    return len(open_views(project, box)[2])


def extract(project, box):
    """Run ours; CPU seconds."""
    command = [sys.executable, "-m", "subtomo", "extract", "stacks", "local"]
    return cpu_seconds([*command, "--executor", "inline", "--quiet", *files_of(project, box)])


def extract_by_peer(folder, project, box):
    """Run zarr-particle-tools; CPU seconds."""
    return cpu_seconds(
        [str(folder / "zarr-particle-extract"), "local", *files_of(project, box)],
        cwd=project,
    )


def files_of(project, box):
    """Options that both programs share."""
    return [
        "--particles-starfile",
        str(project / "particles.star"),
        "--tomograms-starfile",
        str(project / "tomograms.star"),
        "--tiltseries-relative-dir",
        str(project),
        "--output-dir",
        str(project / "out"),
        "--box-size",
        str(box),
        "--overwrite",
    ]


def cpu_seconds(command, cwd=None):
    """User and system seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_floor(project, box):
    """Run the floor as a process of its own; CPU seconds."""
    return cpu_seconds([sys.executable, __file__, "--floor", str(project), "--boxes", str(box)])


def floor(project, box):
    """Transform each window twice and write its bytes, a file a particle."""
    _, positions, views = open_views(project, box)
    images, _ = read_mrc(project.parent / "TS_01.mrcs")
    (project / "out").mkdir()
    for particle in range(len(positions)):
        mine = np.flatnonzero(views.particle == particle)
        places = zip(views.tilt[mine], views.first[mine], strict=True)
        windows = np.stack([images[t, y : y + box, x : x + box] for t, (x, y) in places])
        back = torch.fft.irfft2(torch.fft.rfft2(torch.from_numpy(windows)), s=(box, box))
        (project / "out" / f"{particle}.mrcs").write_bytes(memoryview(back.numpy()).cast("B"))


def open_views(project, box):
    """Read the tables and find the windows."""
    source = LocalSource(
        particles_starfile=project / "particles.star",
        tomograms_starfile=project / "tomograms.star",
        tiltseries_relative_dir=project,
    )
    opened = open_local_project(source)
    (series,) = opened.tilt_series.values()
    positions = particle_poses(opened).position_px * series.pixel_size
    return series, positions, particle_views(series, positions, ViewGrid(box, 1.0, box / 2))


if __name__ == "__main__":
    main()
