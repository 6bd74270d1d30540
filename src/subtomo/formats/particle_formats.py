"""The formats of particle tables: a row each, imported when it is used.

A further format is one file with a reader ``read_X(path, context) -> Particles``, a writer
``write_X(path, particles, context)`` and, where others have its suffix, ``is_X(path) -> bool``,
and a row in ``PARTICLE_FORMATS``. A test runs over all rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from subtomo.counts import count_of
from subtomo.errors import FormatError, SettingsError
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles

EVERYTHING = frozenset(
    {
        *("tomogram", "orientation", "is_oriented", "class_name", "instance", "source"),
        *("score", "half", "box_size", "extra", "tables"),
    }
)

VOXELS = frozenset({"grids", "pixel_size", "is_one_based"})


@dataclass(frozen=True)
class ParticleFormat:
    """One format of particle tables.

    Parameters
    ----------
    name : as ``--input-format`` and ``--output-format`` take it
    title : in words
    suffixes : of files, in lower case
    reader : ``module:function``, called with the path and the context; None: written only
    writer : ``module:function``, called with the path, the particles and the context; None: read
        only
    holds : what it can hold beside positions
        Fields of ``Particles``. ``tomogram``: more than one tomogram. ``orientation``;
        ``is_oriented``: that one is unknown. ``class_name``, ``instance`` and ``source`` as any
        text, or ``class_name_number`` ...: as whole numbers. ``extra``: any other column.
        ``tables``: other tables.
    uses : fields of ``TableContext`` that its reader or writer looks at
    recognises : ``module:function`` that tells from its content whether a file is of this format;
        None: any file of the suffix that no other format recognises
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    reader: str | None
    writer: str | None
    holds: frozenset[str]
    uses: frozenset[str] = frozenset()
    recognises: str | None = None

    def read(self, path: Path, context: TableContext) -> Particles:
        """Read a table.

        Raises
        ------
        SettingsError
            If the format is written only.
        """
        if self.reader is None:
            raise SettingsError(f"{path}: {self.title} is written only; expected another format")
        particles: Particles = _function(self.reader)(path, context)
        return particles

    def write(self, path: Path, particles: Particles, context: TableContext) -> None:
        """Write a table, replaced in one step.

        Raises
        ------
        SettingsError
            If the format is read only.
        """
        if self.writer is None:
            raise SettingsError(f"{path}: {self.title} is read only; expected another format")
        _function(self.writer)(path, particles, context)

    def is_that_of(self, path: Path) -> bool:
        """Tell from the content of a file whether it is of this format."""
        return self.recognises is None or bool(_function(self.recognises)(path))


PARTICLE_FORMATS: tuple[ParticleFormat, ...] = (
    ParticleFormat(
        "relion5",
        "STAR of RELION 5",
        (".star",),
        "subtomo.formats.relion_variants:read_relion",
        "subtomo.formats.relion_variants:write_relion5",
        EVERYTHING,
        uses=frozenset({"frames", "pixel_size", "size_px"}),
    ),
    ParticleFormat(
        "csv",
        "CSV of this program",
        (".csv",),
        "subtomo.formats.csv:read_csv",
        "subtomo.formats.csv:write_csv",
        EVERYTHING - {"tables"},
        uses=VOXELS,
    ),
)


def format_of(
    path: Path | str, name: str | None = None, *, is_output: bool = False
) -> ParticleFormat:
    """Find the format of a table.

    Parameters
    ----------
    path : of the table; its suffix says the format, and its content where several have the suffix
    name : of the format; wins over the suffix
    is_output : the file is to be written: what stands there now says nothing

    Raises
    ------
    FormatError
        If no format has the suffix.
    SettingsError
        If no format has the name.
    """
    path = Path(path)
    if name is not None:
        return _named(name)
    suffix = path.suffix.lower()
    rows = [row for row in PARTICLE_FORMATS if suffix in row.suffixes]
    rows = [row for row in rows if (row.writer if is_output else row.reader) is not None]
    if not rows:
        known = dict.fromkeys(suffix for row in PARTICLE_FORMATS for suffix in row.suffixes)
        raise FormatError(
            f"{path}: no particle format is called {suffix or 'nothing'}; "
            f"expected one of {', '.join(known)}"
        )
    if is_output or len(rows) == 1 or not path.is_file():
        return rows[0]
    of_content = [row for row in rows if row.recognises is not None and row.is_that_of(path)]
    others = [row for row in rows if row.recognises is None]
    return (*of_content, *others, *rows)[0]


def what_is_lost(particles: Particles, row: ParticleFormat) -> list[str]:
    """Say what of a table a format cannot hold, one line each; empty where it holds all.

    Parameters
    ----------
    particles : the table
    row : the format that it will be written in
    """
    n = len(particles)
    lost = []
    for name, test, words in _FIELDS:
        if name not in row.holds and f"{name}_number" not in row.holds and test(particles):
            lost.append(words.format(format=row.title))
    for name, words in _NAMES.items():
        values = np.unique(getattr(particles, name)[getattr(particles, name) != ""]).tolist()
        if name not in row.holds and f"{name}_number" in row.holds and not _are_numbers(values):
            listed = ", ".join(f"{i} = {value}" for i, value in enumerate(values[:10], 1))
            more = ", ..." if len(values) > 10 else ""
            lost.append(f"names of {words} become numbers: {listed}{more}")
    unknown = int((~particles.is_oriented).sum())
    if {"orientation"} <= row.holds and "is_oriented" not in row.holds and 0 < unknown < n:
        lost.append(
            f"{count_of(unknown, 'particle')} of unknown orientation will have the identity"
        )
    return lost


def _named(name: str) -> ParticleFormat:
    found = next((row for row in PARTICLE_FORMATS if row.name == name), None)
    if found is None:
        raise SettingsError(
            f"no particle format is called {name}; expected one of "
            f"{', '.join(row.name for row in PARTICLE_FORMATS)}"
        )
    return found


def _are_numbers(values: list[str]) -> bool:
    return all(value.isascii() and value.isdigit() for value in values)


def _function(place: str) -> Callable[..., Any]:
    """Import a function by ``module:name``."""
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


_NAMES = {"class_name": "classes", "instance": "instances", "source": "sources"}
_FIELDS: tuple[tuple[str, Callable[[Particles], bool], str], ...] = (
    (
        "tomogram",
        lambda p: len(np.unique(p.tomogram)) > 1,
        "{format} holds one tomogram: which one a particle is in is lost",
    ),
    ("orientation", lambda p: bool(p.is_oriented.any()), "{format} holds no orientations"),
    ("class_name", lambda p: bool((p.class_name != "").any()), "{format} holds no classes"),
    ("instance", lambda p: bool((p.instance != "").any()), "{format} holds no instances"),
    ("source", lambda p: bool((p.source != "").any()), "{format} holds no sources"),
    ("score", lambda p: bool(np.isfinite(p.score).any()), "{format} holds no scores"),
    ("half", lambda p: bool((p.half != 0).any()), "{format} holds no halves"),
    ("box_size", lambda p: bool((p.box_size != 0).any()), "{format} holds no box sizes"),
    ("extra", lambda p: bool(p.extra), "{format} holds no other columns"),
    ("tables", lambda p: bool(p.tables), "{format} holds no other tables"),
)
