"""How particles move from tilt to tilt: RELION's ``motion.star``."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.relion_star import write_relion_star
from subtomo.formats.star import StarTable, read_star
from subtomo.formats.star_contents import refuse_contents

FloatArray = NDArray[np.float64]

_SHIFTS = ("rlnOriginXAngst", "rlnOriginYAngst", "rlnOriginZAngst")
_GENERAL = "general"
_COUNT = "rlnParticleNumber"


def read_trajectories(path: str | Path) -> dict[str, FloatArray]:
    """Read the trajectories of particles.

    Parameters
    ----------
    path : the file

    Returns
    -------
    (tilt, 3) Å by particle name, columns x, y, z; added to the particle's position on that tilt

    Raises
    ------
    MissingFileError
        If the file does not exist.
    StarError
        If a column is missing, a value is not a finite number, or blocks are missing.
    """
    blocks = read_star(path)
    refuse_contents(path, blocks, "trajectories of particles", "RELION's motion.star")
    general = blocks.pop(_GENERAL, None)
    if general is not None and _COUNT in general:
        count = general.integers(_COUNT)[0]
        if count != len(blocks):
            raise StarError(
                f"{path}: {_COUNT} is {count}, but {len(blocks)} blocks of particles follow"
            )
    return {name: table.stacked(_SHIFTS) for name, table in blocks.items()}


def write_trajectories(
    path: str | Path, trajectories: Mapping[str, FloatArray], names: Iterable[str]
) -> None:
    """Write the trajectories of some particles, in their order, replaced in one step.

    Parameters
    ----------
    path : the file
    trajectories : (tilt, 3) Å by particle name
    names : of the particles to be written
    """
    names = list(names)
    general = {_GENERAL: StarTable({_COUNT: np.array([len(names)])}, is_loop=False)}
    blocks = {
        name: StarTable(dict(zip(_SHIFTS, trajectories[name].T, strict=True))) for name in names
    }
    write_relion_star(path, general | blocks)
