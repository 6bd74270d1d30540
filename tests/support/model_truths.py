"""Simulated truths for each type of geometric model: clicks on a geometry, and how far from it.

The geometry is written down here in closed form, apart from the code that is tested.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from subtomo.formats.mrc_writer import write_mrc
from subtomo.model import Particles

PIXEL_SIZE = 10.0
COMMON = {"name": "1", "tomogram": "TS_01", "pixel_size": PIXEL_SIZE}
TURN = Rotation.from_euler("zyx", [30, 20, 50], degrees=True).as_matrix()
CENTRE = np.array([1500.0, 1400.0, 900.0])


@dataclass(frozen=True)
class Truth:
    """A model and its geometry.

    ``nearest`` gives for points (n, 3) the nearest points of the geometry and the axis there
    (a normal, or the direction of a filament), or None where there is no axis.
    """

    label: str
    values: dict[str, Any]
    nearest: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]
    spacing: float | None = None
    excluded: tuple[np.ndarray, float] | None = None
    count: int | None = None


def truths(folder: Path) -> list[Truth]:
    """All of them; a segmentation is written to the folder."""
    return [
        general(),
        dipole(),
        surface_open(),
        surface_closed(),
        surface_unordered(),
        vesicle(),
        ellipsoidal_vesicle(),
        marked_ellipsoidal_vesicle(),
        filament(),
        filament_with_torsion(),
        subunits_on_helix(),
        filament_rings(),
        cubic_lattice(),
        segmentation(folder),
    ]


def measured(truth: Truth, particles: Particles) -> dict[str, float]:
    """Largest distance (voxels), spacing over that asked, largest angle (degrees)."""
    nearest, axes = truth.nearest(particles.position)
    distance = np.linalg.norm(particles.position - nearest, axis=1)
    result = {
        "particles": len(particles),
        "distance": float(distance.max() / PIXEL_SIZE),
        "spacing": np.nan,
        "angle": np.nan,
    }
    if truth.spacing is not None:
        found = cKDTree(particles.position).query(particles.position, k=2)[0][:, 1]
        result["spacing"] = float(np.median(found) / truth.spacing)
    if axes is not None:
        matrices = Rotation.from_quat(particles.orientation).as_matrix()
        cosine = (matrices[:, :, 2] * axes).sum(axis=1)
        result["angle"] = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())
    return result


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def as_points(array: np.ndarray) -> list[list[float]]:
    return np.asarray(array, dtype=float).tolist()


def scattered(n: int, seed: int = 1) -> np.ndarray:
    """Points all around the unit sphere."""
    return unit(np.random.default_rng(seed).normal(size=(n, 3)))


def on_points(points: np.ndarray, axes: np.ndarray | None):
    """Nearest of given points, and the axes there."""
    tree = cKDTree(points)

    def nearest(asked):
        row = tree.query(asked)[1]
        return points[row], None if axes is None else axes[row]

    return nearest


def on_sphere(radius: float, centre: np.ndarray = CENTRE):
    def nearest(asked):
        outward = unit(asked - centre)
        return centre + radius * outward, outward

    return nearest


def on_ellipsoid(radii: np.ndarray, turn: np.ndarray):
    """Nearest point by Newton's method on |p + t ∇| on the ellipsoid (Lagrange multiplier)."""

    def nearest(asked):
        local = (asked - CENTRE) @ turn
        t = np.zeros(len(local))
        for _ in range(50):
            scaled = local * radii / (radii**2 + t[:, None])
            value = (scaled**2).sum(axis=1) - 1
            slope = -2 * (scaled**2 / (radii**2 + t[:, None])).sum(axis=1)
            t = t - value / slope
        foot = local * radii**2 / (radii**2 + t[:, None])
        return CENTRE + foot @ turn.T, unit(foot / radii**2) @ turn.T

    return nearest


def general() -> Truth:
    points = CENTRE + 300 * scattered(12)
    return Truth(
        "general", {"type": "general", "points": as_points(points)}, on_points(points, None)
    )


def dipole() -> Truth:
    centres, axes = CENTRE + 300 * scattered(10), scattered(10, 2)
    values = {
        "type": "dipole",
        "points": as_points(centres),
        "norths": as_points(centres + 80 * axes),
    }
    return Truth("dipole", values, on_points(centres, axes))


def _sphere_patch(radius: float) -> tuple[np.ndarray, list[int]]:
    """Clicks on seven slices of a side of a sphere, eleven on each."""
    points, levels = [], []
    for level, z in enumerate(np.linspace(-0.45, 0.45, 7) * radius):
        angle = np.linspace(-0.9, 0.9, 11)
        ring = np.sqrt(radius**2 - z**2)
        points.append(np.stack([ring * np.cos(angle), ring * np.sin(angle), 0 * angle + z], axis=1))
        levels += [level] * len(angle)
    return CENTRE + np.concatenate(points), levels


def surface_open() -> Truth:
    points, levels = _sphere_patch(1000.0)
    values = {
        "type": "surface",
        "points": as_points(points),
        "levels": levels,
        "marker": as_points(CENTRE),
        "cropping_parameter": 80.0,
    }
    return Truth("surface, open, by levels", values, on_sphere(1000.0), 80.0)


def surface_closed() -> Truth:
    """A tube around z whose radius varies: r = 700 + 80 cos(z / 400)."""
    points, levels = [], []
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for level, z in enumerate(np.linspace(-500, 500, 9)):
        ring = 700 + 80 * np.cos(z / 400)
        points.append(np.stack([ring * np.cos(angle), ring * np.sin(angle), 0 * angle + z], axis=1))
        levels += [level] * len(angle)

    def nearest(asked):
        local = asked - CENTRE
        around = unit(local[:, :2])
        height, r = local[:, 2], np.linalg.norm(local[:, :2], axis=1)
        z = height.copy()
        for _ in range(30):  # the foot of the perpendicular, by Newton's method
            ring, slope = 700 + 80 * np.cos(z / 400), -0.2 * np.sin(z / 400)
            bend = -0.0005 * np.cos(z / 400)
            value = (ring - r) * slope + z - height
            z = z - value / (slope**2 + (ring - r) * bend + 1)
        ring, slope = 700 + 80 * np.cos(z / 400), -0.2 * np.sin(z / 400)
        foot = np.column_stack([ring[:, None] * around, z])
        return CENTRE + foot, unit(np.column_stack([around, -slope]))

    values = {
        "type": "surface",
        "points": as_points(CENTRE + np.concatenate(points)),
        "levels": levels,
        "marker": as_points(CENTRE),
        "subdivisions": 1,
    }
    return Truth("surface, closed, by levels", values, nearest, 100.0)


def surface_unordered() -> Truth:
    rng = np.random.default_rng(3)
    polar, angle = np.arccos(rng.uniform(np.cos(0.8), 1, 90)), rng.uniform(0, 2 * np.pi, 90)
    local = np.stack(
        [np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar)], axis=1
    )
    values = {
        "type": "surface",
        "points": as_points(CENTRE + 1000 * local @ TURN.T),
        "marker": as_points(CENTRE),
        "subdivisions": 1,
    }
    return Truth("surface, without levels", values, on_sphere(1000.0), 100.0)


def vesicle() -> Truth:
    angle = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    rings = [
        np.stack(
            [
                600 * np.cos(h) * np.cos(angle),
                600 * np.cos(h) * np.sin(angle),
                600 * np.sin(h) + 0 * angle,
            ],
            axis=1,
        )
        for h in (-0.5, 0.1, 0.6)
    ]
    values = {
        "type": "vesicle",
        "points": as_points(CENTRE + np.concatenate(rings)),
        "separation": 90.0,
    }
    return Truth("vesicle", values, on_sphere(600.0), 90.0)


RADII = np.array([400.0, 550.0, 800.0])


def ellipsoidal_vesicle() -> Truth:
    points = CENTRE + (scattered(30) * RADII) @ TURN.T
    values = {
        "type": "ellipsoidal_vesicle",
        "points": as_points(points),
        "separation": 90.0,
    }
    return Truth("ellipsoidal vesicle", values, on_ellipsoid(RADII, TURN), 90.0)


def marked_ellipsoidal_vesicle() -> Truth:
    whole = ellipsoidal_vesicle()
    marker = CENTRE + RADII[2] * TURN[:, 2]
    values = {
        **whole.values,
        "type": "marked_ellipsoidal_vesicle",
        "marker": as_points(marker),
        "exclusion_radius": 300.0,
    }
    return Truth(
        "marked ellipsoidal vesicle", values, whole.nearest, 90.0, excluded=(marker, 300.0)
    )


def _arc(n: int) -> tuple[np.ndarray, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]:
    """Clicks on a circle of 2000 Å in a plane on edge, and points by arc length."""

    def at(s):
        angle = np.asarray(s) / 2000
        local = np.stack([np.sin(angle), 1 - np.cos(angle), 0 * angle], axis=-1) * 2000
        tangent = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
        return CENTRE + local @ TURN.T, tangent @ TURN.T

    return at(np.linspace(0, 2400, n))[0], at


def filament() -> Truth:
    points, at = _arc(12)
    values = {"type": "filament", "points": as_points(points), "dz": 75.0}
    return Truth("filament", values, on_points(*at(np.arange(33) * 75.0)), 75.0, count=33)


def filament_with_torsion() -> Truth:
    points, at = _arc(12)
    values = {
        "type": "filament_with_torsion",
        "points": as_points(points),
        "dz": 75.0,
        "dphi": 36.0,
    }
    return Truth("filament with torsion", values, on_points(*at(np.arange(33) * 75.0)), 75.0)


def _tube(heights: np.ndarray, angles_deg: np.ndarray, radius: float):
    """Positions and outward directions around the arc, in the frame that does not turn.

    The arc lies in a plane, whose normal TURN[:, 2] stays at a right angle to it: e1 is found
    from the definition at the start, and keeps its angle to that normal.
    """
    _, at = _arc(2)
    centres, tangents = at(heights)
    start = at(np.zeros(1))[1][0]
    axis = np.eye(3)[np.argmin(np.abs(start))]
    first = unit(axis - (axis @ start) * start)
    binormal = TURN[:, 2]
    offset = np.arctan2(first @ np.cross(start, binormal), first @ binormal)
    angle = np.radians(angles_deg)[:, None] + offset
    outward = np.cos(angle) * binormal + np.sin(angle) * np.cross(tangents, binormal)
    return centres + radius * outward, outward


def subunits_on_helix() -> Truth:
    points, _ = _arc(12)
    k = np.arange(81)
    places, outward = _tube(k * 30.0, k * 50.0, 150.0)
    values = {
        "type": "subunits_on_helix",
        "points": as_points(points),
        "dz": 30.0,
        "dphi": 50.0,
        "radius": 150.0,
    }
    chord = np.hypot(30.0, 2 * 150.0 * np.sin(np.radians(25.0)))
    return Truth("subunits on a helix", values, on_points(places, outward), chord, count=81)


def filament_rings() -> Truth:
    points, _ = _arc(12)
    heights, angles = np.repeat(np.arange(17) * 150.0, 10), np.tile(np.arange(10) * 36.0, 17)
    places, outward = _tube(heights, angles, 150.0)
    values = {
        "type": "filament_rings",
        "points": as_points(points),
        "dz": 150.0,
        "dphi": 36.0,
        "radius": 150.0,
    }
    chord = 2 * 150.0 * np.sin(np.radians(18.0))
    return Truth("filament rings", values, on_points(places, outward), chord, count=170)


def cubic_lattice() -> Truth:
    numbers = np.indices((4, 5, 3)).reshape(3, -1).T
    turn = Rotation.from_euler("xyz", [12, -20, 9], degrees=True).as_matrix()
    nodes = CENTRE + 130 * numbers @ turn.T
    clicked = [0, 3, 15, 1, 59, 30, 44, 47]
    values = {"type": "cubic_lattice", "points": as_points(nodes[clicked])}
    axes = np.tile(turn[:, 2], (len(nodes), 1))
    return Truth("cubic lattice", values, on_points(nodes, axes), 130.0, count=60)


def segmentation(folder: Path) -> Truth:
    """A ball of radius 32.3 voxels, in a volume of voxels of 10 Å."""
    z, y, x = np.indices((76, 76, 76))
    centre, radius = np.array([37.2, 38.1, 36.9]), 32.3
    ball = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 <= radius**2
    path = folder / "ball.mrc"
    write_mrc(path, ball.astype(np.int8), PIXEL_SIZE)
    values = {
        "type": "segmentation",
        "path": str(path),
        "cropping_parameter": 60.0,
    }
    return Truth("segmentation", values, on_sphere(radius * PIXEL_SIZE, centre * PIXEL_SIZE), 60.0)
