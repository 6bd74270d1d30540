"""The sets of picks that vote, by name."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from subtomo.errors import DataError, SettingsError
from subtomo.jobs.names import unwritable
from subtomo.model import Particles


def names_of_files(paths: Sequence[Path]) -> list[str]:
    """Name tables by what tells their paths apart, without suffixes.

    Parameters
    ----------
    paths : of the tables

    Returns
    -------
    list of different names: the file's, or where several files have the same one, the folder's; a
    path that comes again gets a number

    Examples
    --------
    >>> names_of_files([Path("net/particles.star"), Path("match/particles.star")])
    ['net', 'match']
    """
    different = list(dict.fromkeys(path.absolute().with_suffix("") for path in paths))
    parts = [list(path.parts) for path in different]
    while len(parts) > 1 and len({p[-1] for p in parts}) == 1 and min(map(len, parts)) > 2:
        parts = [p[:-1] for p in parts]
    depth = 1
    while len({tuple(p[-depth:]) for p in parts}) < len(parts):
        depth += 1
    label = {path: "/".join(p[-depth:]) for path, p in zip(different, parts, strict=True)}
    names: list[str] = []
    for path in paths:
        name = label[path.absolute().with_suffix("")]
        again = sum(each == name or each.startswith(f"{name} (") for each in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


def by_source(tables: Sequence[Particles], paths: Sequence[Path]) -> dict[str, Particles]:
    """Sort the rows of tables by the picker that they name.

    Parameters
    ----------
    tables : the picks
    paths : of the tables, for messages

    Raises
    ------
    DataError
        If a row names no picker.
    """
    for table, path in zip(tables, paths, strict=True):
        if (table.source == "").any():
            row = int(np.flatnonzero(table.source == "")[0])
            raise DataError(
                f"{path}: row {row + 1} names no source; expected the name of the picker in each "
                "row, or one table for each picker without --by-source"
            )
    joined = Particles.concatenate(tables)
    return {name: joined.select(joined.source == name) for name in np.unique(joined.source)}


def require_writable(names: Sequence[str]) -> None:
    """Refuse names of pickers that cannot stand in tables, or not beside each other.

    Raises
    ------
    SettingsError
        If a name holds line breaks, other control characters or both kinds of quotes, or two are
        the same but for blanks, which columns named after them do not have.
    """
    column_of: dict[str, str] = {}
    for name in names:
        if unwritable([name]) or ("'" in name and '"' in name):
            raise SettingsError(
                f"picker {name!a}: expected a name without line breaks, tabs and mixed quotes"
            )
        other = column_of.setdefault("_".join(name.split()), name)
        if other != name:
            raise SettingsError(
                f"pickers {other!r} and {name!r} have the same name but for blanks; expected "
                "different ones (--name)"
            )
