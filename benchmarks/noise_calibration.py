"""How many picks noise gives where ten are expected: white noise, and coloured with a wedge.

    python benchmarks/noise_calibration.py [--expected 10] [--seeds 4]

Runs ``subtomo pick match`` on tomograms of noise alone. The coloured noise falls with the frequency
and has a missing wedge, as a reconstruction's has. Chance alone spreads the counts of ten by three.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from subtomo.formats.volumes import write_volume
from subtomo.model import Volume
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.masks import soft_sphere
from subtomo.signal.wedge import missing_wedge

SHAPE, PIXEL_SIZE, TILT_RANGE = (120, 120, 120), 10.0, (-60.0, 60.0)
DIAMETER = 200.0  # Å
SOFTEST = 1 / 400.0  # 1/Å, below which the coloured noise does not grow


def main() -> None:
    """Print expected and found picks, a row a kind of noise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--expected", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "lumps.mrc"
        write_volume(template, Volume(lumps(), PIXEL_SIZE))
        for kind, make in (("white", white), ("coloured, missing wedge", coloured)):
            place = Path(folder) / kind.split(",")[0]
            place.mkdir()
            for seed in range(arguments.seeds):
                noise = make(np.random.default_rng(100 + seed))
                write_volume(place / f"noise_{seed}.mrc", Volume(noise, PIXEL_SIZE))
            options = ["--tilt-range", *map(str, TILT_RANGE)] if make is coloured else []
            print(f"{kind}: {match(place, template, arguments.expected, options)}", flush=True)


def lumps() -> np.ndarray:
    """Make a template: lumps in a ball."""
    rng = np.random.default_rng(1)
    box = (28,) * 3
    rough = torch.from_numpy(rng.standard_normal(box)).float()
    smooth = apply_filter(rough, bandpass(box, PIXEL_SIZE, low_pass=45.0))
    ball = soft_sphere(box, DIAMETER / PIXEL_SIZE / 2 - 1.5, 1.5)
    return ((smooth.abs() / smooth.std() + 0.5) * ball).numpy()


def white(rng: np.random.Generator) -> np.ndarray:
    """Make independent voxels."""
    return rng.standard_normal(SHAPE, dtype=np.float32)


def coloured(rng: np.random.Generator) -> np.ndarray:
    """Make noise whose amplitude falls as one over the frequency, without its missing wedge."""
    falling = 1 / frequency_radius(SHAPE, PIXEL_SIZE).clamp_min(SOFTEST)
    return apply_filter(
        torch.from_numpy(white(rng)), falling * missing_wedge(SHAPE, TILT_RANGE)
    ).numpy()


def match(tomograms: Path, template: Path, expected: float, options: list[str]) -> str:
    """Pick in all tomograms of a folder and say what was found."""
    out = tomograms / "picks"
    line = [sys.executable, "-m", "subtomo", "pick", "match", str(tomograms), "--quiet"]
    line += ["--template", str(template), "--diameter", str(DIAMETER), "--angular-step", "18"]
    line += ["--no-check-template"]
    line += ["--false-positives", str(expected), "--output-dir", str(out), *options]
    subprocess.run(line, check=True)
    with (out / "thresholds.csv").open() as file:
        rows = list(csv.DictReader(file))
    n_positions = int(rows[0]["n_positions"])
    n_orientations = round(float(rows[0]["n_scores"]) / n_positions)
    counts = ", ".join(row["n_picks"] for row in rows)
    noise, gaussian = (
        np.mean([float(row[name]) for row in rows])
        for name in ("threshold_sigma", "threshold_gaussian")
    )
    return (
        f"{n_positions} positions, {n_orientations} orientations; expected {expected:g}, "
        f"found {counts}; threshold {noise:.2f} σ, of independent Gaussian scores {gaussian:.2f} σ"
    )


if __name__ == "__main__":
    main()
