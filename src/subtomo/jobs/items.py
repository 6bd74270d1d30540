"""What happens to one item, wherever it is computed."""

import errno
import json
import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from subtomo.errors import DiskFullError, SubtomoError
from subtomo.jobs.own_warnings import own_warnings_to
from subtomo.jobs.threads import limited_threads

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Task:
    """One item to compute: a module-level function and its payload, pickled together."""

    item: str
    work: bytes
    threads: int


@dataclass(frozen=True)
class Failure:
    """Why an item failed.

    Parameters
    ----------
    reason : in words
    trace : for the log, of a fault of the program
    kind : of the cause
    can_pass : whether trying again with the same settings may help
    """

    reason: str
    trace: str = ""
    kind: Literal["failed", "wrong input", "disk full"] = "failed"
    can_pass: bool = True


@dataclass(frozen=True)
class Outcome:
    """How one item ended: the JSON of its result, or why it failed."""

    item: str
    result: str = "null"
    failure: Failure | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = field(default_factory=tuple)


def make_task(item: str, function: Callable[[Any], Any], payload: Any, threads: int) -> Task:
    """Pack an item so that it can travel to another process.

    Raises
    ------
    TypeError
        If the function is not at module level, or the payload is large: pass paths, not arrays.
    """
    if "<locals>" in function.__qualname__ or "<lambda>" in function.__qualname__:
        raise TypeError(f"{function.__qualname__} must be defined at module level")
    packed = pickle.dumps((function, payload))
    if len(packed) > MAX_BYTES:
        raise TypeError(
            f"item {item}: payload of {len(packed) / 1e6:.1f} MB; "
            f"at most {MAX_BYTES / 1e6:.1f} MB: pass the paths of files, not their contents"
        )
    return Task(item, packed, threads)


def run_task(task: Task) -> Outcome:
    """Compute one item; whatever goes wrong is part of the outcome."""
    start = time.perf_counter()
    result, failure = "null", None
    texts: list[str] = []
    with own_warnings_to(texts.append), limited_threads(task.threads):
        try:
            function, payload = pickle.loads(task.work)
            result = _as_json(task.item, function(payload))
        except Exception as error:
            failure = describe_failure(error)
    return Outcome(task.item, result, failure, time.perf_counter() - start, tuple(texts))


def describe_failure(error: Exception) -> Failure:
    """Put an exception in words; only a fault of the program carries its traceback."""
    if is_disk_full(error):
        return Failure(str(error), kind="disk full")
    if isinstance(error, SubtomoError):
        return Failure(str(error), kind="wrong input")
    trace = "".join(traceback.format_exception(error))
    return Failure(f"{type(error).__name__}: {error}", trace)


def is_disk_full(error: BaseException) -> bool:
    """Tell whether an error, or what it came from, is a full disk or an exceeded quota."""
    while error is not None:
        if isinstance(error, DiskFullError):
            return True
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # None ends it
    return False


def _as_json(item: str, result: Any) -> str:
    """Write a result as JSON; numpy numbers and paths are allowed, arrays should be files."""
    text = json.dumps(result, default=_plain)
    if len(text) > MAX_BYTES:
        raise TypeError(
            f"item {item}: result of {len(text) / 1e6:.1f} MB; "
            f"at most {MAX_BYTES / 1e6:.1f} MB: write a file and return its path"
        )
    return text


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "__fspath__"):
        return str(value)
    raise TypeError(f"a result holds {type(value).__name__}, which JSON cannot")
