"""Boxes of crYOLO (``.cbox``): the STAR block ``data_cryolo``, one box a row.

``CoordinateX`` and ``CoordinateY`` are the box's corner: its middle is half a ``Width`` and
``Height`` further; ``CoordinateZ`` is the slice itself. ``Confidence`` is the score,
``filamentid`` the instance. ``<NA>`` stands for no value. Columns without a field of their own are
kept as ``cbox.NAME``; what crYOLO has no word for is in columns ``subtomo.NAME``.

Source: https://cryolo.readthedocs.io/en/stable/other/formats.html; the writers of TomoTwin and of
Scipion's crYOLO plugin, which take half a box off x and y only.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.carried_columns import WORD, carried, with_carried
from subtomo.formats.columns import typed_column
from subtomo.formats.group_numbers import are_said_by_numbers, names_of, numbers_of
from subtomo.formats.star import StarTable, only_block, write_star
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles

PREFIX = "cbox."
BLOCK = "cryolo"
_CARRIED = f"{WORD}."
_NONE = "<NA>"
_VERSION = "1.0"
_CORNER = ("CoordinateX", "CoordinateY", "CoordinateZ")
_LARGEST_BOX = 2**31
_SIZES = ("Width", "Height")
_CONSUMED = {*_CORNER, *_SIZES, "Depth", "Confidence", "filamentid"}
_DEFAULTS: dict[str, Any] = {"EstWidth": 0, "EstHeight": 0, "NumBoxes": 1, "Angle": _NONE}


def read_cryolo_cbox(path: Path, context: TableContext) -> Particles:
    """Read boxes of crYOLO.

    Parameters
    ----------
    path : ``.cbox``; of one tomogram
    context : voxels of the tomogram; what the filament's number is (the instance unless told
        otherwise)

    Returns
    -------
    Particles in the order of the file, without orientation; the box size is the width

    Raises
    ------
    MissingFileError, StarError
        If the file does not exist, has no such block, lacks a column, or a value is not a number.
    SettingsError
        If the voxels of the tomogram are not known.
    """
    table = only_block(path, BLOCK)
    table.require((*_CORNER, *_SIZES))
    corner, sizes = table.stacked(_CORNER), table.stacked(_SIZES)
    bad = np.flatnonzero(~((sizes >= 0) & (sizes <= _LARGEST_BOX)).all(axis=1))
    if len(bad):
        raise StarError(
            f"{table.place(bad[0])}: a box of {sizes[bad[0], 0]:g} x {sizes[bad[0], 1]:g}; "
            f"expected Width and Height of 0 to {_LARGEST_BOX} voxels"
        )
    middle = corner + np.pad(sizes / 2, ((0, 0), (0, 1)))
    tomogram = np.full(len(table), context.only_tomogram(path))
    columns: dict[str, Any] = {}
    if "filamentid" in table:
        filament = _known(table, "filamentid", 0).integers("filamentid")
        columns[context.group_field("instance")] = names_of(filament)
    particles = Particles(
        tomogram=tomogram,
        position=context.positions(tomogram, middle, path),
        **columns,
        score=_known(table, "Confidence", np.nan).numbers("Confidence", default=np.nan),
        box_size=np.rint(sizes[:, 0]).astype(np.int64),
        extra={
            PREFIX + tag: typed_column(tag, table.text(tag))
            for tag in table.columns
            if tag not in _CONSUMED
            and not tag.startswith(_CARRIED)
            and np.any(table.text(tag) != str(_DEFAULTS.get(tag)))
        },
    )
    others = {
        tag.removeprefix(_CARRIED): table.text(tag)
        for tag in table.columns
        if tag.startswith(_CARRIED)
    }
    return with_carried(particles, others, str(path))


def write_cryolo_cbox(path: Path, particles: Particles, context: TableContext) -> None:
    """Write boxes of crYOLO, and the list of slices that they are in.

    Parameters
    ----------
    path : ``.cbox``, replaced in one step
    particles : of one tomogram; a box of size 0 is a point
    context : voxels of the tomogram; what the filament's number is

    Raises
    ------
    SettingsError
        If the voxels of the tomogram are not known.
    """
    corner = context.indices(particles, path)
    corner[:, :2] -= particles.box_size[:, None] / 2
    n = len(particles)
    filament = numbers_of(getattr(particles, context.group_field("instance")))
    kept = {name.removeprefix(PREFIX): c for name, c in particles.extra.items() if _is_own(name)}
    columns: dict[str, NDArray[Any]] = {
        **dict(zip(_CORNER, corner.T, strict=True)),
        **dict.fromkeys((*_SIZES, "Depth"), particles.box_size),
        **{tag: np.full(n, value) for tag, value in _DEFAULTS.items()},
        "Confidence": _or_none(particles.score),
        **kept,
    }
    if filament.any():
        columns["filamentid"] = filament
    group = context.group_field("instance")
    fields = [name for name in ("class_name", "source", "half") if name != group]
    if not are_said_by_numbers(getattr(particles, group)):
        fields.append(group)
    for name, column in carried(particles, fields, PREFIX).items():
        columns[_CARRIED + "_".join(name.split())] = column
    slices = np.unique(np.rint(corner[:, 2]).astype(np.int64))
    blocks = {
        "global": StarTable({"version": np.array([_VERSION])}, is_loop=False),
        BLOCK: StarTable(columns),
        f"{BLOCK}_include": StarTable({"slice_index": slices}),
    }
    write_star(path, blocks)


def _known(table: StarTable, tag: str, fill: float) -> StarTable:
    """Put a number where a column has ``<NA>``."""
    if tag not in table:
        return table
    values = table.text(tag)
    filled = np.where(values == _NONE, str(fill), values)
    return StarTable({**table.columns, tag: filled}, source=table.source, lines=table.lines)


def _or_none(score: NDArray[np.float64]) -> NDArray[np.str_]:
    """Give scores as text, ``<NA>`` where there is none."""
    return np.where(np.isfinite(score), score.astype(np.str_), _NONE)


def _is_own(name: str) -> bool:
    return name.startswith(PREFIX)
