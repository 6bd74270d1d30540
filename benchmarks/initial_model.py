"""Initial models of simulated particles in unknown orientations, against the truth.

From the command line, with the settings' defaults: simulate the preset and reconstruct it once for
each seed of evaluation, cut 32³ boxes at the true positions with a picker's errors (a normal one of
a voxel along each axis), forget the orientations, and run ``subtomo initial-model`` with one seed
after another, each on its own choice of particles and errors. Printed are

* where the Fourier shell correlation with the truth falls below 0.5, after the best alignment by
  rotation and shift (Å; at most 50, which is 5 voxels), under the ball that fills the box;
* the same for the mirrored truth, which is no match;
* CPU seconds of the command.

    python benchmarks/initial_model.py [--preset sparse] [--particles 50] [--seeds 10]
        [--symmetry D2] [--noise medium] [--simulations 7001 7002 7003] [--out FOLDER]
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band, correlate, observe, prepare_reference
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import frames_of_table
from subtomo.formats.volumes import read_volume
from subtomo.geometry.orientation_grid import local_orientations, orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions, multiply_quaternions
from subtomo.model import Particles
from subtomo.signal.fsc import fourier_shell_correlation, resolution_at, shell_frequencies
from subtomo.signal.rotation import rotate_volumes
from subtomo.simulation.presets import EVALUATION_SEEDS

N, PIXEL = 32, 10.0
LIMIT, LEAST_SEEDS = 50.0, 0.9  # Å, and the part of the seeds that must reach it
PICKING_ERROR = 10.0  # Å along each axis
COMPARED = 50.0  # Å, of the alignment to the truth
STEPS_DEG = (15.0, 7.5, 4.0, 2.0)  # of that alignment
IDENTITY = (0.0, 0.0, 0.0, 1.0)


def main() -> int:
    """Print a row for each seed; 1 where too few reach the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="sparse")
    parser.add_argument("--simulations", type=int, nargs="+", default=list(EVALUATION_SEEDS))
    parser.add_argument("--particles", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--symmetry", default="C1", help="searched and applied")
    parser.add_argument("--noise", default="medium")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/initial_model"))
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="of the command")
    options = parser.parse_args()
    print(f"{'seed':>4}{'simulation':>12}{'0.5 (Å)':>9}{'mirror (Å)':>12}{'CPU (s)':>9}")
    reached = []
    for seed in range(options.seeds):
        number = options.simulations[seed % len(options.simulations)]
        source = simulated(options, number)
        boxes = cut(options, source, seed)
        folder, seconds = make_model(options, boxes, seed)
        truth = true_density(source)
        model = torch.tensor(read_volume(folder / "initial_model.mrc").load())
        resolution, mirrored = (resolution_against(model, one) for one in (truth, truth.flip(2)))
        reached.append(resolution <= LIMIT)
        print(f"{seed:4}{number:12}{resolution:9.1f}{mirrored:12.1f}{seconds:9.0f}", flush=True)
    print(f"{sum(reached)} of {len(reached)} at {LIMIT:g} Å or finer")
    return int(np.mean(reached) < LEAST_SEEDS)


def run(*arguments: object) -> float:
    """Run a command; CPU seconds of it and its workers."""
    before = os.times()
    command = [sys.executable, "-m", "subtomo", *map(str, arguments), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system


def is_finished(folder: Path) -> bool:
    """Tell whether a job was finished."""
    record = folder / "job.json"
    return record.is_file() and json.loads(record.read_text())["state"] == "finished"


def simulated(options: argparse.Namespace, number: int) -> Path:
    """Simulate and reconstruct, as many tilt series as the particles need."""
    series = -(-options.particles // 55)  # each holds sixty
    name = f"{options.preset}_{options.noise}_{number}" + (f"_{series}" if series > 1 else "")
    folder = options.out / name
    if not is_finished(folder):
        preset = ["--preset", options.preset, "--noise", options.noise, "--seed", number]
        run("simulate", *preset, "--tilt-series", series, "-o", folder, "--overwrite")
    tomograms = options.out / f"{name}_tomo"
    if not is_finished(tomograms):
        run("tomogram", "reconstruct", folder, "-o", tomograms, "--overwrite")
    return folder


def cut(options: argparse.Namespace, source: Path, seed: int) -> Path:
    """Cut boxes at wrong positions, without orientations."""
    boxes = options.out / f"{source.name}_boxes_{seed}"
    if is_finished(boxes):
        return boxes
    truth = read_particles(source / "truth" / "particles.star")
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(truth))[: options.particles])
    chosen = truth.select(rows)
    wrong = Particles(
        chosen.tomogram, chosen.position + rng.normal(0, PICKING_ERROR, chosen.position.shape)
    )
    table = options.out / f"{source.name}_picks_{seed}.star"
    write_particles(table, wrong, frames_of_table(source / "truth" / "particles.star"))
    tomograms = options.out / f"{source.name}_tomo"
    command = ["extract", "volumes", table, "--tomograms", tomograms, "--box-size", N]
    run(*command, "--border", "pad", "-o", boxes, "--overwrite")
    return boxes


def make_model(options: argparse.Namespace, boxes: Path, seed: int) -> tuple[Path, float]:
    """Make the model; its folder and CPU seconds."""
    folder = options.out / f"{boxes.name}_model"
    symmetry = []
    if options.symmetry != "C1":
        symmetry = ["--symmetry", options.symmetry, "--apply-symmetry"]
    command = ["initial-model", boxes / "particles.star", "--seed", seed, *symmetry]
    return folder, run(*command, *options.options, "-o", folder, "--overwrite")


def true_density(source: Path) -> Tensor:
    """Read the density into the box."""
    values = torch.tensor(read_volume(source / "truth" / "densities" / "target.mrc").load())
    low = values.shape[0] // 2 - N // 2
    if low < 0:
        return torch.nn.functional.pad(values, (-low, N - values.shape[0] + low) * 3)
    inner = slice(low, low + N)
    return values[inner, inner, inner].contiguous()


def resolution_against(model: Tensor, truth: Tensor) -> float:
    """Turn and shift the truth to where it fits best; where they stop to agree (Å)."""
    box = Box(N, PIXEL)
    band = Band(box, box.shell_of(COMPARED), 8.0)
    power = box.shell_mean(torch.fft.rfftn(model * box.sphere).abs() ** 2)
    weights = (1 / power.clamp_min(1e-6 * float(power.max()))).float()
    whole = torch.ones(N, N, N // 2 + 1)
    observed = observe(model, whole, torch.zeros(3), weights, band)
    spectrum = prepare_reference(truth * box.sphere)

    def best_of(tried: np.ndarray) -> tuple[float, np.ndarray, Tensor]:
        matrices = torch.from_numpy(matrices_from_quaternions(tried))
        scores, shifts = correlate(spectrum, observed, matrices, band)
        i = int(scores.argmax())
        return float(scores[i]), tried[i], shifts[i]

    grid = orientation_grid(STEPS_DEG[0])
    scores, _ = correlate(
        spectrum, observed, torch.from_numpy(matrices_from_quaternions(grid)), band
    )
    found = []
    for start in scores.argsort(descending=True)[:5].tolist():
        orientation = grid[start]
        for step in STEPS_DEG[1:]:
            turns = local_orientations(IDENTITY, 2 * step, step)
            result = best_of(multiply_quaternions(turns, orientation))
            orientation = result[1]
        found.append(result)
    _, orientation, shift = max(found, key=lambda one: one[0])
    matrix = torch.from_numpy(matrices_from_quaternions(orientation[None]))
    moved = rotate_volumes(truth, matrix, shift[None], oversampling=3)[0]
    curve = fourier_shell_correlation(model * box.sphere, moved * box.sphere).numpy()
    return resolution_at(shell_frequencies(N, PIXEL), curve, 0.5)


if __name__ == "__main__":
    sys.exit(main())
