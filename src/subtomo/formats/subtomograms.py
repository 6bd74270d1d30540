"""What a table says about particles' boxes: their files, centres and transfer functions.

A subtomogram is cut with its particle at voxel n // 2. When the particle's position is refined
later, the box stays as it is: the columns ``subtomoBoxCentre*`` keep the place of its voxel n // 2.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MissingFileError, StarError
from subtomo.formats.box_stacks import name_in_stack, split_stack_name
from subtomo.formats.paths import find_file, name_in_table, not_found
from subtomo.formats.relion_coordinates import CENTRED, COORDINATES
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.star import StarTable, read_star
from subtomo.model import Particles, TomogramFrame

IMAGE = "rlnImageName"
"""File of the box."""
TRANSFER = "rlnCtfImage"
"""File of its transfer function: a volume of the box's size, zero frequency at voxel n // 2."""
BOX_CENTRE = tuple(f"subtomoBoxCentre{axis}" for axis in "XYZ")
"""Place of voxel n // 2 in the tomogram, Å."""
"""Of the tilt series, Å: the unit of coordinates from the corner."""
ROTATED = "subtomoBoxRotated"
"""1 where the box was turned to the reference, 0 where it stands as in the tomogram."""
PADDED = "subtomoBoxPadded"
"""1 where the box reaches beyond the tomogram and is filled with its mean, 0 where it does not."""
DROP_REASON = "subtomoDropReason"
"""Why a particle has no box, in tables of those that were left out."""


def box_centres(particles: Particles) -> NDArray[np.float64]:
    """Give the places of the boxes' voxels n // 2.

    Parameters
    ----------
    particles : with or without the columns; without, boxes are centred on the positions

    Returns
    -------
    (n, 3) Å, columns x, y, z

    Raises
    ------
    StarError
        If a value is not a finite number.
    """
    if any(tag not in particles.extra for tag in BOX_CENTRE):
        return particles.position
    return np.stack([_numbers(particles, tag) for tag in BOX_CENTRE], axis=1)


def are_rotated(particles: Particles) -> NDArray[np.bool_]:
    """Tell which boxes were turned to the reference: (n,).

    Parameters
    ----------
    particles : with or without the column; without, none was

    Raises
    ------
    StarError
        If a value is not a finite number.
    """
    if ROTATED not in particles.extra:
        return np.zeros(len(particles), dtype=bool)
    return np.asarray(_numbers(particles, ROTATED) != 0, dtype=bool)


def box_files(particles: Particles, table: Path) -> list[Path]:
    """Find the files of the boxes.

    Parameters
    ----------
    particles : with the column of file names
    table : path of the table they were read from

    Returns
    -------
    (n,) as ``read_volume`` takes them: ``000003@FILE`` for boxes in stacks

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
            extra[tag] = np.array([_name_in_table(file, new) for file in files], dtype=np.str_)
    return particles.with_columns(extra=extra)


def _numbers(particles: Particles, tag: str) -> NDArray[np.float64]:
    """Give a column of finite numbers."""
    numbers = np.empty(len(particles))
    for row, value in enumerate(particles.extra[tag].tolist()):
        try:
            numbers[row] = float(value)
        except ValueError:
            numbers[row] = np.nan
        if not np.isfinite(numbers[row]):
            raise StarError(f"{tag} of particle {row + 1} is {value!r}; expected a finite number")
    return numbers


def _files(names: NDArray[np.str_], table: Path) -> list[Path]:
    """Find each file; one look for each name. Those in stacks keep their number before them."""
    found: dict[str, Path] = {}
    paths = []
    for row, (number, name) in enumerate(map(split_stack_name, names.tolist())):
        if name not in found:
            path = find_file(name, table)
            if path is None:
                raise MissingFileError(f"{table}, particle {row + 1}: {not_found(name, table)}")
            found[name] = path
        paths.append(found[name] if number is None else Path(name_in_stack(number, found[name])))
    return paths


def _name_in_table(path: Path, table: Path) -> str:
    """Write a path as a table should name it, the number in a stack before it."""
    number, file = split_stack_name(str(path))
    name = name_in_table(file, table)
    return name if number is None else name_in_stack(number, name)


def frames_of_table(path: Path) -> dict[str, TomogramFrame]:
    """Work out the tomograms' frames from a table that gives every position twice.

    Parameters
    ----------
    path : STAR file with coordinates from the corner and from the centre, as this package writes

    Returns
    -------
    Size and pixel size of each tomogram, by name

    Raises
    ------
    StarError
        If the table is no STAR file or lacks one of the two kinds of coordinates.
    """
    if path.suffix.lower() != ".star":
        raise StarError(f"{path}: expected the .star file that subtomo extract volumes wrote")
    blocks = read_star(path)
    table = blocks.get("particles", next(iter(blocks.values())))
    table.require([*COORDINATES, *CENTRED], why="both, as subtomo extract volumes writes them")
    names = table.text("rlnTomoName")
    pixel_size = _tilt_series_pixel_sizes(path, table, blocks.get("optics"))
    corner = table.stacked(COORDINATES)
    size = 2 * (corner - table.stacked(CENTRED) / pixel_size[:, None])
    frames = {}
    for name, first in zip(*np.unique(names, return_index=True), strict=True):
        x, y, z = (int(n) for n in np.rint(size[first]))
        frames[str(name)] = TomogramFrame((x, y, z), float(pixel_size[first]))
    return frames


def _tilt_series_pixel_sizes(
    path: Path, table: StarTable, optics: StarTable | None
) -> NDArray[np.float64]:
    """Pixel size of the tilt series of each particle, from the table or its optics groups."""
    if TILT_SERIES_PIXEL_SIZE in table:
        return table.numbers(TILT_SERIES_PIXEL_SIZE)
    if optics is None or TILT_SERIES_PIXEL_SIZE not in optics or "rlnOpticsGroup" not in table:
        raise StarError(
            f"{path}: no column {TILT_SERIES_PIXEL_SIZE}, in data_particles or data_optics"
        )
    groups = optics.integers("rlnOpticsGroup")
    order = np.argsort(groups)
    found = order[np.searchsorted(groups[order], table.integers("rlnOpticsGroup"))]
    sizes: NDArray[np.float64] = optics.numbers(TILT_SERIES_PIXEL_SIZE)[found]
    return sizes
