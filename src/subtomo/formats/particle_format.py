"""What a format of particle tables is, whose code is imported when it is used."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from subtomo.errors import SettingsError
from subtomo.formats.one_tomogram import PLACE, by_tomogram
from subtomo.formats.table_context import GroupId, TableContext
from subtomo.model import Particles

_EXTRA = "extra:"


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
        ``extra:NAME.``: other columns called so only. ``tables``: other tables.
    uses : fields of ``TableContext`` that its reader looks at
    writes_with : those that its writer looks at, where they are others
    group : what the one number of a group in it stands for, unless the context says otherwise
    beside : ``module:function``, called with the path and the particles, that lists the other files
        that writing them may replace
    unknown_score : what it says of particles whose scores are not known, in a format that has no
        word for one unknown score among others
    keeps : ``module:function`` that tells whether it has a place for one of the other columns
    needs_nothing : ``module:function`` that tells whether reading a file looks at no context
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
    group: GroupId | None = None
    beside: str | None = None
    unknown_score: float | None = None
    writes_with: frozenset[str] | None = None
    keeps: str | None = None
    needs_nothing: str | None = None
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
        """Write a table, replaced in one step; formats of one tomogram write a file for each.

        Raises
        ------
        SettingsError, DataError
            If the format is read only, or as ``files``.
        """
        if self.writer is None:
            raise SettingsError(f"{path}: {self.title} is read only; expected another format")
        for file, of_file in self.files(path, particles).items():
            _function(self.writer)(file, of_file, context)

    def files(self, path: Path, particles: Particles) -> dict[Path, Particles]:
        """Give the particles of each file that a table is written in, without those beside it.

        Raises
        ------
        SettingsError
            If the format holds one tomogram and the table has several, and the name of the file
            has no ``{tomogram}``.
        DataError
            If files of two tomograms would have one name.
        """
        if "tomogram" in self.holds and PLACE not in path.name:
            return {path: particles}
        return by_tomogram(path, particles, self.title)

    def written(self, path: Path, particles: Particles) -> list[Path]:
        """List all files that writing a table may replace.

        Raises
        ------
        SettingsError, DataError
            As ``files``.
        """
        files = self.files(path, particles)
        return [*files, *(other for file in files for other in self.with_it(file, files[file]))]

    def with_it(self, file: Path, particles: Particles) -> list[Path]:
        """List the other files that belong to a file of these particles."""
        return [] if self.beside is None else list(_function(self.beside)(file, particles))

    def used_in_reading(self, path: Path) -> frozenset[str]:
        """Give the fields of ``TableContext`` that reading a file looks at."""
        is_alone = self.needs_nothing is not None and _function(self.needs_nothing)(path)
        return frozenset() if is_alone else self.uses

    @property
    def used_in_writing(self) -> frozenset[str]:
        """The fields of ``TableContext`` that writing looks at."""
        return self.uses if self.writes_with is None else self.writes_with

    def has_column(self, name: str) -> bool:
        """Tell whether it has a place for another column of particles."""
        prefixes = tuple(
            kept.removeprefix(_EXTRA) for kept in self.holds if kept.startswith(_EXTRA)
        )
        is_own = self.keeps is not None and bool(_function(self.keeps)(name))
        return "extra" in self.holds or is_own or name.startswith(prefixes)

    def is_that_of(self, path: Path) -> bool:
        """Tell from the content of a file whether it is of this format."""
        return self.recognises is None or bool(_function(self.recognises)(path))


def _function(place: str) -> Callable[..., Any]:
    """Import a function by ``module:name``."""
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
