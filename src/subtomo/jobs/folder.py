"""The output folder: made, checked, and what a resumed job must agree on."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from subtomo.counts import size_of
from subtomo.errors import DiskFullError, OutputError, SettingsError
from subtomo.jobs.record import FILE_NAME, describe_input, plain_settings, read_record
from subtomo.jobs.settings import JobSettings

LEDGER_NAME = "ledger.jsonl"
LOG_NAME = "log.txt"
PARTIAL_PREFIX = ".partial-"  # as the writers of formats name what they have not finished


def check_output(
    command: str, settings: JobSettings, outputs: Sequence[Path] | None = None
) -> dict[str, Any] | None:
    """Check that a job may use its output folder; give the record to resume, or None.

    Raises
    ------
    OutputError
        If the folder holds something else and neither ``resume`` nor ``overwrite`` is set, or
        holds the job of another command.
    SettingsError
        If the job there was started with other settings or inputs.
    """
    folder = settings.output_dir
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"--output-dir {folder} is a file; expected a folder")
    record = read_record(folder) if folder.is_dir() and not settings.overwrite else None
    if settings.resume and record is not None:
        _check_same_job(folder, record, command, settings)
        _check_same_inputs(folder, record)
        return record
    if not settings.overwrite:
        _check_nothing_else(folder, record, outputs)
    return None


def make_folder(folder: Path) -> list[Path]:
    """Make the folder and check that it can be written; give the folders made, innermost first.

    Raises
    ------
    OutputError
        If it cannot be made or written.
    """
    made = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    probe = folder / f".subtomo-{os.getpid()}.probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        remove_empty(made)
        raise OutputError(
            f"--output-dir {folder} cannot be written ({error.strerror}); choose another folder"
        ) from None
    return made


def check_space(folder: Path, bytes_needed: float) -> None:
    """Refuse to start what cannot fit.

    Raises
    ------
    DiskFullError
        If the file system has fewer bytes free than needed.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if bytes_needed > free:
        raise DiskFullError(
            f"--output-dir {folder}: about {size_of(bytes_needed)} needed, {size_of(free)} free; "
            "free some space or choose another disk"
        )


def _check_same_job(
    folder: Path, record: dict[str, Any], command: str, settings: JobSettings
) -> None:
    """Refuse to resume another command's job, or the same one with other settings."""
    if record["command"] != command:
        raise OutputError(
            f"--output-dir {folder} holds a job of 'subtomo {record['command']}', which "
            f"'subtomo {command}' cannot resume; choose another folder"
        )
    differing = differing_settings(record["settings"], settings)
    if differing:
        raise SettingsError(
            f"--resume in {folder}: settings differ from those the job was started with: "
            f"{'; '.join(differing)}; give the same ones, or --overwrite to start afresh"
        )


def differing_settings(before: dict[str, Any], settings: JobSettings) -> list[str]:
    """Say which settings that affect results differ, with both values."""
    after = plain_settings(settings)
    kind = type(settings)
    free = {n for n in kind.model_fields if kind.field_extra(n).get("affects_results") is False}
    names = [name for name in (*before, *(n for n in after if n not in before)) if name not in free]
    return [
        f"{name} was {_shown(before, name)}, is {_shown(after, name)}"
        for name in names
        if _shown(before, name) != _shown(after, name)
    ]


def _shown(values: dict[str, Any], name: str) -> str:
    return repr(values[name]) if name in values else "absent"


def _check_same_inputs(folder: Path, record: dict[str, Any]) -> None:
    """Refuse to mix results of an input before and after it changed."""
    for before in record["inputs"]:
        after = describe_input(Path(before["path"]))
        same = ("size", "sha256") if "sha256" in before else ("size", "modified")
        if any(before.get(key) != after.get(key) for key in same):
            raise SettingsError(
                f"--resume in {folder}: the input {before['path']} has changed since the job was "
                f"started ({_state(before)}; now {_state(after)}); start afresh with --overwrite"
            )


def _state(described: dict[str, Any]) -> str:
    if "size" not in described:
        return "absent"
    return f"{described['size']} bytes of {described['modified'][:19]}"


def _check_nothing_else(
    folder: Path, record: dict[str, Any] | None, outputs: Sequence[Path] | None
) -> None:
    """Refuse a folder that holds something, or files that would be replaced."""
    if record is not None and outputs is None:
        raise OutputError(
            f"--output-dir {folder} holds a job of 'subtomo {record['command']}' started "
            f"{record['started']} (state: {record['state']}); --resume goes on with it, "
            "--overwrite starts afresh"
        )
    held = _visible(folder) if outputs is None else [path for path in outputs if path.exists()]
    if held:
        others = f" and {len(held) - 1} more" if len(held) > 1 else ""
        raise OutputError(
            f"--output-dir {folder} holds something else ({held[0].name}{others}); "
            "choose an empty or new folder, or --overwrite to write into it"
        )


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    # an empty ledger: a job was killed before it could write its job.json, and anything else
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".")
        and not (path.name == LEDGER_NAME and path.stat().st_size == 0)
    )


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed job was writing under temporary names."""
    for path in sorted(folder.rglob(f"{PARTIAL_PREFIX}*")):
        _remove(path)


def holds_results(folder: Path) -> bool:
    """Tell whether a job's folder holds files beside the job's own."""
    own = {folder / name for name in (FILE_NAME, LEDGER_NAME, LOG_NAME)}
    return any(path.is_file() and path not in own for path in folder.rglob("*"))


def remove_own_files(folder: Path) -> None:
    """Remove a job's own files, and then every folder in its folder that is empty."""
    for name in (FILE_NAME, LEDGER_NAME, LOG_NAME):
        (folder / name).unlink(missing_ok=True)
    inner = [Path(path) for path, _, _ in os.walk(folder, topdown=False)]
    remove_empty(path for path in inner if path != folder)


def remove_contents(folder: Path) -> None:
    """Remove all that a job wrote to a folder that was new or empty before."""
    for path in folder.iterdir():
        _remove(path)


def _remove(path: Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those folders that are empty, in this order."""
    for path in folders:
        with contextlib.suppress(OSError):
            os.rmdir(path)
