"""Tables of Dynamo (``.tbl``): numbers without a header, one particle a line.

Position = (x, y, z) + (dx, dy, dz) in voxels, as they stand: whether Dynamo means the first voxel
by 0 or by 1 is not documented, and other readers take them as they are. Column 22 is the class,
column 21 (region) the instance; column 20 is the number of the tomogram, which a map (``.doc``)
beside the table names. Columns without a field of their own are kept as ``dynamo.NAME``.

Source: https://wiki.dynamo.biozentrum.unibas.ch/w/index.php/Table_convention, and the real tables
of dynamotable and dynamo2m: 26 to 42 columns, not the same in every line; column 28 may hold
complex numbers as text.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import FormatError, SubtomoWarning
from subtomo.formats.atomic import replacing
from subtomo.formats.columns import typed_column
from subtomo.formats.numbered_particles import (
    NumberedParticles,
    tomogram_names,
    with_map_beside,
    write_map_beside,
)
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import read_text
from subtomo.formats.text_table import TextTable
from subtomo.model import Particles, VoxelGrid

PREFIX = "dynamo."
_NAMES = (
    *("tag", "aligned", "averaged", "dx", "dy", "dz", "tdrot", "tilt", "narot", "cc", "cc2"),
    *("cpu", "ftype", "ymintilt", "ymaxtilt", "xmintilt", "xmaxtilt", "fs1", "fs2", "tomo"),
    *("reg", "class", "annotation", "x", "y", "z", "dshift", "daxis", "dnarot", "dcc", "otag"),
    *("npar", "column_33", "ref", "sref", "apix", "def"),
)
_FEWEST = 26
_FURTHER = re.compile(r"column_[1-9]\d{1,2}")
_NUMBER = {name: index for index, name in enumerate(_NAMES, 1)}
_ANGLES = ("tdrot", "tilt", "narot")
_SHIFTS = ("dx", "dy", "dz")
_COORDINATES = ("x", "y", "z")
_CONSUMED = {*_ANGLES, *_SHIFTS, *_COORDINATES, "cc", "tomo", "class", "apix"}


def read_dynamo_table(path: Path, context: TableContext) -> Particles:
    """Read a table of Dynamo.

    Parameters
    ----------
    path : ``.tbl``; a map of its name with ``.doc`` beside it names the tomograms
    context : voxels of the tomograms, and a map that wins over the one beside
        Where it knows no voxels, those of column 36 (apix) count.

    Returns
    -------
    Particles in the order of the file
        Tomograms are called as the base name of their path in the map, else by their number.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it has fewer than 26 columns, a value is not a number, or the map lacks a tomogram.
    SettingsError
        If the voxels of a tomogram are not known.
    """
    table = _read_rows(path)
    context = with_map_beside(path, context)
    tags = {name: _tag(index) for name, index in _NUMBER.items()}
    numbered = NumberedParticles(
        tomogram=table.integers(tags["tomo"]),
        coordinates=table.stacked([tags[name] for name in _COORDINATES])
        + table.stacked([tags[name] for name in _SHIFTS]),
        angles=table.stacked([tags[name] for name in _ANGLES]),
        group=table.integers(tags["class"]),
        instance=table.integers(tags["reg"]),
        score=table.stacked([tags["cc"]])[:, 0],
        extra=_extra(table, keep_region=context.group_field("class") == "instance"),
    )
    return numbered.particles(path, _with_pixel_sizes(table, context, numbered))


def write_dynamo_table(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a table of Dynamo, and a map of its tomograms beside it where they have names.

    Parameters
    ----------
    path : ``.tbl``; the map has its name with ``.doc``; each replaced in one step
    particles : classes and instances that are no whole numbers are counted from 1
    context : voxels of the tomograms, and a map of their numbers where there is one

    Raises
    ------
    SettingsError
        If the voxels of a tomogram are not known.
    """
    numbered = NumberedParticles.of(particles, path, context)
    names = np.unique(particles.tomogram).tolist()
    pixel_size = {name: context.grid_of(name, path).pixel_size for name in names}
    columns: dict[str, NDArray[Any]] = {
        **_kept(particles),
        **dict(zip(_COORDINATES, numbered.coordinates.T, strict=True)),
        **dict(zip(_ANGLES, numbered.angles.T, strict=True)),
        "cc": numbered.score,
        "tomo": numbered.tomogram,
        "class": numbered.group,
        "apix": np.array([pixel_size[name] for name in particles.tomogram.tolist()]),
    }
    if context.group_field("class") != "instance":
        columns["reg"] = numbered.instance
    write_map_beside(path, particles, context)
    _write_rows(path, columns, len(particles))


def keeps_column(name: str) -> bool:
    """Tell whether a further column of particles has a place in a table of Dynamo."""
    own = name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""
    if own in _NAMES:
        return own not in _CONSUMED
    return bool(_FURTHER.fullmatch(own)) and _number_of(own) > len(_NAMES)


def _tag(index: int) -> str:
    """Name a column, for messages too."""
    name = _NAMES[index - 1] if index <= len(_NAMES) else ""
    return f"column {index} ({name})" if name else f"column {index}"


def _read_rows(path: Path) -> TextTable:
    """Read all columns as text; a shorter line is filled with 0, as columns that say nothing."""
    text = read_text(path, "a table of Dynamo")
    rows: list[list[str]] = []
    lines: list[int] = []
    for at, line in enumerate(text.splitlines(), 1):
        row = line.split()
        if not row:
            continue
        if len(row) < _FEWEST:
            raise FormatError(
                f"{path}, line {at}: {len(row)} columns; expected at least {_FEWEST}, up to z"
            )
        rows.append(row)
        lines.append(at)
    width = max((len(row) for row in rows), default=_FEWEST)
    short = [at for at, row in zip(lines, rows, strict=True) if len(row) < width]
    if short:
        warnings.warn(
            f"{path}: {count_of(len(short), 'line')}, the first line {short[0]}, have fewer than "
            f"the {width} columns of others; the rest is taken as 0",
            SubtomoWarning,
            stacklevel=3,
        )
    filled = [row + ["0"] * (width - len(row)) for row in rows]
    columns = zip(*filled, strict=True) if rows else ([] for _ in range(width))
    arrays = {
        _tag(index): np.array(column, dtype=np.str_) for index, column in enumerate(columns, 1)
    }
    return TextTable(arrays, source=str(path), lines=lines)


def _extra(table: TextTable, *, keep_region: bool) -> dict[str, NDArray[Any]]:
    """Give the columns without a field, where they say anything."""
    extra = {}
    for index, (tag, values) in enumerate(table.columns.items(), 1):
        name = _NAMES[index - 1] if index <= len(_NAMES) else f"column_{index}"
        is_taken = name in _CONSUMED or (name == "reg" and not keep_region)
        if not is_taken and np.any(values != "0"):
            extra[PREFIX + name] = typed_column(tag, values)
    return extra


def _with_pixel_sizes(
    table: TextTable, context: TableContext, numbered: NumberedParticles
) -> TableContext:
    """Add the voxels that column 36 tells, where the context knows none."""
    tag = _tag(_NUMBER["apix"])
    if context.pixel_size is not None or tag not in table:
        return context
    sizes = table.numbers(tag)
    told: dict[str, VoxelGrid] = {}
    names = tomogram_names(numbered.tomogram, Path(table.source), context)
    for name in np.unique(names).tolist():
        found = np.unique(sizes[names == name])
        if name not in context.grids and len(found) == 1 and 0 < found[0] < np.inf:
            told[name] = VoxelGrid(float(found[0]), context.size_px)
    return replace(context, grids={**context.grids, **told}) if told else context


def _kept(particles: Particles) -> dict[str, NDArray[Any]]:
    """Give the columns that came from a table of Dynamo, and a tag for each particle."""
    n = len(particles)
    kept = {
        name.removeprefix(PREFIX): column
        for name, column in particles.extra.items()
        if keeps_column(name)
    }
    _require_words(kept)
    tags = kept.get("tag")
    if tags is None or len(np.unique(tags)) < n:
        kept["tag"] = np.arange(1, n + 1)
    kept.setdefault("aligned", np.ones(n, dtype=np.int64))
    return kept


def _require_words(columns: Mapping[str, NDArray[Any]]) -> None:
    """Refuse text that would stand in several columns, or in none."""
    for name, column in columns.items():
        if column.dtype.kind not in "biufc":
            wrong = np.array([len(str(value).split()) != 1 for value in column], dtype=bool)
            TextTable({name: column}, source="particles").refuse(
                name, wrong, "text without blanks, which set the columns of Dynamo apart"
            )


def _write_rows(path: Path, columns: dict[str, NDArray[Any]], n: int) -> None:
    """Write columns by their numbers, 0 where there is none."""
    by_number = {_NUMBER.get(name, _number_of(name)): column for name, column in columns.items()}
    zeros = np.zeros(n, dtype=np.int64)
    width = max(len(_NAMES), *by_number)
    ordered = [
        by_number.get(index, zeros).astype(np.str_).tolist() for index in range(1, width + 1)
    ]
    text = "".join(" ".join(row) + "\n" for row in zip(*ordered, strict=True))
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _number_of(name: str) -> int:
    """Give the number of a column that is called by it."""
    return int(name.removeprefix("column_")) if name.startswith("column_") else 0
