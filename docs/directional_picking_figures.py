"""The pictures of directional_picking.md.

Run ``python docs/directional_picking_figures.py`` after the commands of the page, where they were
run.
"""

import base64
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import numpy as np
import torch
from matplotlib.figure import Figure

from directional_picking import average, low_passed, true_density, with_random_orientations
from subtomo.averaging.figures import centred_extent
from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.signal.cylindrical import cylindrical_mean

ASSETS = Path(__file__).parent / "assets"
RADIUS, SEED = 1000.0, 1  # Å, of the preset's membrane; of the control's orientations
OF_REPORTS = {
    ("oriented", 0): "directional_picking_space.png",
    ("oriented", 1): "directional_picking_sections.png",
    ("average", 3): "directional_picking_boxes.png",
}
NEAR = 60.0  # Å from a slice within which a crown is shown on it
SLAB = 1  # slices on each side that are averaged in a picture


def main() -> None:
    """Draw the clicks and the averages; take the others from the reports."""
    for (report, number), name in OF_REPORTS.items():
        page = Path(report, "report.html").read_text(encoding="utf-8")
        images = re.findall(r'base64,([^"]+)', page)
        (ASSETS / name).write_bytes(base64.b64decode(images[number]))
    draw_clicks().savefig(ASSETS / "directional_picking_clicks.png", dpi=80)
    draw_averages().savefig(ASSETS / "directional_picking_average.png", dpi=80)


def draw_clicks() -> Figure:
    """Show every other slice that was clicked on, with the crowns near it."""
    volume = read_volume("binned/tomograms/TS_01.mrc")
    data = volume.load()
    names = ("crowns", "membrane", "inside")
    crowns, membrane, inside = (points(f"clicks/{name}.csv") for name in names)
    figure = Figure(figsize=(13, 4.7), layout="constrained")
    first, last = volume.index_to_position(np.array([[0, 0, 0], volume.shape[::-1]])) / 10
    half = volume.pixel_size / 20
    extent = (first[0] - half, last[0] - half, first[1] - half, last[1] - half)
    for axes, z in zip(figure.subplots(1, 3), np.unique(membrane[:, 2])[::2], strict=True):
        plane = round(float(volume.position_to_index(np.array([[0, 0, z]]))[0, 2]))
        image = data[plane - SLAB : plane + SLAB + 1].mean(axis=0)
        low, high = np.percentile(image, [1, 99])
        axes.imshow(image, cmap="gray", origin="lower", extent=extent, vmin=low, vmax=high)
        axes.plot(*membrane[membrane[:, 2] == z, :2].T / 10, "o", c="#eab308", ms=4)
        near = np.abs(crowns[:, 2] - z) < NEAR
        axes.plot(*crowns[near, :2].T / 10, "o", mfc="none", mec="#c2410c", ms=14)
        if abs(inside[0, 2] - z) < NEAR:
            axes.plot(*inside[0, :2] / 10, "x", c="#38bdf8", ms=10, mew=2)
        axes.set(xlabel="x (nm)", ylabel="y (nm)", title=f"z = {z / 10:.0f} nm")
    return figure


def draw_averages() -> Figure:
    """Show the averages beside a box, a control and the truth, along y and along z."""
    random = with_random_orientations(Path("oriented/particles.star"), Path("random.star"), SEED)
    control = average(Path("imported"), random, Path("control"))
    truth = cylindrical_mean(true_density(Path(), RADIUS))
    volumes = {
        "one box, turned": load("average/subtomograms/TS_01/1.mrc"),
        "plain mean": load("average/plain_average.mrc"),
        "weighted mean": load("average/average.mrc"),
        "mean about the axis": load("average/cylindrical_average.mrc"),
        "truth about the axis": truth,
        "control: any orientation": load(control / "cylindrical_average.mrc"),
    }
    figure = Figure(figsize=(14, 5.2), layout="constrained")
    grid = figure.subplots(2, len(volumes))
    for column, (title, unfiltered) in enumerate(volumes.items()):
        volume = low_passed(unfiltered).numpy()
        middle = len(volume) // 2
        low, high = np.percentile(volume, [0.5, 99.8])
        for row, image in enumerate((volume[:, middle], volume[middle])):
            axes = grid[row, column]
            extent = centred_extent(tuple(image.shape), 10.0)
            axes.imshow(image, cmap="gray", origin="lower", extent=extent, vmin=low, vmax=high)
            axes.set(xlabel="x (Å)", ylabel=("z (Å)", "y (Å)")[row])
            axes.label_outer()
        grid[0, column].set_title(title, fontsize=10)
    return figure


def points(path: str) -> np.ndarray:
    """Read a table of clicks: (n, 3) Å."""
    return read_particles(path).position


def load(path: str | Path) -> torch.Tensor:
    """Read a volume."""
    return torch.tensor(read_volume(path).load())


if __name__ == "__main__":
    main()
