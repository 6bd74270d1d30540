"""Tables of particles: the one door to all their formats, which ``particle_formats`` lists."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from subtomo.errors import AngleError, DataError
from subtomo.formats.csv import read_csv_particles
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.particle_formats import format_of
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, TomogramFrame

FARTHEST = 1e9  # Å; ten centimetres, beyond any specimen and within float32 in voxels
LARGEST_BOX = 100_000  # voxels along the edge, to be noted; those that are cut are smaller


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
    DataError
        If a particle has no tomogram's name, or a position, angle, half or box size that none can
        have.
    """
    row = format_of(path, format_name)
    try:
        return _read(row, Path(path), coordinate_pixel_size, frames, context)
    except AngleError as error:
        raise DataError(f"{path}, {error}: correct the table") from None


def _read(
    row: ParticleFormat,
    path: Path,
    coordinate_pixel_size: float | None,
    frames: Mapping[str, TomogramFrame] | None,
    context: TableContext | None,
) -> Particles:
    """Read a table of a format."""
    if context is not None:
        return context.named(_possible(row.read(path, context), path))
    if row.name == "csv":  # refuses a pixel size for columns in Å
        particles = read_csv_particles(path, coordinate_pixel_size=coordinate_pixel_size)
    else:
        known = TableContext(frames=frames or {}, pixel_size=coordinate_pixel_size)
        particles = row.read(path, known)
    return _possible(particles, path)


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


def _possible(particles: Particles, path: str | Path) -> Particles:
    """Give particles back; raise where one has what none can have."""
    checks = (
        ("tomogram", particles.tomogram != "", "a name"),
        ("position", (np.abs(particles.position) < FARTHEST).all(axis=1), "less than 1e9 Å"),
        ("half", np.isin(particles.half, (0, 1, 2)), "1, 2 or 0 (not assigned)"),
        (
            "box_size",
            (particles.box_size >= 0) & (particles.box_size <= LARGEST_BOX),
            f"at most {LARGEST_BOX} voxels, or 0 (unknown)",
        ),
    )
    for name, is_right, expected in checks:
        rows = np.flatnonzero(~is_right)
        if len(rows):
            found = getattr(particles, name)[rows[0]].tolist()
            raise DataError(
                f"{path}, particle {rows[0] + 1}: {name} is {found!r}; expected {expected}: "
                "correct the table"
            )
    return particles
