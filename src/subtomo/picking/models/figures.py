"""Figures of models: surfaces, points and normals in space and in sections."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Particles, Volume
from subtomo.picking.models.coarse_surface import coarse_surface
from subtomo.picking.models.sections import plane_section
from subtomo.picking.surfaces.surface import Surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

_SURFACE_COLOUR = "#0f766e"
_CLICK_COLOUR = "#eab308"
_PARTICLE_COLOUR = "#c2410c"
_MOST_TRIANGLES = 1500
MOST_ARROWS = 400
_ARROW = 0.08
"""Length of an arrow over the largest side of what is drawn."""
_SLICES = 5
"""Slices averaged, and the thickness of sections, in voxels."""
_SMOOTHING = 15.0
"""Å, deviation of the Gaussian that smoothes the slices: small voxels are noise to the eye."""


def draw_space(
    surfaces: Mapping[str, Surface], points: FloatArray, particles: Particles
) -> "Figure":
    """Draw the models of a tomogram in space.

    Parameters
    ----------
    surfaces : of its models, by name
    points : (n, 3) Å, that were clicked
    particles : of the tomogram
    """
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d.art3d import (  # type: ignore[import-untyped]  # has no types
        Poly3DCollection,
    )

    figure = Figure(figsize=(8, 6.4))
    axes: Any = figure.add_axes((0, 0.02, 0.92, 0.98), projection="3d")
    for surface in surfaces.values():
        coarse = coarse_surface(surface, _MOST_TRIANGLES)
        triangles = coarse.vertices[coarse.faces] / 10
        axes.add_collection3d(
            Poly3DCollection(triangles, facecolor=_SURFACE_COLOUR, alpha=0.25, lw=0)
        )
    _dots(axes, points / 10, _CLICK_COLOUR, "points")
    _dots(axes, particles.position / 10, _PARTICLE_COLOUR, "particles")
    every = _all_points(surfaces, points, particles) / 10
    if len(every):
        low, high = every.min(axis=0), every.max(axis=0)
        shown, z = _arrows(particles)
        arrow = _ARROW * float((high - low).max())
        axes.quiver(*(shown / 10).T, *(z * arrow).T, color=_PARTICLE_COLOUR, lw=0.9)
        middle, half = (low + high) / 2, max(float((high - low).max()) * (0.5 + _ARROW), 1.0)
        for k, name in enumerate("xyz"):
            getattr(axes, f"set_{name}lim")(middle[k] - half, middle[k] + half)
        axes.legend(loc="upper left", frameon=False, fontsize=9)
    axes.set(xlabel="x (nm)", ylabel="y (nm)", zlabel="z (nm)", box_aspect=(1, 1, 1))
    return figure


def draw_sections(
    surfaces: Mapping[str, Surface],
    points: FloatArray,
    particles: Particles,
    *,
    pixel_size: float,
    volume: Volume | None = None,
) -> "Figure":
    """Draw the models of a tomogram in a section across z and one across y.

    Parameters
    ----------
    surfaces : of its models, by name
    points : (n, 3) Å, that were clicked
    particles : of the tomogram; the sections go through one in their middle
    pixel_size : Å, of the tomogram
    volume : of the tomogram, for the background
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 5.6), layout="constrained")
    every = particles.position
    if not len(every):
        every = _all_points(surfaces, points, particles)
    for axes, axis, across in zip(figure.subplots(1, 2), (2, 1), ((0, 1), (0, 2)), strict=True):
        height = float(np.sort(every[:, axis])[len(every) // 2]) if len(every) else 0.0
        if volume is not None:
            height = _show_slab(axes, volume, axis, across, height)
        near = _SLICES / 2 * pixel_size
        _draw_section(axes, surfaces, points, particles, (axis, across, height, near))
    return figure


def _draw_section(
    axes: Any,
    surfaces: Mapping[str, Surface],
    points: FloatArray,
    particles: Particles,
    plane: tuple[int, tuple[int, int], float, float],
) -> None:
    """Where surfaces meet a plane, and the points and particles near to it, in nm."""
    from matplotlib.collections import LineCollection

    axis, across, height, near = plane
    for surface in surfaces.values():
        pieces = plane_section(surface, axis, height)[:, :, across] / 10
        axes.add_collection(LineCollection(list(pieces), colors=_SURFACE_COLOUR, linewidths=1.4))
    clicked = points[np.abs(points[:, axis] - height) <= near]
    axes.scatter(*clicked[:, across].T / 10, s=8, c=_CLICK_COLOUR, zorder=3)
    is_near = np.abs(particles.position[:, axis] - height) <= near
    mine = particles.select(is_near)
    rings = mine.position[:, across].T / 10
    axes.scatter(*rings, s=120, facecolors="none", edgecolors=_PARTICLE_COLOUR, zorder=4)
    shown, z = _arrows(mine)
    every = _all_points(surfaces, points, particles)[:, across] / 10
    reach = float(np.ptp(every, axis=0).max()) if len(every) else 1.0
    axes.quiver(
        *(shown[:, across] / 10).T,
        *z[:, across].T,
        color=_PARTICLE_COLOUR,
        angles="xy",
        scale_units="xy",
        scale=1 / max(_ARROW * reach, 1e-3),
        width=0.005,
        zorder=4,
    )
    if not axes.images and len(every):
        low, high = every.min(axis=0), every.max(axis=0)
        margin = 0.12 * reach + 1e-3
        axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    names = [f"{'xyz'[k]} (nm)" for k in across]
    axes.set(xlabel=names[0], ylabel=names[1], aspect="equal")
    axes.set_title(f"section at {'xyz'[axis]} = {height / 10:.0f} nm", fontsize=10)


def _show_slab(
    axes: Any, volume: Volume, axis: int, across: tuple[int, int], height: float
) -> float:
    """Smoothed mean of some slices of the tomogram; gives the height (Å) of their middle."""
    from scipy.ndimage import gaussian_filter

    n = volume.shape[2 - axis]
    centre = round((height - volume.origin[axis]) / volume.pixel_size)
    first = int(np.clip(centre - _SLICES // 2, 0, max(0, n - _SLICES)))
    last = min(first + _SLICES, n)
    part = [slice(None)] * 3
    part[2 - axis] = slice(first, last)
    image = np.asarray(volume.data[tuple(part)], dtype=np.float32).mean(axis=2 - axis)
    image = gaussian_filter(image, _SMOOTHING / volume.pixel_size)
    low = np.array([volume.origin[k] for k in across]) - volume.pixel_size / 2
    high = low + np.array(image.shape[::-1]) * volume.pixel_size
    axes.imshow(
        image,
        cmap="gray",
        origin="lower",
        extent=(low[0] / 10, high[0] / 10, low[1] / 10, high[1] / 10),
        vmin=np.quantile(image, 0.005),
        vmax=np.quantile(image, 0.995),
    )
    return float(volume.origin[axis] + (first + last - 1) / 2 * volume.pixel_size)


def _arrows(particles: Particles) -> tuple[FloatArray, FloatArray]:
    """Positions and z axes of the particles whose orientation is known; not too many of them."""
    known = _some(np.flatnonzero(particles.is_oriented), MOST_ARROWS)
    z = matrices_from_quaternions(particles.orientation[known])[:, :, 2]
    return particles.position[known], z


def _dots(axes: Any, points: FloatArray, colour: str, label: str) -> None:
    if len(points):
        axes.scatter(*points.T, s=8, c=colour, depthshade=False, lw=0, label=label)


def _all_points(
    surfaces: Mapping[str, Surface], points: FloatArray, particles: Particles
) -> FloatArray:
    return np.concatenate([points, particles.position, *(s.vertices for s in surfaces.values())])


def _some(rows: NDArray[Any], most: int) -> NDArray[Any]:
    """Every so many of the rows, so that there are not more than ``most``."""
    return rows[:: max(1, int(np.ceil(len(rows) / most)))]
