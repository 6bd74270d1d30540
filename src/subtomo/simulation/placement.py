"""Bodies in a slab of ice, none touching another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from subtomo.geometry.rotations import matrices_from_quaternions

FloatArray = NDArray[np.float64]

_STEPS = 2  # test points a voxel and axis: every voxel that a turned body covers then holds one
_FEW_POINTS = 200  # looked at first: most places that are taken show in them


class Body:
    """The shape of one kind of particle.

    Parameters
    ----------
    mask : (n, n, n) bool, about voxel ``n // 2``
    gap : voxels that stay free around it, 1 or more

    Attributes
    ----------
    volume_px : voxels of the body
    """

    def __init__(self, mask: NDArray[np.bool_], gap: int = 1) -> None:
        self.mask = np.pad(mask, gap + 1)
        self.volume_px = int(mask.sum())
        kept_free = ndimage.binary_dilation(self.mask, np.ones((3, 3, 3)), iterations=gap)
        voxels = np.argwhere(kept_free)[:, ::-1] - np.array(self.mask.shape) // 2
        steps = (np.arange(_STEPS) + 0.5) / _STEPS - 0.5
        inner = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
        points = (voxels[:, None] + inner).reshape(-1, 3)
        # an order without structure, so that the first few are spread over the body
        self._points = np.random.default_rng(0).permutation(points)
        self._reach = int(np.ceil(np.linalg.norm(points, axis=1).max())) + 1

    def points(self, matrix: FloatArray, position_px: FloatArray, *, few: bool) -> FloatArray:
        """Give points (m, 3) that cover the turned body and its gap, in voxels, columns x, y, z."""
        points = self._points[:_FEW_POINTS] if few else self._points
        return points @ matrix.T + position_px

    def voxels(self, matrix: FloatArray, position_px: FloatArray) -> NDArray[np.int64]:
        """Give the voxels (m, 3) whose centres the turned body covers, columns x, y, z."""
        axes = [np.arange(-self._reach, self._reach + 1)] * 3
        offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        nearest = np.rint(position_px).astype(np.int64)
        source = np.rint((offsets + nearest - position_px) @ matrix).astype(np.int64)[:, ::-1]
        source += np.array(self.mask.shape) // 2
        inside = ((source >= 0) & (source < self.mask.shape)).all(axis=1)
        covered = np.flatnonzero(inside)
        covered = covered[self.mask[tuple(source[covered].T)]]
        return np.asarray(offsets[covered] + nearest)


@dataclass(frozen=True, eq=False)
class Slab:
    """The ice, and what is in it already.

    Parameters
    ----------
    particles : (z, y, x) label of the particle in each voxel, 0 for none
    membranes : (z, y, x) number of the membrane in each voxel, 0 for none
    pixel_size : Å
    floor_px, ceiling_px : voxels along z between which the ice is
    """

    particles: NDArray[np.uint16]
    membranes: NDArray[np.uint16]
    pixel_size: float
    floor_px: float
    ceiling_px: float

    @property
    def volume_px(self) -> float:
        """Voxels of ice."""
        _, y, x = self.particles.shape
        return float(y * x * (self.ceiling_px - self.floor_px))

    def random_position(self, rng: np.random.Generator) -> FloatArray:
        """Draw a point (3,) of the ice, Å."""
        _, y, x = self.particles.shape
        low = np.array([0.0, 0.0, self.floor_px])
        high = np.array([x - 1.0, y - 1.0, self.ceiling_px])
        return np.asarray(rng.uniform(low, high) * self.pixel_size)

    def has_room(
        self, body: Body, position: FloatArray, orientation: FloatArray, *, membrane: int = 0
    ) -> bool:
        """Tell whether a body fits.

        Parameters
        ----------
        body
        position : (3,) Å
        orientation : (4,) quaternion
        membrane : number of the one membrane that it may overlap
        """
        matrix = matrices_from_quaternions(orientation)
        return all(
            self._is_free(body.points(matrix, position / self.pixel_size, few=few), membrane)
            for few in (True, False)
        )

    def add(self, body: Body, position: FloatArray, orientation: FloatArray, label: int) -> None:
        """Paint a body with its label."""
        matrix = matrices_from_quaternions(orientation)
        x, y, z = body.voxels(matrix, position / self.pixel_size).T
        self.particles[z, y, x] = label

    def _is_free(self, points: FloatArray, membrane: int) -> bool:
        """Whether points lie in the ice and in no other body."""
        z = points[:, 2]
        if z.min() < self.floor_px or z.max() > self.ceiling_px:
            return False
        index = np.rint(points).astype(np.int64)[:, ::-1]
        if (index < 0).any() or (index >= self.particles.shape).any():
            return False
        voxels = tuple(index.T)
        if self.particles[voxels].any():
            return False
        found = self.membranes[voxels]
        return not np.any(found[found != membrane])


def empty_slab(size_px: tuple[int, int, int], pixel_size: float, ice_thickness: float) -> Slab:
    """Make a slab of ice in the middle of a tomogram.

    Parameters
    ----------
    size_px : (x, y, z) of the tomogram
    pixel_size : Å
    ice_thickness : Å
    """
    x, y, z = size_px
    half = ice_thickness / pixel_size / 2
    return Slab(
        np.zeros((z, y, x), dtype=np.uint16),
        np.zeros((z, y, x), dtype=np.uint16),
        pixel_size,
        z / 2 - half,
        z / 2 + half,
    )
