"""The images of one tilt series, from what is in the ice."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from subtomo.model import TiltSeries
from subtomo.simulation.densities import GRID_BLUR, Density
from subtomo.simulation.membranes import HEAD_WIDTH, bilayer_points
from subtomo.simulation.projection import Transfer, add_particles, add_points, empty_images
from subtomo.simulation.scene import Scene

Images = NDArray[np.float32]


def signal_images(
    tilt_series: TiltSeries,
    scene: Scene,
    densities: Mapping[str, Density],
    *,
    transfer: Transfer | None = None,
) -> Images:
    """Project a scene to the images of a tilt series, without noise.

    Parameters
    ----------
    tilt_series : the true geometry; without images
    scene : what is in the ice
    densities : (n, n, n) Da/Å³ of each class, on voxels of the images' pixel size
    transfer : default: CTF and dose

    Returns
    -------
    (tilt, y, x) float32, Da/Å²: attenuation · CTF · dose weight · projection
    """
    images = empty_images(tilt_series)
    for name, density in densities.items():
        add_particles(images, tilt_series, density, *scene.of_class(name), transfer=transfer)
    a = tilt_series.pixel_size
    for membrane in scene.membranes:
        positions, masses = bilayer_points(membrane, a / 2)
        width = float(np.hypot(HEAD_WIDTH, GRID_BLUR * a))
        add_points(images, tilt_series, positions, masses, width, transfer=transfer)
    return images
