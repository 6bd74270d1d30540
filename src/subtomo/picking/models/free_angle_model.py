"""Models that leave the angle about the particle's z axis open."""

from typing import Annotated, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from subtomo.picking.models.geometric_model import GeometricModel


class FreeAngleModel(GeometricModel):
    """A model that knows only the z axis of its particles.

    Parameters
    ----------
    in_plane : the angle about z
        ``fixed``: as the model defines it; ``random``: each turned by a random angle, which spreads
        the missing wedge over an average.
    seed : of the random angles; with the names of tomogram and model it gives the same ones again
    """

    in_plane: Literal["fixed", "random"] = "fixed"
    seed: Annotated[int, Field(ge=0)] = 0

    def _free_angles(self, n: int) -> NDArray[np.float64]:
        """Give the angles about z: (n,) degrees."""
        if self.in_plane == "fixed":
            return np.zeros(n)
        return random_angles(n, self.seed, self.tomogram, self.name)


def random_angles(n: int, seed: int, tomogram: str, name: str) -> NDArray[np.float64]:
    """Draw angles (n,) of 0 to 360 degrees, other ones for each tomogram and name."""
    key = [seed, crc32(tomogram.encode()), crc32(name.encode())]
    return np.random.default_rng(key).uniform(0, 360, n)
