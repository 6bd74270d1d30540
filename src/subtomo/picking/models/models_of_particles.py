"""Models from a table of points."""

from collections.abc import Callable

import numpy as np

from subtomo.model import Particles
from subtomo.picking.models.general import GeneralModel


def models_of_particles(
    particles: Particles, name: str, pixel_size_of: Callable[[str], float]
) -> list[GeneralModel]:
    """Make a model of each instance in each tomogram.

    Parameters
    ----------
    particles : points in the order they were clicked, each of a named tomogram
    name : of the models of points without an instance
    pixel_size_of : gives the pixel size (Å) of a tomogram by its name

    Returns
    -------
    list of GeneralModel
        In the order in which they come in the table; to be read as another type with
        :func:`~subtomo.picking.models.model_types.reread_as`.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    keys = zip(particles.tomogram.tolist(), particles.instance.astype(str).tolist(), strict=True)
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    return [
        GeneralModel.of_particles(
            particles.select(np.array(rows)), instance or name, pixel_size_of(tomogram)
        )
        for (tomogram, instance), rows in groups.items()
    ]
