"""No input of a job is replaced by what the job writes."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from subtomo.errors import OutputError
from subtomo.jobs.folder import LEDGER_NAME, LOG_NAME
from subtomo.jobs.names import paths_in
from subtomo.jobs.record import FILE_NAME
from subtomo.jobs.settings import JobSettings


def require_inputs_kept(
    settings: JobSettings, inputs: Iterable[Path], writes: Sequence[str] | None
) -> None:
    """Refuse an output folder where a file that is read would be replaced.

    Parameters
    ----------
    settings : of the job; the paths among them are inputs too
    inputs : other files and folders that are read
    writes
        What the job may write, by name or pattern relative to the output folder; a folder's name
        means all that is in it. None: anything.

    Raises
    ------
    OutputError
        Naming the input, with ``--overwrite`` or without.
    """
    folder = settings.output_dir.expanduser().resolve()
    names = sorted({*type(settings).model_fields} - settings.JOB_FIELDS)
    given = [path for name in names for path in paths_in(getattr(settings, name))]
    for path in [*given, *inputs]:
        for place in _places(path):
            if place.is_relative_to(folder) and _is_written(place.relative_to(folder), writes):
                raise OutputError(
                    f"--output-dir {settings.output_dir}: the input {path} is there, and would be "
                    "replaced; choose another folder"
                )


def same_place(path: Path, other: Path) -> bool:
    """Tell whether to write one path is to replace the file, or the link, that another names."""
    return _own_place(path) in _places(other)


def _places(path: Path) -> list[Path]:
    """Say where a file is, and where the link to it is."""
    path = path.expanduser()
    return [_own_place(path), path.resolve()]


def _own_place(path: Path) -> Path:
    """Follow the links to a file's folder, not the file's own."""
    path = path.expanduser().absolute()
    return path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()


def _is_written(place: Path, writes: Sequence[str] | None) -> bool:
    """Tell whether a path in the output folder is one that the job may write."""
    if writes is None:
        return True
    names = [place, *place.parents]
    patterns = [*writes, FILE_NAME, LEDGER_NAME, LOG_NAME]
    return any(
        fnmatchcase(name.as_posix(), pattern) for name in names if name.name for pattern in patterns
    )
