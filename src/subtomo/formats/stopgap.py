"""Motive lists of STOPGAP (``.star``): ``data_stopgap_motivelist``, one particle a row.

The columns mean what the numbers of a motive list in an EM file do: position = orig + shift in
voxels of the tomogram, R = Rz(psi) · Rx(the) · Rz(phi). ``halfset`` is A or B. Columns without a
field of their own are kept as ``stopgap.NAME``.

Source: sg_get_motl_fields, sg_motl_write and sg_motl_stopgap_to_dynamo of STOPGAP.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.columns import typed_column
from subtomo.formats.motive_list import phi_psi_theta
from subtomo.formats.numbered_particles import (
    NumberedParticles,
    with_map_beside,
    with_shifts,
    write_map_beside,
)
from subtomo.formats.star import StarTable, only_block, write_star
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_file import file_start
from subtomo.model import Particles

PREFIX = "stopgap."
BLOCK = "stopgap_motivelist"
_COORDINATES = ("orig_x", "orig_y", "orig_z")
_SHIFTS = ("x_shift", "y_shift", "z_shift")
_ANGLES = ("psi", "the", "phi")
_HALVES = {"A": 1, "B": 2}
_CONSUMED = {
    *("tomo_num", "object", "halfset", "score", "class", *_COORDINATES, *_SHIFTS, *_ANGLES),
}


def is_stopgap(path: Path) -> bool:
    """Tell whether a STAR file is a motive list of STOPGAP."""
    return f"data_{BLOCK}".encode() in file_start(path)


def read_stopgap(path: Path, context: TableContext) -> Particles:
    """Read a motive list of STOPGAP.

    Parameters
    ----------
    path : ``.star``
    context : names and voxels of the tomograms

    Raises
    ------
    MissingFileError, StarError
        If the file does not exist, has no such block, lacks a column, or a value is no number.
    SettingsError
        If the voxels of a tomogram are not known.
    """
    table = only_block(path, BLOCK)
    return NumberedParticles(
        tomogram=table.integers("tomo_num"),
        coordinates=table.stacked(_COORDINATES) + table.stacked(_SHIFTS, default=0),
        angles=-table.stacked(_ANGLES, default=0) + 0.0,
        group=table.integers("class", default=0),
        instance=table.integers("object", default=0),
        score=table.numbers("score", default=0),
        half=_halves(table),
        extra={
            PREFIX + tag: typed_column(tag, table.text(tag))
            for tag in table.columns
            if tag not in _CONSUMED
        },
    ).particles(path, with_map_beside(path, context))


def write_stopgap(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a motive list of STOPGAP; whole voxels and shifts apart.

    Parameters
    ----------
    path : ``.star``, replaced in one step
    particles : classes and instances that are no whole numbers are counted from 1
        Particles of no half are in half A, as STOPGAP's own converters have it.
    context : numbers and voxels of the tomograms

    Raises
    ------
    SettingsError
        If the voxels of a tomogram are not known.
    """
    numbered = NumberedParticles.of(particles, path, context)
    whole, shift = with_shifts(numbered.coordinates)
    phi, psi, theta = phi_psi_theta(numbered.angles).T
    count = np.arange(1, len(particles) + 1)
    columns: dict[str, NDArray[Any]] = {
        "motl_idx": _kept_number(particles, "motl_idx", count),
        "tomo_num": numbered.tomogram,
        "object": numbered.instance,
        "subtomo_num": _kept_number(particles, "subtomo_num", count),
        "halfset": np.where(particles.half == _HALVES["B"], "B", "A"),
        **dict(zip(_COORDINATES, whole.astype(np.int64).T, strict=True)),
        "score": numbered.score,
        **dict(zip(_SHIFTS, shift.T, strict=True)),
        **{"phi": phi, "psi": psi, "the": theta},
        "class": numbered.group,
    }
    others = {
        name.removeprefix(PREFIX): column
        for name, column in particles.extra.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in columns
    }
    write_map_beside(path, particles, context)
    write_star(path, {BLOCK: StarTable({**columns, **others})})


def _halves(table: StarTable) -> NDArray[np.int64]:
    """Read halves; all of them A says nothing, since that is what converters write."""
    if "halfset" not in table:
        return np.zeros(len(table), dtype=np.int64)
    names = table.text("halfset")
    if not np.any(names == "B"):
        return np.zeros(len(table), dtype=np.int64)
    return np.array([_HALVES.get(name, 0) for name in names.tolist()], dtype=np.int64)


def _kept_number(particles: Particles, name: str, count: NDArray[np.int64]) -> NDArray[np.generic]:
    """Give the numbers that came from a motive list, or count."""
    kept = particles.extra.get(PREFIX + name)
    return count if kept is None or len(np.unique(kept)) < len(count) else kept
