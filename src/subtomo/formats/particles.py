"""Tables of particles: the one door to all their formats, which ``particle_formats`` lists."""

from collections.abc import Mapping
from pathlib import Path

from subtomo.formats.csv import read_csv_particles
from subtomo.formats.particle_formats import format_of
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, TomogramFrame


def read_particles(
    path: str | Path,
    *,
    frames: Mapping[str, TomogramFrame] | None = None,
    coordinate_pixel_size: float | None = None,
    format_name: str | None = None,
    context: TableContext | None = None,
) -> Particles:
    """Read a table of particles; the suffix says the format, or its content.

    Parameters
    ----------
    path : of any format in ``PARTICLE_FORMATS``
    frames : size and pixel size of each tomogram, by name
        Needed for centred coordinates (RELION 5) without others beside them.
    coordinate_pixel_size : Å
        Of coordinates in pixels; wins over what the file says.
    format_name : of the format, where the suffix and the content do not say it
    context : what the table does not say itself; instead of ``frames`` and
        ``coordinate_pixel_size``
        Tomograms are then called as the context calls them.

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
        If the file needs a context and it is not given.
    """
    row = format_of(path, format_name)
    if context is not None:
        return context.named(row.read(Path(path), context))
    if row.name == "csv":  # refuses a pixel size for columns in Å
        return read_csv_particles(path, coordinate_pixel_size=coordinate_pixel_size)
    return row.read(Path(path), TableContext(frames=frames or {}, pixel_size=coordinate_pixel_size))


def write_particles(
    path: str | Path,
    particles: Particles,
    frames: Mapping[str, TomogramFrame] | None = None,
    *,
    format_name: str | None = None,
    context: TableContext | None = None,
) -> None:
    """Write a table of particles; the suffix says the format.

    Parameters
    ----------
    path : ``.star`` (RELION 5), ``.csv`` or any other suffix in ``PARTICLE_FORMATS``; replaced in
        one step
    particles : the table
    frames : size and pixel size of each tomogram, by name; needed for ``.star``
    format_name : of the format, where the suffix does not say it
    context : what the format needs to know beside the table; instead of ``frames``

    Raises
    ------
    FormatError
        If the suffix is not known.
    SettingsError
        If the format needs a context and it is not given.
    """
    row = format_of(path, format_name, is_output=True)
    row.write(Path(path), particles, context or TableContext(frames=frames or {}))
