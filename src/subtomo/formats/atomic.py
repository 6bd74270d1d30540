"""Writing a file or folder so that it is never seen half written."""

import errno
import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from subtomo.errors import DiskFullError, OutputError, SubtomoError

PARTIAL_PREFIX = ".partial-"
"""Start of the names of files that are being written; a killed program leaves such names behind."""

ZARR = (".zgroup", ".zarray", "zarr.json")
"""Files, any of which a Zarr folder holds."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENOENT,
    errno.ENAMETOOLONG,
    errno.EEXIST,
}


@contextmanager
def replacing(path: Path | str, *, folder_with: Collection[str] = ()) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` when the block ends well.

    The temporary name has the same suffixes, so that writers that look at them work. When the
    block raises, what it wrote is removed and a file or folder that was there before is kept.
    Missing parent folders are made.

    Parameters
    ----------
    path : the file or folder to be written
    folder_with
        Of what writes a folder: files, any of which a folder of its kind holds. Only such a folder
        is replaced, or an empty one; a file never replaces a folder.

    Raises
    ------
    DiskFullError
        If the disk or the quota is full.
    OutputError
        If the folder cannot be written, or ``path`` is a folder that is not replaced; before the
        block.
    """
    path = Path(path)
    _require_replaceable(path, folder_with)
    temporary = _temporary_name(path)
    is_done = False
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _rename(temporary, path)
        is_done = True
    except SubtomoError:
        raise
    except OSError as error:
        _translate(error, path)
        raise
    finally:
        if not is_done:
            _remove(temporary)


def _require_replaceable(path: Path, folder_with: Collection[str]) -> None:
    """Refuse to replace a folder that may hold something else; of a link only the link goes."""
    if not path.is_dir() or (folder_with and path.is_symlink()):
        return
    if not folder_with:
        raise OutputError(f"{path} is a folder; expected the name of a file: choose another")
    if any(path.iterdir()) and not any((path / name).is_file() for name in folder_with):
        raise OutputError(
            f"{path} is a folder that holds something else, without any of "
            f"{', '.join(folder_with)}; choose another name"
        )


def _temporary_name(path: Path) -> Path:
    """Name a sibling that no other process uses."""
    return path.with_name(f"{PARTIAL_PREFIX}{uuid.uuid4().hex[:12]}-{path.name}")


def _rename(temporary: Path, path: Path) -> None:
    """Put the finished file or folder in place; a folder takes two renames."""
    if not path.is_dir():
        temporary.replace(path)
        return
    old = _temporary_name(path)
    path.rename(old)
    try:
        temporary.replace(path)
    except OSError:
        old.rename(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        path.unlink()


def _translate(error: OSError, path: Path) -> None:
    """Raise the error that says what the system's error means for the output."""
    if error.errno in _FULL or _is_short_write(error):
        raise DiskFullError(
            f"{path}: no space left while writing ({error.strerror or error}); nothing was kept "
            "of this file: free some space and run again, a job with --resume"
        ) from error
    if error.errno in _UNWRITABLE and _concerns(error, path):
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); choose another folder, or "
            "change the permissions of this one"
        ) from error


def _is_short_write(error: OSError) -> bool:
    """Whether numpy's ``tofile`` could not write all; it gives no error number."""
    return error.errno is None and "requested and" in str(error)


def _concerns(error: OSError, path: Path) -> bool:
    """Whether an error is about the output, not about an input read in the same block."""
    if error.filename is None:
        return False
    culprit = Path(os.fsdecode(error.filename)).absolute()
    parent = path.absolute().parent
    return culprit.is_relative_to(parent) or parent.is_relative_to(culprit)
