"""Membranes: closed vesicles and flat sheets of a lipid bilayer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LEAFLET_MASS = 11.7
"""Da/Å² of one leaflet: POPC, 760 Da on 65 Å² (Kučerka et al., BBA 1808:2761 (2011))."""

HEAD_WIDTH = 5.0
"""Å, standard deviation of the head groups' density across a leaflet."""

_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


class Membrane(Protocol):
    """A bilayer about a middle surface."""

    @property
    def thickness(self) -> float:
        """Å, between the head groups of the two leaflets."""

    @property
    def area(self) -> float:
        """Å², of the middle surface."""

    def leaflet(self, offset: float, spacing: float) -> tuple[FloatArray, FloatArray]:
        """Cover a surface ``offset`` Å outside the middle one.

        Parameters
        ----------
        offset : Å along the normal
        spacing : Å, largest distance between neighbouring points, about

        Returns
        -------
        points : (m, 3) Å, columns x, y, z
        areas : (m,) Å², of the surface that each stands for
        """

    def contains(self, points: FloatArray, half_thickness: float) -> NDArray[np.bool_]:
        """Tell which points (m, 3) lie within a distance, Å, of the middle surface."""

    def sample(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw points (n, 3) on the middle surface, evenly, and its outward normals (n, 3)."""

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Give the corners (3,) of a box around the bilayer, Å."""


@dataclass(frozen=True, eq=False)
class Vesicle:
    """An ellipsoidal vesicle.

    Parameters
    ----------
    centre : (3,) Å
    axes : (3,) Å, semi-axes of the middle surface
    matrix : (3, 3), from the ellipsoid's axes to the tomogram
    thickness : Å, between the head groups of the two leaflets
    """

    centre: FloatArray
    axes: FloatArray
    matrix: FloatArray
    thickness: float

    @property
    def area(self) -> float:
        """Å²; Thomsen's formula, within 1.1 %."""
        a, b, c = self.axes**1.6075
        return float(4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / 1.6075))

    def leaflet(self, offset: float, spacing: float) -> tuple[FloatArray, FloatArray]:
        """Cover the ellipsoid with semi-axes larger by ``offset``."""
        axes = self.axes + offset
        # a sphere of the largest semi-axis is covered; elsewhere the points are closer
        n = int(np.ceil(4 * np.pi * (axes.max() / spacing) ** 2))
        sphere = _sphere_points(n)
        stretch = np.prod(axes) * np.linalg.norm(sphere / axes, axis=1)
        return sphere * axes @ self.matrix.T + self.centre, stretch * (4 * np.pi / n)

    def contains(self, points: FloatArray, half_thickness: float) -> NDArray[np.bool_]:
        """Tell which points lie between the ellipsoids inside and outside."""
        local = (points - self.centre) @ self.matrix
        outer = (local / (self.axes + half_thickness)) ** 2
        inner = (local / (self.axes - half_thickness)) ** 2
        inside: NDArray[np.bool_] = (outer.sum(axis=1) <= 1) & (inner.sum(axis=1) >= 1)
        return inside

    def sample(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw points, each direction as often as its area asks for."""
        largest = np.prod(self.axes) / self.axes.min()
        kept: list[FloatArray] = []
        while len(kept) < n:
            sphere = rng.normal(size=3)
            sphere /= np.linalg.norm(sphere)
            stretch = np.prod(self.axes) * np.linalg.norm(sphere / self.axes)
            if rng.uniform() * largest < stretch:
                kept.append(sphere)
        points = np.array(kept).reshape(-1, 3)
        normals = points / self.axes
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return points * self.axes @ self.matrix.T + self.centre, normals @ self.matrix.T

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Enclose the outer leaflet."""
        outer = self.axes + self.thickness / 2 + 2 * HEAD_WIDTH
        reach = np.sqrt(((self.matrix * outer) ** 2).sum(axis=1))
        return self.centre - reach, self.centre + reach


@dataclass(frozen=True, eq=False)
class Sheet:
    """A flat sheet that crosses the whole field of view.

    Parameters
    ----------
    centre : (3,) Å
    normal : (3,) unit vector with positive z
    size : (x, y) Å of the field, from 0
    thickness : Å, between the head groups of the two leaflets
    """

    centre: FloatArray
    normal: FloatArray
    size: tuple[float, float]
    thickness: float

    @property
    def area(self) -> float:
        """Å²."""
        return float(self.size[0] * self.size[1] / self.normal[2])

    def leaflet(self, offset: float, spacing: float) -> tuple[FloatArray, FloatArray]:
        """Cover the plane above each point of a square lattice."""
        counts = [max(1, int(np.ceil(length / spacing))) for length in self.size]
        axes = [
            (np.arange(count) + 0.5) * length / count
            for count, length in zip(counts, self.size, strict=True)
        ]
        flat = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        areas = np.full(len(flat), self.area / len(flat))
        return self._lifted(flat) + offset * self.normal, areas

    def contains(self, points: FloatArray, half_thickness: float) -> NDArray[np.bool_]:
        """Tell which points lie close to the plane."""
        near: NDArray[np.bool_] = np.abs((points - self.centre) @ self.normal) <= half_thickness
        return near

    def sample(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw points of the plane; the normal has positive z."""
        flat = rng.uniform(size=(n, 2)) * self.size
        return self._lifted(flat), np.tile(self.normal, (n, 1))

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Enclose both leaflets."""
        corners = np.array([[x, y] for x in (0.0, self.size[0]) for y in (0.0, self.size[1])])
        heights = self._lifted(corners)[:, 2]
        reach = (self.thickness / 2 + 2 * HEAD_WIDTH) * self.normal[2]
        low = np.array([0.0, 0.0, heights.min() - reach])
        return low, np.array([*self.size, heights.max() + reach])

    def _lifted(self, flat: FloatArray) -> FloatArray:
        """Put points (m, 2) of the field onto the plane."""
        slope = (flat - self.centre[:2]) @ self.normal[:2] / self.normal[2]
        return np.column_stack([flat, self.centre[2] - slope])


def bilayer_points(membrane: Membrane, spacing: float) -> tuple[FloatArray, FloatArray]:
    """Give the two leaflets of a bilayer as points with masses.

    Parameters
    ----------
    membrane
    spacing : Å between points

    Returns
    -------
    positions : (m, 3) Å, columns x, y, z
    masses : (m,) Da
        Each is a Gaussian of `HEAD_WIDTH` across the leaflet.
    """
    half = membrane.thickness / 2
    sides = [membrane.leaflet(offset, spacing) for offset in (-half, half)]
    positions = np.concatenate([points for points, _ in sides])
    return positions, LEAFLET_MASS * np.concatenate([areas for _, areas in sides])


def paint_membrane(
    labels: NDArray[np.uint16],
    membrane: Membrane,
    label: int,
    pixel_size: float,
    *,
    half_thickness: float,
) -> None:
    """Set the voxels of a bilayer to a label.

    Parameters
    ----------
    labels : (z, y, x), changed in place
    membrane
    label : its number
    pixel_size : Å
    half_thickness : Å, distance from the middle surface that still belongs to it
    """
    low, high = membrane.bounds()
    first = np.maximum(np.floor(low / pixel_size).astype(int) - 1, 0)
    last = np.minimum(np.ceil(high / pixel_size).astype(int) + 2, labels.shape[::-1])
    for z in range(first[2], last[2]):
        y, x = np.mgrid[first[1] : last[1], first[0] : last[0]]
        points = np.stack([x, y, np.full_like(x, z)], axis=-1).reshape(-1, 3) * pixel_size
        inside = membrane.contains(points, half_thickness).reshape(x.shape)
        labels[z, first[1] : last[1], first[0] : last[0]][inside] = label


def place_membranes(
    shapes: Iterator[Membrane], occupied: NDArray[np.uint16], pixel_size: float
) -> Iterator[Membrane]:
    """Keep of proposed membranes those that cross none before; paint them with their numbers."""
    number = int(occupied.max())
    for membrane in shapes:
        candidate = np.zeros_like(occupied)
        half = membrane.thickness / 2 + 2 * HEAD_WIDTH
        paint_membrane(candidate, membrane, 1, pixel_size, half_thickness=half)
        if not np.any(occupied[candidate > 0]):
            number += 1
            occupied[candidate > 0] = number
            yield membrane


def _sphere_points(n: int) -> FloatArray:
    """Points (n, 3) spread evenly on the unit sphere, along a spiral."""
    z = 1 - (2 * np.arange(n) + 1) / n
    angle = _GOLDEN_ANGLE * np.arange(n)
    ring = np.sqrt(1 - z**2)
    return np.column_stack([ring * np.cos(angle), ring * np.sin(angle), z])
