"""Surfaces in closed form, clicks on them, and tomograms that show them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from subtomo.model import Volume
from subtomo.picking.surfaces import Surface

VOXEL = 10.0
"""Å."""


@dataclass(frozen=True)
class Truth:
    """A surface in closed form, in voxels about the origin, and clicks on it.

    ``distance`` (n,) is signed, positive outside; ``normal`` (n, 3) points outward; ``clicks`` are
    in Å and ``levels`` in their order, or None; ``inside`` is a marker in Å.
    """

    name: str
    distance: Callable[[np.ndarray], np.ndarray]
    normal: Callable[[np.ndarray], np.ndarray]
    clicks: np.ndarray
    levels: np.ndarray | None
    inside: np.ndarray

    def with_noise(self, voxels: float, seed: int) -> np.ndarray:
        """Clicks with Gaussian noise in all three directions, Å."""
        return self.clicks + VOXEL * voxels * np.random.default_rng(seed).normal(
            size=self.clicks.shape
        )


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def position_errors(truth: Truth, positions: np.ndarray) -> np.ndarray:
    """Distances from the truth, in voxels."""
    return np.abs(truth.distance(positions / VOXEL))


def normal_errors(truth: Truth, positions: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Angles to the outward normals of the truth, degrees, 0 to 180."""
    cosine = (truth.normal(positions / VOXEL) * normals).sum(axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def errors_of(truth: Truth, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Errors of position (voxels) and normal (degrees) at the vertices."""
    vertices = surface.vertices
    return position_errors(truth, vertices), normal_errors(truth, vertices, surface.normals)


def sphere_cap(radius: float, n_levels: int = 6, n_clicks: int = 10, half: float = 50.0) -> Truth:
    """A patch of a sphere about the x axis, clicked on levels of z."""
    heights = np.linspace(-half, half, n_levels)
    rows = []
    for z in heights:
        ring = np.sqrt(radius**2 - z**2)
        angle = np.linspace(-1, 1, n_clicks) * np.arcsin(min(0.95, half / ring))
        rows.append(
            np.stack([ring * np.cos(angle), ring * np.sin(angle), np.full(n_clicks, z)], axis=1)
        )
    return Truth(
        f"sphere cap, radius {radius:g}",
        lambda p: np.linalg.norm(p, axis=1) - radius,
        unit,
        VOXEL * np.concatenate(rows),
        np.repeat(np.arange(n_levels), n_clicks),
        np.zeros(3),
    )


def half_cylinder(radius: float = 80.0, n_levels: int = 6, n_clicks: int = 12) -> Truth:
    """Half of a cylinder about the z axis, clicked on levels of z."""
    angle = np.linspace(0, np.pi, n_clicks)
    ring = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rows = [np.column_stack([ring, np.full(n_clicks, z)]) for z in np.linspace(0, 100, n_levels)]
    return Truth(
        f"half cylinder, radius {radius:g}",
        lambda p: np.hypot(p[:, 0], p[:, 1]) - radius,
        lambda p: unit(p * (1.0, 1.0, 0.0)),
        VOXEL * np.concatenate(rows),
        np.repeat(np.arange(n_levels), n_clicks),
        VOXEL * np.array([0.0, radius / 3, 50.0]),
    )


def saddle(radius: float = 100.0, n_levels: int = 6, n_clicks: int = 10, half: float = 50) -> Truth:
    """y = (x² - z²) / 2 radius, clicked on levels of z; inside is y below."""
    x = np.linspace(-half, half, n_clicks)
    rows = [
        np.stack([x, (x**2 - z**2) / (2 * radius), np.full(n_clicks, z)], axis=1)
        for z in np.linspace(-half, half, n_levels)
    ]

    def slope(p: np.ndarray) -> np.ndarray:
        return np.stack([-p[:, 0] / radius, np.ones(len(p)), p[:, 2] / radius], axis=1)

    def distance(p: np.ndarray) -> np.ndarray:
        above = p[:, 1] - (p[:, 0] ** 2 - p[:, 2] ** 2) / (2 * radius)
        return above / np.linalg.norm(slope(p), axis=1)

    return Truth(
        f"saddle, radius {radius:g}",
        distance,
        lambda p: unit(slope(p)),
        VOXEL * np.concatenate(rows),
        np.repeat(np.arange(n_levels), n_clicks),
        VOXEL * np.array([0.0, -30.0, 0.0]),
    )


def vesicle(radius: float = 60.0, n_levels: int = 9, spacing: float = 25.0) -> Truth:
    """A sphere, clicked around on levels of z with a click on each pole; starts are scattered."""
    rng = np.random.default_rng(5)
    rows, levels = [], []
    for k, polar in enumerate(np.linspace(0, np.pi, n_levels)):
        ring = radius * np.sin(polar)
        n = 1 if k in (0, n_levels - 1) else max(5, round(2 * np.pi * ring / spacing))
        angle = 2 * np.pi * (np.arange(n) / n + rng.random())
        z = np.full(n, radius * np.cos(polar))
        rows.append(np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1))
        levels += [k] * n
    return Truth(
        f"vesicle, radius {radius:g}",
        lambda p: np.linalg.norm(p, axis=1) - radius,
        unit,
        VOXEL * np.concatenate(rows),
        np.array(levels),
        np.zeros(3),
    )


def ellipsoid(
    radii: tuple[float, float, float] = (60.0, 80.0, 100.0), n: int = 60, *, seed: int = 0
) -> Truth:
    """An ellipsoid with clicks anywhere on it but near the poles, which the wedge hides."""
    rng = np.random.default_rng(seed)
    directions = unit(rng.normal(size=(4 * n, 3)))
    directions = directions[np.abs(directions[:, 2]) < 0.8][:n]
    axes = np.array(radii)

    def distance(p: np.ndarray) -> np.ndarray:  # to first order
        size = np.linalg.norm(p / axes, axis=1)
        return (size - 1) * size / np.linalg.norm(p / axes**2, axis=1)

    return Truth(
        f"ellipsoid, radii {radii}",
        distance,
        lambda p: unit(p / axes**2),
        VOXEL * directions * axes,
        None,
        np.zeros(3),
    )


def unordered(truth: Truth, n: int = 60, *, seed: int = 0) -> Truth:
    """The same surface with clicks anywhere on it, without levels: between those of the levels."""
    rng = np.random.default_rng(seed)
    middle = truth.clicks.mean(axis=0)
    pairs = rng.integers(len(truth.clicks), size=(50 * n, 2))
    near = np.linalg.norm(truth.clicks[pairs[:, 0]] - truth.clicks[pairs[:, 1]], axis=1)
    pairs = pairs[near < 0.3 * np.linalg.norm(truth.clicks - middle, axis=1).max()][:n]
    points = truth.clicks[pairs].mean(axis=1) / VOXEL
    for _ in range(20):
        points = points - truth.distance(points)[:, None] * truth.normal(points)
    return Truth(
        f"{truth.name}, without levels",
        truth.distance,
        truth.normal,
        VOXEL * points,
        None,
        truth.inside,
    )


def membrane_tomogram(
    truth: Truth, shape_px: tuple[int, int, int], noise: float, seed: int
) -> Volume:
    """A bilayer along a surface in a tomogram about the origin, with white noise.

    Two Gaussian leaflets of height 1 and standard deviation 1 voxel, 4 voxels apart; ``noise`` is
    the standard deviation in a voxel. ``shape_px`` is z, y, x.
    """
    half = (np.array(shape_px)[::-1] - 1) / 2
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape_px), indexing="ij"), axis=-1)
    points = grid.reshape(-1, 3)[:, ::-1] - half
    d = truth.distance(points).reshape(shape_px)
    data = np.exp(-((d - 2) ** 2) / 2) + np.exp(-((d + 2) ** 2) / 2)
    data += noise * np.random.default_rng(seed).normal(size=shape_px)
    x, y, z = -VOXEL * half
    return Volume(data.astype(np.float32), VOXEL, (float(x), float(y), float(z)))
