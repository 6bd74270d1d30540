"""The 2D crops of one particle, one a visible tilt."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError


@dataclass(frozen=True, eq=False)
class ParticleTilts:
    """A particle's 2D crops.

    Parameters
    ----------
    images : (visible tilt, y, x)
    pixel_size : Å
    visible : (tilt,) bool, which tilts of the series the images are

    Raises
    ------
    ShapeError
        If the number of images is not the number of visible tilts.
    DataError
        If the pixel size is not positive.
    """

    images: Any
    pixel_size: float
    visible: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if len(self.images.shape) != 3 or self.images.shape[0] != int(self.visible.sum()):
            raise ShapeError(
                f"particle images have shape {tuple(self.images.shape)}; "
                f"expected ({int(self.visible.sum())}, y, x), one image a visible tilt"
            )
        if not self.pixel_size > 0:
            raise DataError(f"particle images have pixel_size {self.pixel_size} Å; expected > 0")
