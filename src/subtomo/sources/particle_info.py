"""What tables of particles of other programs are, in words."""

from collections import Counter
from collections.abc import Container
from pathlib import Path

import numpy as np

from subtomo.counts import count_of, some_of
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.particle_formats import PARTICLE_FORMATS
from subtomo.formats.table_context import TableContext
from subtomo.formats.volumes import volume_suffix
from subtomo.model import Particles

Rows = list[tuple[str, str]]

_MOST_NAMES = 20
_ANY_TOMOGRAM = TableContext(pixel_size=1.0, size_px=(1, 1, 1))


def particle_format(path: Path, without: Container[str]) -> ParticleFormat | None:
    """Find the format of a table of particles.

    Parameters
    ----------
    path : a file
    without : suffixes that mean other files too
        Of those, and of volumes, only a table that is known by its content is one.

    Returns
    -------
    None if it is no such table, or one in STAR or CSV, which are described by their columns
    """
    suffix = path.suffix.lower()
    rows = [row for row in PARTICLE_FORMATS if suffix in row.suffixes and row.reader is not None]
    if suffix in (".star", ".csv") or not path.is_file():
        return None
    known = next((row for row in rows if row.recognises and row.is_that_of(path)), None)
    if known is not None or volume_suffix(path) or suffix in without:
        return known
    return next((row for row in rows if row.recognises is None), None)


def describe_particles(path: Path, row: ParticleFormat) -> Rows:
    """Describe a table of particles; their positions are not, which may need the tomograms.

    Parameters
    ----------
    path, row : the table and its format

    Returns
    -------
    list of (label, value)

    Raises
    ------
    FormatError
        If it cannot be read.
    """
    particles = row.read(path, _ANY_TOMOGRAM)
    tomograms = Counter(particles.tomogram.tolist())
    rows = [
        ("format", row.title),
        ("particles", f"{len(particles)} in {count_of(len(tomograms), 'tomogram')}"),
        *((f"in {name}", str(count)) for name, count in list(tomograms.items())[:_MOST_NAMES]),
    ]
    if len(tomograms) > _MOST_NAMES:
        rows.append(("", f"and {len(tomograms) - _MOST_NAMES} more"))
    rows.append(("oriented", f"{int(particles.is_oriented.sum())} of {len(particles)}"))
    return [*rows, *_groups(particles), ("other columns", ", ".join(particles.extra) or "none")]


def _groups(particles: Particles) -> Rows:
    """List classes and instances, where there are any."""
    rows = []
    for label, column in (("classes", particles.class_name), ("instances", particles.instance)):
        names = np.unique(column[column != ""]).tolist()
        if names:
            rows.append((label, some_of(names, _MOST_NAMES)))
    return rows
