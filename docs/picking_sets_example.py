"""Make the tables of docs/picking_sets.md, and its figures from the reports of its commands.

python docs/picking_sets_example.py FOLDER            tables, before the commands
python docs/picking_sets_example.py FOLDER --figures  docs/assets/, after them
"""

import argparse
import base64
import re
from pathlib import Path

import numpy as np

from subtomo.formats.particles import write_particles
from subtomo.geometry import multiply_quaternions
from subtomo.model import Particles
from subtomo.picking.models.model_file import write_models
from subtomo.picking.models.vesicle import VesicleModel

SIZE = (4000.0, 4000.0, 1500.0)  # Å
PICKERS = {  # share found, error (Å), angular error (degrees; None: no orientations), false picks
    "match": (0.85, 12.0, 8.0, 60),
    "net": (0.75, 18.0, None, 25),
    "hand": (0.40, 15.0, None, 2),
}
FIGURES = {
    "consensus": {0: "picking_sets_overlap.png"},
    "clean": {1: "picking_sets_clean.png"},
}


def make_tables(folder: Path) -> None:
    """Write three pickers' tables of one vesicle, the truth, and the vesicle as a model."""
    rng = np.random.default_rng(7)
    vesicle = VesicleModel(
        name="vesicle",
        tomogram="TS_01",
        pixel_size=10.0,
        centre=(2000, 2000, 750),
        radius=600,
        separation=150,
        mesh_parameter=50,
    )
    truth = vesicle.particles()
    folder.mkdir(parents=True, exist_ok=True)
    write_models(folder / "vesicle.json", [vesicle])
    write_particles(folder / "truth.csv", truth)
    for name, (share, error, turn, n_false) in PICKERS.items():
        found = truth.select(rng.random(len(truth)) < share)
        write_particles(folder / f"{name}.csv", _picked(found, error, turn, n_false, rng))


def _picked(
    found: Particles, error: float, turn: float | None, n_false: int, rng: np.random.Generator
) -> Particles:
    """Make a picker's table: what it found, moved and turned, and false picks."""
    n = len(found) + n_false
    position = np.concatenate([found.position, rng.uniform(0, SIZE, (n_false, 3))])
    position[: len(found)] += rng.normal(scale=error, size=(len(found), 3))
    orientation = None
    if turn is not None:
        small = rng.normal(size=(n, 4)) * np.radians(turn) / np.sqrt(12) / 2
        small[:, 3] = 1
        poses = np.concatenate([found.orientation, rng.normal(size=(n_false, 4))])
        orientation = multiply_quaternions(poses, small)
    score = np.concatenate([rng.normal(8, 1.5, len(found)), rng.normal(5, 1.5, n_false)])
    order = rng.permutation(n)
    table = Particles(np.full(n, "TS_01"), position, orientation=orientation, score=score)
    return table.select(order)


def take_figures(folder: Path) -> None:
    """Take figures out of the reports."""
    assets = Path(__file__).parent / "assets"
    for report, figures in FIGURES.items():
        page = (folder / report / "report.html").read_text(encoding="utf-8")
        images = re.findall(r'base64,([^"]+)', page)
        for number, name in figures.items():
            (assets / name).write_bytes(base64.b64decode(images[number]))


def main() -> None:
    """Make the tables, or take the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--figures", action="store_true")
    arguments = parser.parse_args()
    if arguments.figures:
        take_figures(arguments.folder)
    else:
        make_tables(arguments.folder)


if __name__ == "__main__":
    main()
