"""Models that particles are spread over at a spacing, and how much closer than asked."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from subtomo.picking.models.geometric_model import (
    EXCLUSION_DISTANCE,
    GeometricModel,
    Length,
)


class SampledModel(GeometricModel):
    """A model with a spacing between particles.

    Parameters
    ----------
    oversampling : particles lie so many times closer than the spacing, in each direction
        For alignments that move each to where a true one is.
    exclusion_distance : Å
        Particles closer than this after alignment are the same one; a column of the particles. Not
        given: none, or half the spacing where there is oversampling: duplicates meet at one true
        position, and true ones are a whole spacing apart.
    """

    oversampling: Annotated[int, Field(ge=1, le=20)] = 1
    exclusion_distance: Length | None = None

    def _exclusion(self, n: int, spacing: float) -> dict[str, NDArray[Any]]:
        """Make the column of the exclusion distance, where there is one."""
        distance = self.exclusion_distance
        if distance is None and self.oversampling > 1:
            distance = spacing / 2
        return {} if distance is None else {EXCLUSION_DISTANCE: np.full(n, distance)}
