"""Particles in CSV files.

Columns: ``tomogram``, ``x``, ``y``, ``z`` (Å; or ``x_px``, ``y_px``, ``z_px``) are needed;
``qx``, ``qy``, ``qz``, ``qw`` (or ``rot``, ``tilt``, ``psi`` in RELION's sense, degrees),
``class_name``, ``instance``, ``source``, ``score``, ``half``, ``box_size`` may be there; any other
column is kept. Where ``is_oriented`` is 0, or ``rot``, ``tilt`` and ``psi`` are all 0, the
orientation is unknown.
"""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.atomic import replacing
from subtomo.formats.columns import beside_own, typed_column
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import read_text
from subtomo.formats.text_table import TextTable
from subtomo.geometry.euler import quaternions_from_relion
from subtomo.model import Particles

_POSITION = ("x", "y", "z")
_POSITION_PX = ("x_px", "y_px", "z_px")
_QUATERNION = ("qx", "qy", "qz", "qw")
_EULER = ("rot", "tilt", "psi")
_TEXT = ("class_name", "instance", "source")
_KNOWN = {
    *("tomogram", *_POSITION, *_POSITION_PX, *_QUATERNION, *_EULER, *_TEXT),
    *("score", "half", "box_size", "is_oriented"),
}


def read_csv(path: Path, context: TableContext) -> Particles:
    """Read particles from a CSV file; ``x_px``, ``y_px``, ``z_px`` count as the context says.

    Raises
    ------
    MissingFileError, FormatError
        As ``read_csv_particles``.
    SettingsError
        If the columns are in pixels and the context does not know of what size.
    """
    table = _read_table(path)
    if not table.has_all(_POSITION_PX):
        return _particles(table, lambda _: _positions(table, None))
    return _particles(
        table, lambda names: context.positions(names, table.stacked(_POSITION_PX), path)
    )


def write_csv(path: Path, particles: Particles, context: TableContext) -> None:
    """Write particles as ``write_csv_particles`` does; positions in Å need no context."""
    write_csv_particles(path, particles)


def is_in_angstrom(path: Path) -> bool:
    """Tell whether a CSV file has positions in Å rather than in voxels."""
    return not _read_table(path).has_all(_POSITION_PX)


def read_csv_particles(
    path: str | Path, *, coordinate_pixel_size: float | None = None
) -> Particles:
    """Read particles from a CSV file with a header line.

    Parameters
    ----------
    path : UTF-8 file, values separated by commas
    coordinate_pixel_size : Å, of ``x_px``, ``y_px``, ``z_px``

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a needed column is missing, a row has another number of values than the header, or a
        value is not a number.
    SettingsError
        If the columns are in pixels and no pixel size is given, or it is given for Å.
    """
    table = _read_table(Path(path))
    return _particles(table, lambda _: _positions(table, coordinate_pixel_size))


def write_csv_particles(path: str | Path, particles: Particles) -> None:
    """Write particles as CSV: positions in Å, orientations as quaternions, other columns.

    A column that says nothing of any particle is left out.

    Parameters
    ----------
    path : file, replaced in one step
    particles : the table; its ``tables`` have no place in a CSV file
    """
    is_oriented = particles.is_oriented
    cells = {"tomogram": _values(particles.tomogram)}
    cells |= _rounded(_POSITION, particles.position, 6)
    if is_oriented.any():
        cells |= _rounded(_QUATERNION, particles.orientation, 12)
    if is_oriented.any() and not is_oriented.all():
        cells["is_oriented"] = is_oriented.astype(np.int64).tolist()
    others = _said(particles) | beside_own(particles.extra, _KNOWN, has_blanks=True)
    cells |= {name: _values(column) for name, column in others.items()}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")


def _said(particles: Particles) -> dict[str, NDArray[np.generic]]:
    """Give the columns that may be missing, without those that say nothing of any particle."""
    columns = {name: getattr(particles, name) for name in (*_TEXT, "half", "box_size")}
    said = {
        name: column for name, column in columns.items() if (column != column.dtype.type()).any()
    }
    return said if np.isnan(particles.score).all() else {**said, "score": particles.score}


def _rounded(
    names: Sequence[str], values: NDArray[np.float64], decimals: int
) -> dict[str, Sequence[object]]:
    """Give columns as texts with so many decimals: sooner than by the shortest text of each."""
    columns = (np.round(values, decimals) + 0.0).T.tolist()
    return {
        name: (f"%.{decimals}f " * len(column) % tuple(column)).split()
        for name, column in zip(names, columns, strict=True)
    }


def _values(column: NDArray[np.generic]) -> Sequence[object]:
    """Give values that the writer turns into the shortest text that reads back as the same."""
    column = np.asarray(column)
    is_python = column.dtype.kind in "US" or column.dtype in (np.float64, np.int64)
    return list((column if is_python else column.astype(np.str_)).tolist())


def _particles(
    table: TextTable, positions: Callable[[NDArray[np.str_]], NDArray[np.float64]]
) -> Particles:
    """Make the particles of a table, with their positions by tomogram."""
    table.require(["tomogram"])
    known: dict[str, Any] = {name: table.text(name) for name in _TEXT if name in table}
    if table.has_all(_QUATERNION):
        known["orientation"] = table.stacked(_QUATERNION)
        is_none = (known["orientation"] == 0).all(axis=1)
        table.refuse("qw", is_none, "qx, qy, qz, qw of a rotation, which are not all 0")
    elif table.has_all(_EULER):
        angles = table.stacked(_EULER)
        known["orientation"] = quaternions_from_relion(angles)
        known["is_oriented"] = (angles != 0).any(axis=1)
    if "is_oriented" in table:
        known["is_oriented"] = table.integers("is_oriented") != 0
    return Particles(
        tomogram=table.text("tomogram"),
        position=positions(table.text("tomogram")),
        **known,
        score=table.numbers("score", default=np.nan),
        half=table.integers("half", default=0),
        box_size=table.integers("box_size", default=0),
        extra={
            tag: typed_column(tag, table.text(tag)) for tag in table.columns if tag not in _KNOWN
        },
    )


def _read_table(path: Path) -> TextTable:
    """Read the header and the rows, each as long as the header."""
    text = read_text(path, "a CSV file")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    cells: list[str] = []  # in one list, not one a row: many lists are slow to keep
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if len(row) not in (0, len(header)):
                raise FormatError(
                    f"{path}, line {reader.line_num}: {len(row)} values, "
                    f"but the header names {len(header)} columns"
                )
            if row:
                cells += row
                lines.append(reader.line_num)
    except csv.Error as error:
        raise FormatError(f"{path}, line {reader.line_num}: {error}") from None
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise FormatError(f"{path}, line 1: column {min(twice)} comes twice")
    # as objects, not as text of one width: numbers are read from either alike, but sooner
    rows = np.array(cells, dtype=object).reshape(len(lines), len(header))
    columns = dict(zip(header, rows.T, strict=True))
    return TextTable(columns, source=str(path), lines=lines)


def _positions(table: TextTable, pixel_size: float | None) -> NDArray[np.float64]:
    """Give positions in Å."""
    if not table.has_all(_POSITION_PX):
        table.require(_POSITION, why=f"or {', '.join(_POSITION_PX)}")
        if pixel_size is not None:
            raise SettingsError(
                f"{table.source}: columns x, y, z are in Å, so coordinate_pixel_size has no use; "
                "name them x_px, y_px, z_px if they are in pixels"
            )
        return table.stacked(_POSITION)
    if pixel_size is None or not pixel_size > 0:
        raise SettingsError(
            f"{table.source}: columns x_px, y_px, z_px are in pixels: give coordinate_pixel_size "
            f"in Å (found {pixel_size})"
        )
    return table.stacked(_POSITION_PX) * pixel_size
