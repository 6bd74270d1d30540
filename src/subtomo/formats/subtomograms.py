"""What a table says about particles' boxes: their files, centres and transfer functions.

A subtomogram is cut with its particle at voxel n // 2. When the particle's position is refined
later, the box stays as it is: the columns ``subtomoBoxCentre*`` keep the place of its voxel n // 2.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MissingFileError, StarError
from subtomo.formats.paths import find_file, name_in_table, not_found
from subtomo.model import Particles

IMAGE = "rlnImageName"
"""File of the box."""
TRANSFER = "rlnCtfImage"
"""File of its transfer function: a volume of the box's size, zero frequency at voxel n // 2."""
BOX_CENTRE = tuple(f"subtomoBoxCentre{axis}" for axis in "XYZ")
"""Place of voxel n // 2 in the tomogram, Å."""
ROTATED = "subtomoBoxRotated"
"""1 where the box was turned to the reference, 0 where it stands as in the tomogram."""


def box_centres(particles: Particles) -> NDArray[np.float64]:
    """Give the places of the boxes' voxels n // 2.

    Parameters
    ----------
    particles : with or without the columns; without, boxes are centred on the positions

    Returns
    -------
    (n, 3) Å, columns x, y, z
    """
    if any(tag not in particles.extra for tag in BOX_CENTRE):
        return particles.position
    columns = [np.asarray(particles.extra[tag], dtype=np.float64) for tag in BOX_CENTRE]
    return np.stack(columns, axis=1)


def box_files(particles: Particles, table: Path) -> list[Path]:
    """Find the files of the boxes.

    Parameters
    ----------
    particles : with the column of file names
    table : path of the table they were read from

    Raises
    ------
    StarError
        If there is no such column.
    MissingFileError
        If a file does not exist.
    """
    if IMAGE not in particles.extra:
        raise StarError(
            f"{table}: no column {IMAGE}, the files of the subtomograms; "
            "make them with subtomo extract volumes"
        )
    return _files(particles.extra[IMAGE], table)


def transfer_files(particles: Particles, table: Path) -> list[Path] | None:
    """Find the files of the boxes' transfer functions; None where the table names none.

    Parameters
    ----------
    particles : with or without the column of file names
    table : path of the table they were read from

    Raises
    ------
    MissingFileError
        If a file does not exist.
    """
    if TRANSFER not in particles.extra:
        return None
    return _files(particles.extra[TRANSFER], table)


def with_files_named_from(particles: Particles, old: Path, new: Path) -> Particles:
    """Rename the files of the boxes for a table in another folder.

    Parameters
    ----------
    particles : read from ``old``
    old, new : paths of the tables
    """
    extra = dict(particles.extra)
    for tag in (IMAGE, TRANSFER):
        if tag in extra:
            files = _files(extra[tag], old)
            extra[tag] = np.array([name_in_table(file, new) for file in files], dtype=np.str_)
    return particles.with_columns(extra=extra)


def _files(names: NDArray[np.str_], table: Path) -> list[Path]:
    """Find each file; one look for each name."""
    found: dict[str, Path] = {}
    for row, name in enumerate(names.tolist()):
        if name in found:
            continue
        path = find_file(name, table)
        if path is None:
            raise MissingFileError(f"{table}, particle {row + 1}: {not_found(name, table)}")
        found[name] = path
    return [found[name] for name in names.tolist()]
