"""Which rotations a search tries: a grid first, then finer ones around the best of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.geometry.orientation_grid import local_orientations, orientation_grid
from subtomo.geometry.rotations import multiply_quaternions

FloatArray = NDArray[np.float64]

_IDENTITY = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class AngularSearch:
    """Rotations to try for a particle.

    Parameters
    ----------
    kind
        "none": the orientation as it is; "local": rotations of it by no more than ``range_deg``;
        "cone": all turns about the particle's z axis, tilted by no more than that;
        "global": all orientations.
    step_deg : spacing of the first grid
    range_deg : see ``kind``
    symmetry : of the reference, for cones and all orientations: of equivalent ones one is tried
    n_refined : how many of the best orientations of the first grid are refined
    """

    kind: Literal["none", "local", "cone", "global"]
    step_deg: float = 0.0
    range_deg: float = 0.0
    symmetry: str = "C1"
    n_refined: int = 1

    @cached_property
    def turns(self) -> FloatArray:
        """Turns of the first grid (r, 4), made before the orientation; or whole orientations."""
        if self.kind == "global":
            return orientation_grid(self.step_deg, self.symmetry)
        if self.kind == "cone":
            return orientation_grid(self.step_deg, self.symmetry, self.range_deg)
        if self.kind == "local":
            return local_orientations(_IDENTITY, self.range_deg, self.step_deg)
        return np.array([_IDENTITY])

    @cached_property
    def finer(self) -> tuple[FloatArray, ...]:
        """Grids of turns (f, 4), each around the best found with the one before.

        Half the first grid's step; where it covers much, a quarter of it then.
        """
        halvings = {"none": 0, "local": 1, "cone": 2, "global": 2}[self.kind]
        steps = [self.step_deg * 0.5**number for number in range(halvings)]
        return tuple(local_orientations(_IDENTITY, step, step / 2) for step in steps)

    def first(self, orientation: FloatArray) -> FloatArray:
        """Give the orientations that are tried first (r, 4).

        Parameters
        ----------
        orientation : (4,) of the particle
        """
        if self.kind == "global":
            return self.turns
        return multiply_quaternions(orientation, self.turns)


def count_rotations(search: AngularSearch) -> int:
    """Count the rotations that are tried for a particle.

    Parameters
    ----------
    search : of the particle
    """
    alike = AngularSearch(
        search.kind, search.step_deg, search.range_deg, search.symmetry, search.n_refined
    )  # its grids are not kept: a search travels to workers without them
    return len(alike.turns) + search.n_refined * sum(len(turns) for turns in alike.finer)
