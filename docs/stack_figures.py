"""Picture of extracted tilt images for the documentation, from images without noise.

subtomo simulate --preset demo --noise-free -o DEMO/simulate
cp DEMO/simulate/truth/noise_free_TS_01.mrcs DEMO/simulate/tilt_series/TS_01.mrcs
subtomo extract stacks local --particles-starfile DEMO/simulate/truth/particles.star \
    --tomograms-starfile DEMO/simulate/tomograms.star --box-size 64 --crop-size 48 -o STACKS
python docs/stack_figures.py DEMO STACKS docs/assets
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.star import read_star
from subtomo.formats.volumes import read_stack
from subtomo.geometry.particle_views import ViewGrid, particle_views

CROP = 48
N_SHOWN = 7


def main() -> None:
    """Draw one particle on some of its tilts, recorded and extracted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", type=Path)
    parser.add_argument("stacks", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    table = read_star(arguments.stacks / "particles.star")["particles"]
    row = next(i for i, text in enumerate(table.text("rlnTomoVisibleFrames")) if "0" not in text)
    name = table.text("rlnTomoParticleName")[row]
    extracted, _ = read_stack(arguments.stacks / f"Subtomograms/{name}_stack2d.mrcs")
    entries = read_tomograms_star(arguments.demo / "simulate" / "tomograms.star")
    entry = next(e for e in entries if e.name == table.text("rlnTomoName")[row])
    series = entry.tilt_series
    centred = [table.numbers(f"rlnCenteredCoordinate{axis}Angst")[row] for axis in "XYZ"]
    position = np.array([centred]) + entry.frame.centre
    first = particle_views(series, position, ViewGrid(CROP, 1.0, CROP / 2)).first
    tilts = np.linspace(0, len(series) - 1, N_SHOWN).round().astype(int)
    tilts = np.argsort(series.tilt_angles)[tilts]
    recorded = [
        series.images[t, y : y + CROP, x : x + CROP]
        for t, (x, y) in zip(tilts, first[tilts].tolist(), strict=True)
    ]
    figure, axes = plt.subplots(2, N_SHOWN, figsize=(1.5 * N_SHOWN, 3.2), layout="constrained")
    for column, tilt in enumerate(tilts):
        axes[0, column].imshow(recorded[column], cmap="gray")
        axes[0, column].set_title(f"{series.tilt_angles[tilt]:.0f}°", fontsize=9)
        axes[1, column].imshow(extracted[tilt], cmap="gray")
    for axis in axes.flat:
        axis.set_axis_off()
    bar = 100 / series.pixel_size
    axes[1, 0].plot([3, 3 + bar], [CROP - 4] * 2, color="white", linewidth=3)
    axes[1, 0].text(3 + bar / 2, CROP - 6, "100 Å", color="white", ha="center", fontsize=8)
    figure.suptitle("tilt angle", fontsize=9)
    figure.savefig(arguments.out / "stack_images.png", dpi=80)


if __name__ == "__main__":
    main()
