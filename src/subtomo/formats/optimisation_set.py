"""RELION's optimisation set: one small file that names the files of a particle project."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from subtomo.errors import MissingFileError, StarError
from subtomo.formats.paths import find_file, name_in_table, not_found
from subtomo.formats.star import StarTable, read_star, write_star

FILES = {
    "particles": "rlnTomoParticlesFile",
    "tomograms": "rlnTomoTomogramsFile",
    "trajectories": "rlnTomoTrajectoriesFile",
}
"""The columns that name files, by what these hold."""


@dataclass(frozen=True)
class OptimisationSet:
    """The files of a particle project.

    Parameters
    ----------
    particles, tomograms, trajectories : paths, or None where the set does not name one
    extra : entries that the package does not interpret, such as masks
    """

    particles: Path | None = None
    tomograms: Path | None = None
    trajectories: Path | None = None
    extra: dict[str, str] = field(default_factory=dict)


def read_optimisation_set(path: str | Path, *, without: Collection[str] = ()) -> OptimisationSet:
    """Read an optimisation set.

    Parameters
    ----------
    path : the file
    without : which of particles, tomograms and trajectories are not asked for, and need not exist

    Raises
    ------
    MissingFileError
        If it, or a file that it names, does not exist. Relative names are looked for in the folder
        of ``path``, in the working directory, then in the folders above ``path``.
    StarError
        If it names neither particles nor tomograms.
    """
    blocks = read_star(path)
    table = next(iter(blocks.values()))
    if not is_optimisation_set(blocks):
        found = ", ".join(table.columns)
        raise StarError(
            f"{path}: not an optimisation set: expected one {FILES['particles']} or "
            f"{FILES['tomograms']}; found {found}"
        )
    values = {tag: str(column[0]) for tag, column in table.columns.items()}
    files: dict[str, Path] = {}
    for what, tag in FILES.items():
        if tag in values and what not in without:
            found_file = find_file(values[tag], path)
            if found_file is None:
                raise MissingFileError(f"{path}: {tag} {not_found(values[tag], path)}")
            files[what] = found_file
    extra = {tag: value for tag, value in values.items() if tag not in FILES.values()}
    return OptimisationSet(**files, extra=extra)


def is_optimisation_set(blocks: Mapping[str, StarTable]) -> bool:
    """Tell whether the first block of a STAR file names tables of particles or tomograms."""
    table = next(iter(blocks.values()))
    return len(table) == 1 and any(tag in table for tag in list(FILES.values())[:2])


def write_optimisation_set(path: str | Path, optimisation_set: OptimisationSet) -> None:
    """Write an optimisation set, replaced in one step; absolute paths become relative to it."""
    columns = {
        tag: np.array([name_in_table(getattr(optimisation_set, what), path)])
        for what, tag in FILES.items()
        if getattr(optimisation_set, what) is not None
    }
    columns |= {tag: np.array([value]) for tag, value in optimisation_set.extra.items()}
    write_star(path, {"": StarTable(columns, is_loop=False)})
