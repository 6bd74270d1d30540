"""A tilt series as its alignment and its images say it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.model import TiltSeries


@dataclass(frozen=True, eq=False)
class AlignedSeries:
    """A tilt series, and what ties its images to other files.

    Parameters
    ----------
    tilt_series : with images
    stage_angles : (tilt,) degrees, as in the microscope's metadata
    sections : (tilt,) index of each image in the raw stack
    n_images : in the raw stack
    tomogram_depth_px : where the alignment says it, or None
    knows_optics : whether the alignment says the microscope and the handedness
    """

    tilt_series: TiltSeries
    stage_angles: NDArray[np.float64]
    sections: NDArray[np.int64]
    n_images: int
    tomogram_depth_px: int | None = None
    knows_optics: bool = False
