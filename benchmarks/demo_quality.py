"""Quality of the demo's chain on the evaluation species: noise levels by seeds, and a control.

    python benchmarks/demo_quality.py [OUT] [--levels easy medium hard] [--seeds 7001 7002 7003]

Every run is ``subtomo demo --preset evaluation``; the control adds tilt series of noise alone,
picked and averaged the same way. Finished runs are not run again. Prints one row a run and writes
OUT/quality.csv. About five minutes a run on two cores.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

from subtomo.simulation.presets import EVALUATION_SEEDS


def main() -> None:
    """Run what is missing and print a row a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("benchmarks/out/quality"))
    parser.add_argument("--levels", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(EVALUATION_SEEDS))
    parser.add_argument("--control", action="store_true", help="also average noise alone")
    arguments = parser.parse_args()
    rows = [
        {"level": level, "seed": seed, **run(arguments.out, level, seed, arguments.control)}
        for level in arguments.levels
        for seed in arguments.seeds
    ]
    with (arguments.out / "quality.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def run(out: Path, level: str, seed: int, control: bool) -> dict[str, float]:
    """Run the demo once, or go on with it, and read what it found."""
    folder = out / f"{level}_{seed}"
    command = [sys.executable, "-m", "subtomo", "demo", "--preset", "evaluation", "--level", level]
    command += ["--seed", str(seed), "--output-dir", str(folder), "--resume", "--quiet"]
    subprocess.run([*command, *(["--control"] if control else [])], check=True)
    found: dict[str, float] = json.loads((folder / "findings.json").read_text())
    shown = "  ".join(f"{name} {value:.3g}" for name, value in found.items())
    print(f"{level} {seed}: {shown}", flush=True)
    return found


if __name__ == "__main__":
    main()
