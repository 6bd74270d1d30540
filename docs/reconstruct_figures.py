"""Pictures of a reconstruction from WarpTools' stacks for the documentation.

subtomo reconstruct stacks DATA/STACKS_optimisation_set.star --split rows --handedness 1 -o RIBOSOME
python docs/reconstruct_figures.py RIBOSOME \
    DATA/warptools_test_box-32_angpix-12_reconstruct.mrc docs/assets

DATA is testing/data of https://github.com/bpowell122/tomodrgn, STACKS
warptools_test_4-tomos_10-ptcls_box-32_angpix-12.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from subtomo.averaging.figures import slices_figure
from subtomo.averaging.reconstruction.local_figure import local_resolution_figure
from subtomo.formats.volumes import read_volume
from subtomo.signal.fsc import fourier_shell_correlation, resolution_at, shell_frequencies
from subtomo.signal.masks import cosine_edge

RADIUS_PX, EDGE_PX = 12, 2  # of the soft sphere, one half at its radius
_DPI = 80


def main() -> None:
    """Draw the map, its local resolution and its correlations; print these shell by shell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("supplied", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    maps = {
        name: torch.tensor(read_volume(arguments.folder / f"{name}.mrc").load())
        for name in ("half1", "half2", "merged", "postprocess", "locres", "locres_filtered", "mask")
    }
    pixel_size = read_volume(arguments.folder / "merged.mrc").pixel_size
    picture = slices_figure(maps["postprocess"].numpy(), pixel_size)
    picture.savefig(arguments.out / "ribosome_slices.png", dpi=_DPI)
    local = [maps[name].numpy() for name in ("locres_filtered", "locres", "mask")]
    picture = local_resolution_figure(*local, pixel_size)
    picture.savefig(arguments.out / "ribosome_locres.png", dpi=_DPI)
    supplied = torch.tensor(read_volume(arguments.supplied).load())
    curves = correlations(maps, supplied)
    frequency = shell_frequencies(len(supplied), pixel_size)
    draw_curves(frequency, curves).savefig(arguments.out / "ribosome_fsc.png", dpi=_DPI)
    print(f"halves 0.143 at {resolution_at(frequency, curves['halves'], 0.143):.1f} Å")
    for i, k in enumerate(frequency[1:], start=1):
        values = " | ".join(f"{curve[i]:.2f}" for curve in curves.values())
        print(f"| {1 / k:.1f} | {values} |")


def correlations(maps: dict[str, torch.Tensor], supplied: torch.Tensor) -> dict[str, np.ndarray]:
    """Correlate under a soft sphere: the halves, and the map with the supplied one."""
    axis = torch.arange(len(supplied)) - len(supplied) // 2
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    sphere = cosine_edge(radius - (RADIUS_PX - EDGE_PX / 2), EDGE_PX)
    mirrored = supplied.flip(0).roll(1, 0)  # along z about voxel n // 2
    pairs = {
        "halves": (maps["half1"], maps["half2"]),
        "supplied map, mirrored": (maps["merged"], mirrored),
        "supplied map as it is": (maps["merged"], supplied),
    }
    return {
        name: fourier_shell_correlation(first * sphere, second * sphere).numpy()
        for name, (first, second) in pairs.items()
    }


def draw_curves(frequency: np.ndarray, curves: dict[str, np.ndarray]) -> plt.Figure:
    """Draw the correlations by resolution."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    styles = ({"lw": 2}, {"ls": "--"}, {"ls": ":", "color": "0.5"})
    for (name, curve), style in zip(curves.items(), styles, strict=True):
        axes.plot(frequency[1:], curve[1:], label=name, **style)
    axes.axhline(0.143, color="0.3", lw=0.8)
    ticks = [200, 100, 64, 48, 38, 32, 28, 24]
    axes.set_xticks([1 / tick for tick in ticks], [str(tick) for tick in ticks])
    axes.set(xlabel="resolution (Å)", ylabel="correlation", ylim=(-0.05, 1.02))
    axes.legend(edgecolor="none")
    return figure


if __name__ == "__main__":
    main()
