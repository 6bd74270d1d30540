"""The tutorial on directional picking, end to end, on simulated membranes whose truth is known.

For each radius of curvature and each seed of the preset ``membrane``, from the command line:
simulate, reconstruct, click (docs/directional_picking_clicks.py: 60 points on the membrane and 12
crowns, each off by a voxel), orient the crowns by the membrane with a marker inside and with one
outside, cut them out, turn them to their common axis and average. Printed are

* ``axis``: median and largest error of the z axes (degrees; at most 3 in the median), and how many
  of 12 point outwards, and inwards with the marker on the other side;
* ``crown``, ``membrane``: correlation of the cylindrical average with that of the true density, at
  30 Å, above the membrane and in it (at least 0.5 with little noise); in brackets that of a control
  with random orientations: crowns are then turned about their middle, which leaves something
  there, and the membrane goes.

    python benchmarks/directional_picking.py [--radii 600 1000 1500] [--noise easy] [--workers 2]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))

import numpy as np
import torch
from directional_picking_clicks import make_clicks, write_clicks
from numpy.typing import NDArray
from torch import Tensor

from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import frames_of_table
from subtomo.formats.volumes import read_volume
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.signal.cylindrical import cylindrical_mean
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.simulation.densities import GRID_BLUR
from subtomo.simulation.membranes import HEAD_WIDTH, LEAFLET_MASS
from subtomo.simulation.presets import MEMBRANE_SEEDS, preset_values

N, PIXEL, LOW_PASS = 32, 10.0, 30.0
MOST_AXIS_ERROR = 3.0  # degrees, median
LEAST_CORRELATION, JUDGED = 0.5, "easy"  # with noise that hides more, it is only told
RADIUS_PX = 12  # voxels around the axis that are compared
EDGE_PX = 4  # voxels below the crown's centre where the membrane's part begins


def main() -> int:
    """Print a row for each membrane; 1 where one misses a limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--radii", type=float, nargs="+", default=[600.0, 1000.0, 1500.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(MEMBRANE_SEEDS))
    parser.add_argument("--noise", nargs="+", default=["easy"])
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    print(
        f"{'radius':>6}{'seed':>6} {'noise':8}{'axis (°)':>13}{'out':>5}{'in':>4}"
        f"{'crown':>16}{'membrane':>16}"
    )
    missed = 0
    for noise in options.noise:
        for radius in options.radii:
            for seed in options.seeds:
                with tempfile.TemporaryDirectory() as folder:
                    missed += not row(Path(folder), radius, seed, noise, options.workers)
    return int(missed > 0)


def row(folder: Path, radius: float, seed: int, noise: str, workers: int) -> bool:
    """Run the chain on one membrane and print what came out; tell whether it is good."""
    simulate(folder, radius, seed, noise, workers)
    truth = read_particles(folder / "simulated" / "truth" / "particles.star")
    clicks = make_clicks(folder / "simulated", seed=seed)
    write_clicks(folder / "clicks", clicks)
    axes = {}
    for side in ("inside", "outside"):
        table = pick(folder, side, getattr(clicks, side))
        axes[side] = z_axes(read_particles(table).orientation)
    normals = z_axes(truth.orientation)
    cosine = np.clip((axes["inside"] * normals).sum(axis=1), -1, 1)
    errors = np.degrees(np.arccos(cosine))
    n_out = int((cosine > 0).sum())
    n_in = int(((axes["outside"] * normals).sum(axis=1) < 0).sum())
    tomograms, table = folder / "reconstructed", folder / "inside" / "particles.star"
    random = with_random_orientations(table, folder / "control.star", seed)
    found = agreement(average(tomograms, table, folder / "average"), folder, radius)
    control = agreement(average(tomograms, random, folder / "control"), folder, radius)
    both = [f"{a:.2f} ({b:+.2f})" for a, b in zip(found, control, strict=True)]
    is_good = np.median(errors) <= MOST_AXIS_ERROR and n_out == n_in == len(truth)
    shown = [a > LEAST_CORRELATION for a in found]
    is_good &= noise != JUDGED or (all(shown) and found[0] > control[0] and found[1] > control[1])
    print(
        f"{radius / PIXEL:6.0f}{seed:6d} {noise:8}{np.median(errors):6.2f}{errors.max():7.2f}"
        f"{n_out:5d}{n_in:4d}{both[0]:>16}{both[1]:>16}{'' if is_good else '   MISSED'}",
        flush=True,
    )
    return bool(is_good)


def simulate(folder: Path, radius: float, seed: int, noise: str, workers: int) -> None:
    """Make tilt series and tomogram."""
    run(
        f"simulate --preset membrane --seed {seed} --noise {noise} --workers {workers} "
        f"--membranes kind=sphere,radius={radius:g},whole=false -o {folder}/simulated"
    )
    run(
        f"tomogram reconstruct {folder}/simulated --ctf-correction flip --workers {workers} "
        f"-o {folder}/reconstructed"
    )


def pick(folder: Path, name: str, marker: NDArray[np.float64]) -> Path:
    """Orient the crowns by the membrane."""
    place = " ".join(f"{x:.1f}" for x in marker)
    run(
        f"pick model {folder}/clicks/crowns.csv --orient-by {folder}/clicks/membrane.csv "
        f"--orientation-model-type surface --marker {place} --tomograms {folder}/reconstructed "
        f"--box-size {N} -o {folder}/{name}"
    )
    return folder / name / "particles.star"


def average(tomograms: Path, table: Path, folder: Path) -> Path:
    """Cut boxes, turn and average them, over those of an earlier run; give the folder."""
    boxes = folder.with_name(f"{folder.name}_boxes")
    run(
        f"extract volumes {table} --tomograms {tomograms} --box-size {N} --border pad "
        f"--overwrite -o {boxes}"
    )
    run(
        f"average {boxes}/particles.star --apply-alignment --tomograms {tomograms} "
        f"--random-in-plane --cylindrical --overwrite -o {folder}"
    )
    return folder


def run(words: str) -> None:
    """Run a command of subtomo; its messages are shown where it fails."""
    command = [sys.executable, "-m", "subtomo", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"subtomo {words}\n{done.stderr}{done.stdout}")


def with_random_orientations(table: Path, path: Path, seed: int) -> Path:
    """Write the control: the same places, any orientation."""
    particles = read_particles(table)
    drawn = random_quaternions(len(particles), np.random.default_rng(seed))
    write_particles(path, particles.with_columns(orientation=drawn), frames_of_table(table))
    return path


def z_axes(orientation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the particles' z axes in the tomogram: (n, 3)."""
    return matrices_from_quaternions(orientation)[:, :, 2]


def agreement(folder: Path, base: Path, radius: float) -> tuple[float, float]:
    """Correlate the cylindrical average with the truth's, where the crown and the membrane are."""
    found = low_passed(torch.tensor(read_volume(folder / "cylindrical_average.mrc").load()))
    truth = low_passed(cylindrical_mean(true_density(base, radius)))
    axis = torch.arange(N) - N // 2
    near = torch.hypot(axis[:, None].float(), axis.float()) < RADIUS_PX
    z = axis[:, None, None]
    zones = ((z >= -EDGE_PX) & (z < RADIUS_PX), (z < -EDGE_PX) & (z > -N // 2 + 2))
    crown, membrane = (correlation(found[zone & near], truth[zone & near]) for zone in zones)
    return crown, membrane


def true_density(base: Path, radius: float) -> Tensor:
    """Make a crown and the membrane below it, as they were simulated: (n, n, n)."""
    crown = read_volume(base / "simulated" / "truth" / "densities" / "crown.mrc").load()
    margin = (N - len(crown)) // 2
    density = torch.from_numpy(np.pad(crown, margin)).double()
    height = preset_values("membrane")["species"][0]["height"]
    axis = (torch.arange(N, dtype=torch.float64) - N // 2) * PIXEL
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    distance = torch.sqrt(x**2 + y**2 + (z + radius + height) ** 2) - radius
    width = float(np.hypot(HEAD_WIDTH, GRID_BLUR * PIXEL))
    for leaflet in (-18.5, 18.5):
        across = torch.exp(-((distance - leaflet) ** 2) / (2 * width**2))
        density += LEAFLET_MASS * across / (width * np.sqrt(2 * np.pi))
    return density


def low_passed(volume: Tensor) -> Tensor:
    """Take away what is finer than 30 Å."""
    volume = volume.float()
    return apply_filter(volume, bandpass(volume.shape, PIXEL, low_pass=LOW_PASS))


def correlation(a: Tensor, b: Tensor) -> float:
    """Compute the correlation coefficient."""
    return float(torch.corrcoef(torch.stack([a.double(), b.double()]))[0, 1])


if __name__ == "__main__":
    sys.exit(main())
