"""RELION's optics groups, spread over the particles that belong to them and gathered again.

A group is its values: tables of particles can then be joined and cut without groups that clash.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.columns import typed_column
from subtomo.formats.star import StarTable

OPTICS_PREFIX = "optics."
TILT_SERIES_PIXEL_SIZE = "rlnTomoTiltSeriesPixelSize"


def optics_columns(table: StarTable, optics: StarTable | None) -> dict[str, NDArray[Any]]:
    """Spread the values of the optics groups over their particles.

    Parameters
    ----------
    table : the particles; without ``rlnOpticsGroup`` they are of the only group, if there is one
    optics : the groups, or None

    Returns
    -------
    columns (particle,) called ``optics.TAG``

    Raises
    ------
    StarError
        If a particle is of a group that is not there.
    """
    if optics is None:
        return {}
    if "rlnOpticsGroup" not in table:
        if len(optics) != 1:
            return {}
        rows = np.zeros(len(table), dtype=np.intp)
    else:
        rows = _rows_of_groups(table, optics)
    return {
        OPTICS_PREFIX + tag: typed_column(tag, np.asarray(column, dtype=np.str_))[rows]
        for tag, column in optics.columns.items()
        if tag != "rlnOpticsGroup"
    }


def _rows_of_groups(table: StarTable, optics: StarTable) -> NDArray[np.intp]:
    """Give the row of each particle's group."""
    groups = optics.integers("rlnOpticsGroup").tolist()
    row_of = {group: row for row, group in enumerate(groups)}
    wanted = table.integers("rlnOpticsGroup").tolist()
    unknown = next((i for i, group in enumerate(wanted) if group not in row_of), None)
    if unknown is not None:
        raise StarError(
            f"{table.place(unknown)}: rlnOpticsGroup is {wanted[unknown]}, "
            f"which data_optics does not list; it lists {', '.join(map(str, groups))}"
        )
    return np.array([row_of[group] for group in wanted], dtype=np.intp)


def optics_table(
    extra: dict[str, NDArray[Any]], pixel_size: NDArray[np.float64]
) -> tuple[StarTable | None, NDArray[np.int64]]:
    """Make the optics groups of the particles' ``optics.`` columns, in order of appearance.

    Parameters
    ----------
    extra : columns of the particles
    pixel_size : (particle,) Å of the tilt series; wins over the column

    Returns
    -------
    optics : a row a group, or None if there is no such column or no particle
    group : (particle,) from 1
    """
    columns = {
        tag.removeprefix(OPTICS_PREFIX): column
        for tag, column in extra.items()
        if tag.startswith(OPTICS_PREFIX)
    }
    if not columns or not len(pixel_size):
        return None, np.zeros(len(pixel_size), dtype=np.int64)
    columns.pop("rlnOpticsGroup", None)  # counted anew
    columns[TILT_SERIES_PIXEL_SIZE] = pixel_size
    number = np.zeros(len(pixel_size), dtype=np.int64)
    for column in columns.values():
        _, codes = np.unique(column, return_inverse=True, equal_nan=column.dtype.kind == "f")
        _, number = np.unique(number * (codes.max() + 1) + codes, return_inverse=True)
    _, first, number = np.unique(number, return_index=True, return_inverse=True)
    order = np.argsort(first)
    group = np.argsort(order)[number] + 1
    rows = first[order]
    groups = {"rlnOpticsGroup": np.arange(1, len(rows) + 1)}
    return StarTable({**groups, **{tag: column[rows] for tag, column in columns.items()}}), group
