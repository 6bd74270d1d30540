"""The ledger: which items are finished, one line each, safe against being killed."""

import json
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from subtomo.errors import OutputError


@dataclass(frozen=True)
class LedgerEntry:
    """One finished item: its result as JSON gave it back, the seconds it took, and of what."""

    result: Any
    seconds: float
    content: str = ""


class Ledger:
    """An append-only file with one JSON object a line.

    Each line is forced to disk before the item counts as finished, so a job that is killed
    finds every recorded item again. A last line that was cut short is dropped.

    Parameters
    ----------
    path : made if absent; only one process at a time may hold it
    fresh : forget what is recorded

    Raises
    ------
    OutputError
        If another process holds the ledger, or a line before the last is not JSON.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self.finished: dict[tuple[str, str], LedgerEntry] = {}
        self._file: FileIO = open(path, "a+b", buffering=0)  # noqa: SIM115  # closed by __exit__
        try:
            _lock(self._file, path)
            if fresh:
                self._drop_after(0)
            self._read()
        except BaseException:
            self._file.close()
            raise

    def record(self, stage: str, item: str, result: Any, seconds: float, content: str = "") -> None:
        """Record that an item is finished, after its files have their final names.

        ``content`` says what it was computed from, where an item of its name may be of something
        else when the job is resumed.
        """
        entry = {"stage": stage, "item": item, "seconds": round(seconds, 3), "result": result}
        if content:
            entry["content"] = content
        end = self._file.seek(0, os.SEEK_END)
        try:
            rest = json.dumps(entry).encode("utf-8") + b"\n"
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._drop_after(end)
            raise
        self.finished[stage, item] = LedgerEntry(result, seconds, content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read(self) -> None:
        """Read the finished items and drop what was cut short at the end."""
        self._file.seek(0)
        good = 0
        lines = self._file.read().splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                if not line.endswith(b"\n"):
                    raise ValueError("cut short")
                entry = json.loads(line)
                key = (entry["stage"], entry["item"])
                self.finished[key] = LedgerEntry(
                    entry["result"], entry["seconds"], entry.get("content", "")
                )
            except (ValueError, KeyError, TypeError) as error:
                if number < len(lines):
                    raise OutputError(
                        f"{self.path}, line {number}: not an entry of a ledger ({error}); "
                        "the file was changed by hand or damaged: start afresh with --overwrite"
                    ) from None
                break
            good += len(line)
        self._drop_after(good)

    def _drop_after(self, end: int) -> None:
        self._file.truncate(end)
        self._file.seek(end)


def count_finished(path: Path) -> int:
    """Count the finished items of a ledger that may be absent, without holding it."""
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def read_results(path: Path, stage: str) -> list[dict[str, Any]]:
    """Read the results of a stage's items that are mappings, without holding the ledger.

    Parameters
    ----------
    path : of a ledger; lines that are none of its entries are passed over
    stage : name
    """
    found = []
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("stage") == stage:
            found.append(entry.get("result"))
    return [result for result in found if isinstance(result, dict)]


def _lock(file: FileIO, path: Path) -> None:
    """Hold the file for this process; the system lets go of it when the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows has no advisory locks
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(
            f"{path.parent}: another process is working in this output folder; "
            "wait for it or choose another folder"
        ) from None
    except OSError:  # a file system without locks
        return
