"""Positions and orientations on a geometry, before they are a table."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Poses:
    """Where the particles of a model are.

    Parameters
    ----------
    positions : (n, 3) Å, columns x, y, z
    orientations : (n, 4) unit quaternions, reference to tomogram; None where they are unknown
    extra : further columns of the table, by name
    """

    positions: NDArray[np.float64]
    orientations: NDArray[np.float64] | None = None
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)
