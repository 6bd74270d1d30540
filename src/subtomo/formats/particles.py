"""Tables of particles: the one door to all their formats.

A further format is one file here with a reader and a writer, and a line in the tables below.
"""

from collections.abc import Mapping
from pathlib import Path

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.csv import read_csv_particles, write_csv_particles
from subtomo.formats.relion_particles import read_relion_particles, write_relion_particles
from subtomo.model import Particles, TomogramFrame

SUFFIXES = (".star", ".csv")


def read_particles(
    path: str | Path,
    *,
    frames: Mapping[str, TomogramFrame] | None = None,
    coordinate_pixel_size: float | None = None,
) -> Particles:
    """Read a table of particles; the suffix says the format.

    Parameters
    ----------
    path : ``.star`` (RELION 3.0 to 5, Warp, pytom-match-pick) or ``.csv``
    frames : size and pixel size of each tomogram, by name
        Needed for centred coordinates (RELION 5) without others beside them.
    coordinate_pixel_size : Å
        Of coordinates in pixels; wins over what the file says.

    Returns
    -------
    Particles in the order of the file, unknown columns kept

    Raises
    ------
    FormatError
        If the suffix is not known, or the file is not what its suffix says.
    MissingFileError
        If the file does not exist.
    SettingsError
        If the file needs ``frames`` or a pixel size and they are not given.
    """
    if _suffix(path) == ".csv":
        return read_csv_particles(path, coordinate_pixel_size=coordinate_pixel_size)
    return read_relion_particles(path, frames=frames, coordinate_pixel_size=coordinate_pixel_size)


def write_particles(
    path: str | Path, particles: Particles, frames: Mapping[str, TomogramFrame] | None = None
) -> None:
    """Write a table of particles; the suffix says the format.

    Parameters
    ----------
    path : ``.star`` (RELION 5) or ``.csv``; replaced in one step
    particles : the table
    frames : size and pixel size of each tomogram, by name; needed for ``.star``

    Raises
    ------
    FormatError
        If the suffix is not known.
    SettingsError
        If a tomogram has no frame and the format needs it.
    """
    if _suffix(path) == ".csv":
        write_csv_particles(path, particles)
    elif frames is None and len(particles):
        raise SettingsError(
            f"{path}: RELION's centred coordinates need the tomograms' sizes: give frames"
        )
    else:
        write_relion_particles(path, particles, frames or {})


def _suffix(path: str | Path) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(
            f"{path}: no particle format is called {suffix or 'nothing'}; "
            f"expected one of {', '.join(SUFFIXES)}"
        )
    return suffix
