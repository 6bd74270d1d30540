"""RELION's table of tomograms, and the tilt series that belong to them.

RELION 5 keeps each tilt series in a file of its own; RELION 4 keeps them in blocks called
``data_NAME`` of the same file. Both are read; the former is written.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, MissingFileError, SettingsError, StarError, SubtomoWarning
from subtomo.formats.naming_file import naming_file
from subtomo.formats.paths import find_file, name_in_table, not_found
from subtomo.formats.relion_series_row import (
    NAME,
    NEEDED_TAGS,
    SERIES_TAGS,
    TOMOGRAM_SIZE,
    deformation_settings,
    series_columns,
    series_settings,
)
from subtomo.formats.relion_tilt_images import (
    NONE,
    STACK,
    STACK_SIZE,
    open_relion_images,
    tilt_image_names,
)
from subtomo.formats.relion_tilt_series import table_from_tilt_series, tilt_series_from_table
from subtomo.formats.star import StarTable, read_star, write_star
from subtomo.formats.star_contents import refuse_contents
from subtomo.formats.tilt_images import relion_image_name
from subtomo.formats.tomogram_names import file_name_of
from subtomo.model import TiltSeries, TomogramFrame

STAR_FILE = "rlnTomoTiltSeriesStarFile"
_TOMOGRAM = "rlnTomoReconstructedTomogram"
_BINNING = "rlnTomoTomogramBinning"
ORIGIN = tuple(f"subtomoOrigin{axis}" for axis in "XYZ")
_KNOWN = {
    *(NAME, STAR_FILE, STACK, STACK_SIZE, _TOMOGRAM, _BINNING, *SERIES_TAGS, *ORIGIN),
}


@dataclass(frozen=True, eq=False)
class TomogramEntry:
    """One tomogram of a table.

    Parameters
    ----------
    name : of the tomogram, which particles refer to
    tilt_series : its images and their geometry
    tomogram_path : its reconstruction, or None
    binning : pixel size of the reconstruction over that of the tilt series, or None
    origin : (x, y, z) Å, centre of the reconstruction's first voxel where the table says it
        Columns of this package; other programs pass over them.
    extra : columns that the package does not interpret, as text
    tables : other blocks of the file, carried along as they are
    """

    name: str
    tilt_series: TiltSeries
    tomogram_path: Path | None = None
    binning: float | None = None
    origin: tuple[float, float, float] | None = None
    extra: dict[str, str] = field(default_factory=dict)
    tables: dict[str, StarTable] = field(default_factory=dict)

    @property
    def frame(self) -> TomogramFrame:
        """Size and pixel size of the full-resolution tomogram.

        Raises
        ------
        DataError
            If the table does not say the size.
        """
        size = self.tilt_series.tomogram_size_px
        if size is None:
            raise DataError(
                f"tomogram {self.name} has no size: add {', '.join(TOMOGRAM_SIZE)} to the table of "
                "tomograms"
            )
        return TomogramFrame(size, self.tilt_series.pixel_size)


def tomogram_frames(entries: Iterable[TomogramEntry]) -> dict[str, TomogramFrame]:
    """Give the frames that readers and writers of particles need, by name."""
    return {entry.name: entry.frame for entry in entries}


def read_tomograms_star(
    path: str | Path,
    *,
    require_images: bool = True,
    images_of: Collection[str] | None = None,
    relative_dir: Path | None = None,
) -> list[TomogramEntry]:
    """Read RELION's table of tomograms with their tilt series.

    Parameters
    ----------
    path : tomograms.star of RELION 5 or 4
    require_images : whether a missing image file is an error
        If not, the tilt series of missing files have no ``images`` (nor ``image_size_px``).
    images_of : names of the tomograms whose images are looked for; all if None
    relative_dir : the only folder where relative names of tilt series and images start, if given

    Returns
    -------
    one entry a tomogram, in the order of the file; the images are read when they are used

    Raises
    ------
    MissingFileError
        If the file, a tilt-series file or an image file does not exist. Relative names are looked
        for in the folder of ``path``, in the working directory, then in the folders above ``path``.
    StarError
        If a needed column is missing, or a value is not what it should be.
    DataError, ShapeError
        If a value has no physical meaning, or images and tilts do not fit together.

    Warns
    -----
    SubtomoWarning
        If names say that a tilt series or its images may be another tomogram's.
    """
    blocks = read_star(path)
    refuse_contents(path, blocks, "a table of tomograms", "tomograms.star")
    table = _global_table(path, blocks)
    table.require([NAME, *NEEDED_TAGS])
    names = table.text(NAME).tolist()
    twice = [row for row, name in enumerate(names) if name in names[:row]]
    if twice:
        raise StarError(f"{table.place(twice[0])}: tomogram {names[twice[0]]} comes twice")
    for row, name in enumerate(names):
        if name in ("", ".", ".."):
            raise StarError(f"{table.place(row)}: {NAME} is '{name}'; expected a name for files")
    images_of = names if images_of is None else images_of
    reader = _EntryReader(Path(path), table, blocks, require_images, images_of, relative_dir)
    entries = []
    for row in range(len(table)):
        with naming_file(table.place(row)):
            entries.append(reader.entry(row))
    reader.warn()
    return entries


def write_tomograms_star(path: str | Path, entries: Sequence[TomogramEntry]) -> None:
    """Write RELION 5's table of tomograms, and ``tilt_series/NAME.star`` for each beside it.

    Parameters
    ----------
    path : file, replaced in one step after the tilt-series files
    entries : in the order to be written
        Absolute paths are written relative to the folder of ``path``, relative ones as they are;
        RELION's ``:mrcs`` is put after stacks whose name is that of a volume.

    Raises
    ------
    SettingsError
        If two tomograms have the same name.
    """
    path = Path(path)
    names = [entry.name for entry in entries]
    files = [f"tilt_series/{file_name_of(name)}.star" for name in names]
    if len(set(files)) < len(files):
        name = next(name for i, name in enumerate(names) if files[i] in files[:i])
        raise SettingsError(f"{path}: tomogram {name} comes twice; expected different names")
    for entry, file in zip(entries, files, strict=True):
        image_names = tuple(_image_in_table(n, path) for n in entry.tilt_series.image_names)
        table = table_from_tilt_series(entry.tilt_series, image_names)
        write_star(path.parent / file, {entry.name: table})
    others = {name: block for entry in reversed(entries) for name, block in entry.tables.items()}
    write_star(path, {"global": _table(entries, files, path), **others})


def _image_in_table(name: str, path: Path) -> str:
    """Name an image as the table should; a relative name stays as it is."""
    number, at, file = name.partition("@")
    if not at:
        return name_in_table(number, path)
    in_table = f"{number}@{name_in_table(file, path)}"
    return relion_image_name(in_table) if Path(file).is_absolute() else in_table


def _global_table(path: str | Path, blocks: Mapping[str, StarTable]) -> StarTable:
    """Find the block that lists the tomograms."""
    for name in ("global", *blocks):
        if name in blocks and (name == "global" or NAME in blocks[name]):
            return blocks[name]
    found = ", ".join(f"data_{name}" for name in blocks)
    raise StarError(f"{path}: no block data_global with {NAME}; found {found}")


@dataclass(frozen=True, eq=False)
class _EntryReader:
    """Makes entries of the rows of one table."""

    path: Path
    table: StarTable
    blocks: Mapping[str, StarTable]
    require_images: bool
    images_of: Collection[str]
    relative_dir: Path | None
    doubts: list[str] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Of all tomograms."""
        return set(self.table.columns[NAME].tolist())

    def entry(self, row: int) -> TomogramEntry:
        table = self.table
        values = {tag: str(column[row]) for tag, column in table.columns.items()}
        settings = series_settings(table, row)
        tilts = self.tilts(row, settings.name)
        images, names = self.images(row, settings.name, tilts)
        self.doubt_images(row, settings.name, names)
        tomogram = values.get(_TOMOGRAM, NONE)
        has_tomogram = tomogram not in (NONE, "")
        binning = float(table.stacked([_BINNING])[row, 0]) if _BINNING in table else None
        if binning is not None and not binning > 0:
            raise StarError(f"{table.place(row)}: {_BINNING} is {binning:g}; expected more than 0")
        deformation = deformation_settings(table, row)
        return TomogramEntry(
            name=settings.name,
            tilt_series=tilt_series_from_table(tilts, settings, images, names, deformation),
            tomogram_path=(
                find_file(tomogram, self.path) or self.path.absolute().parent / tomogram
                if has_tomogram
                else None
            ),
            binning=binning if has_tomogram else None,
            origin=_origin(table, row) if has_tomogram else None,
            extra={tag: value for tag, value in values.items() if tag not in _KNOWN},
            tables=self.other_blocks(),
        )

    def tilts(self, row: int, name: str) -> StarTable:
        """Find the rows of the tilts: in a file of their own, or in a block of this one."""
        table = self.table
        if STAR_FILE not in table:
            if name not in self.blocks:
                raise StarError(
                    f"{table.place(row)}: tomogram {name} has neither {STAR_FILE} nor a block "
                    f"data_{name} in this file"
                )
            return self.blocks[name]
        file = str(table.columns[STAR_FILE][row])
        found = find_file(file, self.path, self.relative_dir)
        if found is None:
            why = not_found(file, self.path, self.relative_dir)
            raise MissingFileError(f"{table.place(row)}: {STAR_FILE} {why}")
        series = read_star(found)
        if name in series:
            return series[name]
        if len(series) != 1 or any(block in self.names for block in series):
            listed = ", ".join(f"data_{block}" for block in series)
            raise StarError(
                f"{found}: no block data_{name}; found {listed}; {table.place(row)} names this "
                f"file for tomogram {name}"
            )
        ((block, only),) = series.items()
        if block:
            self.doubts.append(f"{table.place(row)}: tomogram {name} has the tilts of data_{block}")
        return only

    def images(self, row: int, name: str, tilts: StarTable) -> tuple[Any, tuple[str, ...]]:
        """Open the images, or only name them."""
        if name not in self.images_of:
            return None, tilt_image_names(self.table, row, tilts)[0]
        return open_relion_images(
            self.path,
            self.table,
            row,
            tilts,
            required=self.require_images,
            relative_dir=self.relative_dir,
        )

    def doubt_images(self, row: int, name: str, images: Sequence[str]) -> None:
        """Note images in a stack that is called as another tomogram."""
        stacks = dict.fromkeys(Path(image.partition("@")[2]).stem for image in images)
        others = [stack for stack in stacks if stack != name and stack in self.names]
        if others:
            place = self.table.place(row)
            self.doubts.append(f"{place}: tomogram {name} has images in a stack {others[0]}")

    def warn(self) -> None:
        """Tell of the doubts, once."""
        if self.doubts:
            more = f", and {len(self.doubts) - 1} more like it" if len(self.doubts) > 1 else ""
            warnings.warn(
                f"{self.doubts[0]}{more}; expected names that agree: check that they belong "
                "together",
                SubtomoWarning,
                stacklevel=3,
            )

    def other_blocks(self) -> dict[str, StarTable]:
        """Give the blocks of the file that are no tomogram's."""
        names = self.names
        return {
            name: block
            for name, block in self.blocks.items()
            if block is not self.table and name not in names
        }


def _origin(table: StarTable, row: int) -> tuple[float, float, float] | None:
    """Read where the first voxel of a reconstruction is."""
    if not table.has_all(ORIGIN) or str(table.columns[ORIGIN[0]][row]) == NONE:
        return None
    x, y, z = table.select(np.array([row])).stacked(ORIGIN)[0].tolist()
    return x, y, z


def _table(entries: Sequence[TomogramEntry], files: Sequence[str], path: Path) -> StarTable:
    """Make ``data_global``."""
    columns: dict[str, NDArray[Any]] = {
        NAME: np.array([entry.name for entry in entries], dtype=np.str_),
        **series_columns([entry.tilt_series for entry in entries]),
        STAR_FILE: np.array(files, dtype=np.str_),
    }
    if any(entry.tomogram_path is not None for entry in entries):
        paths = [entry.tomogram_path for entry in entries]
        columns[_TOMOGRAM] = np.array([name_in_table(p, path) if p else NONE for p in paths])
        columns[_BINNING] = np.array([entry.binning or 1.0 for entry in entries])
    origins = [entry.origin for entry in entries]
    if any(origin is not None for origin in origins):
        texts = [(NONE,) * 3 if o is None else tuple(f"{v:.10g}" for v in o) for o in origins]
        columns |= dict(zip(ORIGIN, np.array(texts).T, strict=True))
    for tag in dict.fromkeys(tag for entry in entries for tag in entry.extra):
        columns[tag] = np.array([entry.extra.get(tag, NONE) for entry in entries])
    return StarTable(columns)
