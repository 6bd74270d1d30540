"""How the numbers of a table of picks are taken for positions in a tomogram."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Corner = Literal["corner", "centre"]

FLIPS = ("", "x", "y", "z", "xy", "xz", "yz", "xyz")
_AS_THEY_ARE = "the numbers as they are"
_MIRROR = np.diag([1.0, -1.0, 1.0])  # of a reference, through the plane of its x and z axes


@dataclass(frozen=True)
class Placement:
    """What is done to the coordinates of a table, in this order.

    Parameters
    ----------
    is_one_based : the first voxel is 1, so that 1 is taken off
    scale : voxels of the tomogram for each voxel that the table counts
    keeps_corner : scaled about the outer corner of the first voxel (means of blocks), rather than
        about its centre
    swaps_yz : y and z are exchanged
    origin : counted from the first voxel, or from the centre (size / 2)
    flips : axes along which coordinates count from the last voxel, such as ``xz``
    shift_px : (x, y, z) voxels of the tomogram, added at the end
    """

    is_one_based: bool = False
    scale: float = 1.0
    keeps_corner: bool = False
    swaps_yz: bool = False
    origin: Corner = "corner"
    flips: str = ""
    shift_px: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def indices(self, coordinates: FloatArray, size_px: Sequence[int]) -> FloatArray:
        """Turn coordinates into voxels of the tomogram.

        Parameters
        ----------
        coordinates : (n, 3) as the table has them, columns x, y, z
        size_px : (x, y, z) of the tomogram

        Returns
        -------
        (n, 3) fractional voxels, from 0
        """
        size = np.array(size_px, dtype=np.float64)
        half = 0.5 if self.keeps_corner else 0.0
        found = (coordinates - float(self.is_one_based) + half) * self.scale - half
        if self.swaps_yz:
            found = found[:, [0, 2, 1]]
        if self.origin == "centre":
            found = found + size / 2
        is_flipped = np.array([axis in self.flips for axis in "xyz"])
        return np.where(is_flipped, size - 1 - found, found) + self.shift_px

    @property
    def matrix(self) -> FloatArray:
        """(3, 3) what the flips and the exchange do to directions, columns x, y, z."""
        order = [0, 2, 1] if self.swaps_yz else [0, 1, 2]
        signs = np.array([-1.0 if axis in self.flips else 1.0 for axis in "xyz"])
        matrix: FloatArray = signs[:, None] * np.eye(3)[order]
        return matrix

    @property
    def changes_hand(self) -> bool:
        """Whether it turns a right hand into a left one."""
        return bool(np.linalg.det(self.matrix) < 0)

    def rotations(self, rotations: FloatArray) -> FloatArray:
        """Turn orientations (n, 3, 3), reference to tomogram, with the coordinates.

        A placement that changes the hand makes the particles the mirror images of their reference;
        they are then those of the reference mirrored through the plane of its x and z axes, which
        keeps the direction of both.
        """
        turned: FloatArray = self.matrix @ rotations
        return turned @ _MIRROR if self.changes_hand else turned

    def words(self) -> str:
        """Write it as options of ``subtomo import particles``, or say that there are none."""
        words = [] if self.scale == 1 else [f"--scale {self.scale:.6g}"]
        words += ["--one-based"] if self.is_one_based else []
        words += ["--scale-keeps corner"] if self.keeps_corner and self.scale != 1 else []
        words += ["--swap-yz"] if self.swaps_yz else []
        words += ["--origin centre"] if self.origin == "centre" else []
        words += [f"--flip {self.flips}"] if self.flips else []
        return " ".join(words) or _AS_THEY_ARE


def is_inside(indices: FloatArray, size_px: Sequence[int]) -> NDArray[np.bool_]:
    """Tell which voxels (n, 3) are those of a volume of (x, y, z) voxels."""
    within = (indices >= -0.5) & (indices <= np.array(size_px) - 0.5)
    return np.asarray(within.all(axis=1))


def placements_near(given: Placement, pixel_size: float) -> Iterator[Placement]:
    """Give the placements that people mean when they mean another than the given one.

    Parameters
    ----------
    given : comes first
    pixel_size : Å, of the tomogram: coordinates may be Å or nm

    Yields
    ------
    Placement
        With scales by powers of two and by the pixel size, either origin, all flips, y and z
        exchanged; whatever else was given stays. One voxel more or less shows in no picks.
    """
    yield given
    scales = {given.scale, 1 / pixel_size, 10 / pixel_size, *(2.0**n for n in range(-3, 4))}
    choices = product(sorted(scales), (False, True), ("corner", "centre"), FLIPS)
    for scale, swaps, origin, flips in choices:
        other = replace(
            given,
            scale=scale,
            swaps_yz=swaps,
            origin="centre" if origin == "centre" else "corner",
            flips=flips,
            keeps_corner=given.keeps_corner and scale != 1,
            is_one_based=given.is_one_based and origin == "corner",
        )
        if other != given:
            yield other


def n_changes(placement: Placement, given: Placement) -> int:
    """Count the options that differ."""
    flips = len(set(placement.flips) ^ set(given.flips))
    others = ("scale", "swaps_yz", "origin")
    changed = [name for name in others if getattr(placement, name) != getattr(given, name)]
    return flips + len(changed)
