"""The part of a large closed membrane that lies in the ice, as of a cell's organelle."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from subtomo.simulation.filaments import frame_along, lying_frame
from subtomo.simulation.membranes import Membrane, Vesicle

FloatArray = NDArray[np.float64]

_AREA_POINTS = 1 / 100  # of the smallest semi-axis: spacing of the points that measure the area


@dataclass(frozen=True, eq=False)
class Patch:
    """A membrane between the faces of the ice; it goes on beyond the field of view.

    Parameters
    ----------
    whole : the membrane that it is a part of
    low, high : (3,) Å, corners of the ice in the field of view
        Lipids are cut along z only; `sample` draws points of the field.
    """

    whole: Vesicle
    low: FloatArray
    high: FloatArray

    @property
    def thickness(self) -> float:
        """Å, between the head groups of the two leaflets."""
        return self.whole.thickness

    @cached_property
    def area(self) -> float:
        """Å² in the field, within about 1 %."""
        points, areas = self.whole.leaflet(0.0, float(self.whole.axes.min()) * _AREA_POINTS)
        return float(areas[self._is_in_field(points)].sum())

    def leaflet(self, offset: float, spacing: float) -> tuple[FloatArray, FloatArray]:
        """Cover a surface ``offset`` Å outside the middle one; see `Membrane.leaflet`."""
        points, areas = self.whole.leaflet(offset, spacing)
        kept = self._is_in_ice(points)
        return points[kept], areas[kept]

    def contains(self, points: FloatArray, half_thickness: float) -> NDArray[np.bool_]:
        """Tell which points (m, 3) lie within a distance, Å, of the middle surface."""
        return self.whole.contains(points, half_thickness) & self._is_in_ice(points)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw points (n, 3) in the field, evenly, and their outward normals (n, 3)."""
        points, normals = np.empty((2, 0, 3))
        while len(points) < n:
            more, outward = self.whole.sample(8 * n, rng)
            kept = self._is_in_field(more)
            points = np.concatenate([points, more[kept]])
            normals = np.concatenate([normals, outward[kept]])
        return points[:n], normals[:n]

    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Give the corners (3,) of a box around the bilayer, Å."""
        first, last = self.whole.bounds()
        first[2], last[2] = max(first[2], self.low[2]), min(last[2], self.high[2])
        return first, last

    def _is_in_ice(self, points: FloatArray) -> NDArray[np.bool_]:
        z = points[:, 2]
        return np.asarray((z >= self.low[2]) & (z <= self.high[2]))

    def _is_in_field(self, points: FloatArray) -> NDArray[np.bool_]:
        return np.asarray(((points >= self.low) & (points <= self.high)).all(axis=1))


def patches(
    axes: Iterator[FloatArray],
    thickness: float,
    low: FloatArray,
    high: FloatArray,
    *,
    steepest_deg: float,
    rng: np.random.Generator,
) -> Iterator[Membrane]:
    """Propose patches that pass through the middle of the field, their normal there nearly flat.

    Parameters
    ----------
    axes : (3,) Å, semi-axes of one after another
    thickness : Å, between the head groups of the two leaflets
    low, high : (3,) Å, corners of the ice in the field of view
    steepest_deg : largest angle of the normal in the middle with the tomogram's xy plane
    rng : for their orientations
    """
    for semi_axes in axes:
        normal = lying_frame(rng, steepest_deg)[:, 2]
        matrix = frame_along(_direction(rng), rng.uniform(0, 2 * np.pi))
        # the point of an ellipsoid with normal n is A² n / |A n|, A its semi-axes
        local = matrix.T @ normal
        point = semi_axes**2 * local / np.linalg.norm(semi_axes * local)
        centre = (low + high) / 2 - matrix @ point
        yield Patch(Vesicle(centre, semi_axes, matrix, thickness), low, high)


def _direction(rng: np.random.Generator) -> FloatArray:
    vector = rng.normal(size=3)
    return np.asarray(vector / np.linalg.norm(vector))
