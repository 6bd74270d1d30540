"""job.json: what was run, with what, on what, and how it ended."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from subtomo.errors import OutputError
from subtomo.jobs.settings import JobSettings

FILE_NAME = "job.json"
_PACKAGES = ("subtomo", "numpy", "scipy", "torch", "numba", "zarr", "tifffile", "gemmi", "dask")
_HASHED_BYTES = 8 * 1024 * 1024


class JobRecord:
    """The job.json of a job that runs.

    Parameters
    ----------
    folder : where it is written
    command, settings, inputs, n_items : what is run on what
    previous : the record of the job that is resumed
    """

    def __init__(
        self,
        folder: Path,
        command: str,
        settings: JobSettings,
        *,
        inputs: Sequence[Path],
        n_items: int,
        previous: Mapping[str, Any] | None,
    ) -> None:
        self._folder = folder
        start = now()
        self._content: dict[str, Any] = {
            "command": command,
            "state": "running",
            "started": previous["started"] if previous else start,
            "ended": None,
            "settings": plain_settings(settings),
            "inputs": [describe_input(path) for path in inputs],
            "versions": versions(),
            "host": platform.node(),
            "command_line": sys.argv,
            "items": {"total": n_items, "finished": 0},
            "failures": [],
            "warnings": {},
            "resumed": [*previous["resumed"], start] if previous else [],
        }
        self._write()

    def end(self, state: str, n_finished: int, **more: Any) -> None:
        """Write how the job ended, with more entries such as its failures."""
        self._content |= {"state": state, "ended": now(), **more}
        self._content["items"]["finished"] = n_finished
        self._write()

    def _write(self) -> None:
        """Write job.json whole or not at all."""
        partial = self._folder / f".{FILE_NAME}.partial"
        try:
            text = json.dumps(self._content, indent=2, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")
            os.replace(partial, self._folder / FILE_NAME)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def now() -> str:
    """Tell the time in ISO 8601 with the zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """List the versions that results may depend on, without importing anything."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def plain_settings(settings: JobSettings) -> dict[str, Any]:
    """Turn settings into JSON values, with absolute paths."""
    values = settings.model_dump(mode="python")
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.expanduser().absolute())
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return value


def describe_input(path: Path) -> dict[str, Any]:
    """Note an input's size and time of modification, and the digest of a small file."""
    absolute = path.expanduser().absolute()
    if not absolute.is_file():
        return {"path": str(absolute)}
    status = absolute.stat()
    modified = datetime.fromtimestamp(status.st_mtime).astimezone().isoformat()
    described = {"path": str(absolute), "size": status.st_size, "modified": modified}
    if status.st_size <= _HASHED_BYTES:
        described["sha256"] = hashlib.sha256(absolute.read_bytes()).hexdigest()
    return described


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a folder's job.json; None where there is none."""
    path = folder / FILE_NAME
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise OutputError(f"{path}: not JSON ({error}); start afresh with --overwrite") from None
    kinds = {"command": str, "state": str, "started": str, "settings": dict, "inputs": list}
    kinds |= {"versions": dict, "resumed": list}
    if not isinstance(record, dict) or any(
        not isinstance(record.get(name), kind) for name, kind in kinds.items()
    ):
        raise OutputError(f"{path}: not the record of a job; start afresh with --overwrite")
    return record


def held_command(folder: Path) -> str:
    """Name the command whose job a folder holds; empty where there is none, or it is damaged."""
    try:
        record = read_record(folder)
    except (OutputError, NotADirectoryError):
        return ""
    return str(record["command"]) if record is not None else ""
