"""Tables of tomograms whose tilt series is not known: where each is, its voxels and its frame.

A STAR file with the one block ``data_tomograms``, in RELION's words where RELION has them. Tables
of tomograms with their tilt series are RELION's own (``relion_tomograms``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subtomo.errors import SettingsError, StarError
from subtomo.formats.naming_file import naming_file
from subtomo.formats.paths import find_file, name_in_table
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_tomograms import ORIGIN
from subtomo.formats.star import StarTable, read_star, write_star
from subtomo.model import TomogramFrame, VoxelGrid

BLOCK = "tomograms"
_NAME = "rlnTomoName"
_PATH = "rlnTomoReconstructedTomogram"
_PIXEL_SIZE = "subtomoPixelSize"
_FULL_SIZE = tuple(f"rlnTomoSize{axis}" for axis in "XYZ")


@dataclass(frozen=True)
class ListedTomogram:
    """One tomogram of a list.

    Parameters
    ----------
    name : which particles refer to
    path : of the volume
    pixel_size : Å, of the volume
    origin : (x, y, z) Å, centre of the first voxel in the full-resolution tomogram
    frame : the full-resolution tomogram
    """

    name: str
    path: Path
    pixel_size: float
    origin: tuple[float, float, float]
    frame: TomogramFrame


def is_tomogram_list(path: Path | str) -> bool:
    """Tell whether a STAR file is a list of tomograms without tilt series.

    Raises
    ------
    MissingFileError, StarError
        If the file cannot be read.
    """
    return BLOCK in read_star(path)


def read_tomogram_list(path: Path | str) -> list[ListedTomogram]:
    """Read a list of tomograms.

    Parameters
    ----------
    path : ``.star``; relative names are looked for as RELION's are

    Returns
    -------
    list of ListedTomogram, in the order of the file; whether the volumes exist is not looked at

    Raises
    ------
    MissingFileError
        If the file does not exist.
    StarError, DataError
        If a column is missing, a value is not what it should be or a name comes twice.
    """
    path = Path(path)
    blocks = read_star(path)
    if BLOCK not in blocks:
        raise StarError(f"{path}: no block data_{BLOCK}; found data_{', data_'.join(blocks)}")
    table = blocks[BLOCK]
    table.require([_NAME, _PATH, _PIXEL_SIZE, TILT_SERIES_PIXEL_SIZE, *_FULL_SIZE, *ORIGIN])
    names, files = table.text(_NAME).tolist(), table.text(_PATH).tolist()
    sizes = np.stack([table.integers(tag) for tag in _FULL_SIZE], axis=1)
    pixels = table.stacked([_PIXEL_SIZE, TILT_SERIES_PIXEL_SIZE])
    origins = table.stacked(ORIGIN)
    found = []
    for row, name in enumerate(names):
        if name in names[:row]:
            raise StarError(f"{table.place(row)}: tomogram {name} comes twice")
        x, y, z = sizes[row].tolist()
        with naming_file(table.place(row)):
            for size in pixels[row].tolist():
                VoxelGrid(size, (x, y, z))  # refuses what is not positive
        at = origins[row].tolist()
        file = find_file(files[row], path) or path.absolute().parent / files[row]
        frame = TomogramFrame((x, y, z), float(pixels[row, 1]))
        found.append(
            ListedTomogram(name, file, float(pixels[row, 0]), (at[0], at[1], at[2]), frame)
        )
    return found


def write_tomogram_list(path: Path | str, tomograms: Sequence[ListedTomogram]) -> None:
    """Write a list of tomograms, replaced in one step; files are named from its folder.

    Raises
    ------
    SettingsError
        If two tomograms have the same name.
    """
    path = Path(path)
    names = [one.name for one in tomograms]
    if len(set(names)) < len(names):
        name = next(name for i, name in enumerate(names) if name in names[:i])
        raise SettingsError(f"{path}: tomogram {name} comes twice; expected different names")
    sizes = np.array([one.frame.size_px for one in tomograms], dtype=np.int64).reshape(-1, 3)
    origins = np.array([one.origin for one in tomograms]).reshape(-1, 3)
    columns = {
        _NAME: np.array(names, dtype=np.str_),
        _PATH: np.array([name_in_table(one.path, path) for one in tomograms], dtype=np.str_),
        _PIXEL_SIZE: np.array([one.pixel_size for one in tomograms]),
        TILT_SERIES_PIXEL_SIZE: np.array([one.frame.pixel_size for one in tomograms]),
        **dict(zip(_FULL_SIZE, sizes.T, strict=True)),
        **dict(zip(ORIGIN, origins.T, strict=True)),
    }
    write_star(path, {BLOCK: StarTable(columns)})
