"""The pictures of geometric_models.md.

Run ``python docs/geometric_models_figures.py`` after the commands of the page, where they were run.
"""

import warnings
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.picking.models.coarse_surface import coarse_surface
from subtomo.picking.models.figures import draw_space
from subtomo.picking.models.items import load_surfaces
from subtomo.picking.models.model_file import read_models

ASSETS = Path(__file__).parent / "assets"
EXAMPLES = Path(__file__).parent / "examples"


def main() -> None:
    """Draw the gallery of types, and the crowns beside their membrane."""
    warnings.simplefilter("ignore")
    figure = Figure(figsize=(15, 6.4))
    for place, model in enumerate(read_models(EXAMPLES / "geometric_models.json"), 1):
        axes = figure.add_subplot(2, 5, place, projection="3d")
        draw_model(axes, model)
    figure.subplots_adjust(0, 0, 1, 0.95, 0, 0.06)
    figure.savefig(ASSETS / "geometric_models.png", dpi=80)
    crowns = Path("crowns/models.json")
    points = [model.positions() for model in read_models(crowns)]
    points += [model.positions() for model in read_models("crowns/orientation_models.json")]
    (model,) = read_models(crowns)
    surfaces = load_surfaces(Path("crowns/tomograms/TS_01/surfaces.npz"))
    figure = draw_space(surfaces, np.concatenate(points), model.particles())
    figure.savefig(ASSETS / "geometric_models_crowns.png", dpi=80)


def draw_model(axes, model) -> None:
    """Draw surface, points, particles and z axes."""
    particles, surface = model.particles(), model.surface()
    if surface is not None:
        coarse = coarse_surface(surface, 800)
        axes.add_collection3d(
            Poly3DCollection(coarse.vertices[coarse.faces], facecolor="#0f766e", alpha=0.2, lw=0)
        )
    axes.scatter(*model.positions().T, s=14, c="#eab308", depthshade=False, lw=0)
    axes.scatter(*particles.position.T, s=4, c="#c2410c", depthshade=False, lw=0)
    low, high = particles.position.min(axis=0), particles.position.max(axis=0)
    matrices = matrices_from_quaternions(particles.orientation) * 0.1 * (high - low).max()
    axes.quiver(*particles.position.T, *matrices[:, :, 2].T, color="#c2410c", lw=0.6)
    if model.type.startswith("filament_w") or model.type == "filament":
        axes.quiver(*particles.position.T, *matrices[:, :, 0].T, color="#1d4ed8", lw=0.6)
    if model.type.startswith("marked"):
        axes.scatter(*model.marker, s=40, c="black", marker="x", depthshade=False)
        axes.view_init(elev=5, azim=-150)
    middle, half = (low + high) / 2, (high - low).max() / 2
    for k, name in enumerate("xyz"):
        getattr(axes, f"set_{name}lim")(middle[k] - half, middle[k] + half)
    axes.set_axis_off()
    axes.set_box_aspect((1, 1, 1), zoom=1.35)
    axes.set_title(model.type.replace("_", " "), fontsize=12)


if __name__ == "__main__":
    main()
