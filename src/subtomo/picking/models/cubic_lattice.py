"""Nodes of a cubic lattice."""

from typing import Literal

import numpy as np

from subtomo.errors import DataError
from subtomo.geometry.cubic_lattice import CubicLattice, fit_cubic_lattice
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.picking.models.geometric_model import Length
from subtomo.picking.models.poses import Poses
from subtomo.picking.models.sampled_model import SampledModel


class CubicLatticeModel(SampledModel):
    """All nodes of the cubic lattice that the points are nodes of, within the points' box.

    Particles have the axes of the lattice, named as near to x, y and z as they can be.

    Parameters
    ----------
    points : at least 4 nodes, not in one plane; some of them neighbours in different directions
    separation : Å between neighbouring nodes; not given: found from the points
    """

    type: Literal["cubic_lattice"] = "cubic_lattice"
    separation: Length | None = None

    def lattice(self) -> CubicLattice:
        """Find the lattice.

        Raises
        ------
        DataError
            If the points are too few, lie in one plane, or are not on one lattice.
        """
        return fit_cubic_lattice(self.positions(), self.separation)

    def _check_points(self) -> None:
        lattice = self.lattice()
        counts = (lattice.highest - lattice.lowest) * self.oversampling + 1
        if np.prod(counts) > _MOST_NODES:
            raise DataError(
                f"its lattice of spacing {lattice.spacing:.4g} Å has {np.prod(counts):.0f} nodes "
                f"between the points; expected {_MOST_NODES} at most: check the separation"
            )

    def _poses(self) -> Poses:
        self._check_points()
        lattice = self.lattice()
        nodes = lattice.nodes(self.oversampling)
        orientations = np.tile(quaternions_from_matrices(lattice.axes), (len(nodes), 1))
        return Poses(nodes, orientations, self._exclusion(len(nodes), lattice.spacing))


_MOST_NODES = 1_000_000
