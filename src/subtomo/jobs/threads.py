"""One number of threads for all numerics, so that results do not depend on the machine."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from subtomo.counts import count_of
from subtomo.errors import SettingsError

# Read by the libraries when they are first loaded; those loaded already are told directly.
_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_lock = threading.Lock()
_users = 0
_first = 1  # the limit in force
_undo: ExitStack = ExitStack()


def require_threads(n: int) -> None:
    """Refuse more threads than this machine has cores.

    Raises
    ------
    SettingsError
        Saying how many it has.
    """
    n_cores = os.cpu_count() or 1
    if n > n_cores:
        raise SettingsError(
            f"--threads-per-item is {n}, but this machine has {count_of(n_cores, 'core')}; "
            "expected at most as many"
        )


@contextmanager
def limited_threads(n: int) -> Iterator[None]:
    """Limit torch, numba, BLAS and OpenMP to n threads, and restore them afterwards.

    Limits may be nested or held by several threads of a process at once: the first one counts,
    and what was there before comes back when the last one ends.
    """
    global _users, _first
    with _lock:
        if _users == 0:
            _first = n
            _limit(n)
        else:
            _limit_numba_and_torch(_first)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _undo.close()


def _limit(n: int) -> None:
    """Set every limit and note how to undo it."""
    from threadpoolctl import threadpool_limits

    for name in _VARIABLES:
        _undo.callback(_set_variable, name, os.environ.get(name))
        os.environ[name] = str(n)
    _undo.enter_context(threadpool_limits(n))
    _undo.callback(_set_torch_threads, _torch_threads())
    _limit_numba_and_torch(n)


def _limit_numba_and_torch(n: int) -> None:
    """Limit numba, which may have been loaded since, and then torch.

    In this order: numba starts its threads when they are first counted, and that sets the number
    of OpenMP threads, torch's too.
    """
    numba = sys.modules.get("numba")
    if numba is not None and numba.get_num_threads() != n:
        _undo.callback(numba.set_num_threads, numba.get_num_threads())
        numba.set_num_threads(min(n, numba.config.NUMBA_NUM_THREADS))
    _set_torch_threads(n)


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _torch() -> Any:
    return sys.modules.get("torch")


def _torch_threads() -> int:
    """Count torch's threads, or those it will have where it is not loaded yet."""
    if (torch := _torch()) is not None:
        return int(torch.get_num_threads())
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else os.cpu_count() or 1


def _set_torch_threads(n: int) -> None:
    if (torch := _torch()) is not None:
        torch.set_num_threads(n)
