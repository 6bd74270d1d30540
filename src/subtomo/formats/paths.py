"""File names inside a table: where they are looked for, and how they are written.

RELION's names are relative to the project folder, from which its programs are started, and its
tables lie in job folders below it. So a relative name is looked for in the table's own folder, then
in the working directory, then in the folders above the table, nearest first. A name is written
relative to the folder of the table, unless it is relative already.
"""

import errno
import os
from pathlib import Path

from subtomo.errors import MissingFileError


def is_remote(name: str) -> bool:
    """Whether a name is an address such as ``s3://bucket/series.zarr``, not a path."""
    return "://" in name


def find_file(name: str, table: str | Path, relative_dir: Path | None = None) -> Path | None:
    """Find the file that a table names.

    Parameters
    ----------
    name : as in the table
    table : path of the table
    relative_dir : the only folder where a relative name starts, if given

    Returns
    -------
    absolute path, or None if there is no such file or folder in any of the places
    """
    path = Path(name)
    folder = Path(table).absolute().parent
    places = (folder, Path.cwd(), *folder.parents) if relative_dir is None else (relative_dir,)
    for start in places:
        if _is_there(start / path):  # an OME-Zarr image is a folder
            return Path(os.path.abspath(start / path))  # a link keeps its own name
    return None


def _is_there(path: Path) -> bool:
    """Whether a file or folder exists; text that is too long for a name does not."""
    try:
        return path.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def name_in_table(path: str | Path, table: str | Path) -> str:
    """Write a path as the table in ``table`` should name it; an address stays as it is."""
    if is_remote(str(path)):
        return str(path)
    if not Path(path).is_absolute():
        return Path(path).as_posix()
    return Path(os.path.relpath(path, Path(table).absolute().parent)).as_posix()


def missing_file(path: Path, expected: str) -> MissingFileError:
    """Make the error of a file that is not there, or that is a folder."""
    found = "is a folder" if path.is_dir() else "no such file"
    return MissingFileError(f"{path}: {found}; expected {expected}")


def not_found(name: str, table: str | Path, relative_dir: Path | None = None) -> str:
    """Say that a file is missing, and where it was looked for."""
    if relative_dir is not None:
        return f"{name} does not exist; looked in {relative_dir.absolute()}"
    folder = Path(table).absolute().parent
    return (
        f"{name} does not exist; looked in {folder}, the working directory {Path.cwd()} and the "
        f"folders above {folder}"
    )
