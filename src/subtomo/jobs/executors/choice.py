"""The executors by name."""

from collections.abc import Generator, Iterable
from typing import Any, Protocol

from subtomo.jobs.items import Outcome, Task
from subtomo.jobs.messages import Messages
from subtomo.jobs.settings import JobSettings


class Executor(Protocol):
    """Computes tasks somewhere, each to an outcome, in whatever order they end."""

    kind: str

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcome of each task; few tasks are taken ahead."""
        ...

    def close(self) -> None:
        """Let go of workers, at once where some are still busy."""
        ...


class KeptExecutor:
    """An executor that is opened when it is first needed and kept while the same is asked for."""

    def __init__(self) -> None:
        self._executor: Executor | None = None
        self._choice: tuple[Any, ...] = ()

    def get(self, kind: str, settings: JobSettings, messages: Messages) -> Executor:
        """Give the executor of this name; another one that was open is closed."""
        workers = (settings.workers, settings.threads_per_item)
        choice = (kind, *workers, settings.scheduler, settings.slurm)
        if self._executor is None or self._choice != choice:
            self.close()
            self._executor, self._choice = _open_executor(kind, settings, messages), choice
        return self._executor

    def close(self) -> None:
        """Let go of the executor and its workers, if it is open."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None


def _open_executor(kind: str, settings: JobSettings, messages: Messages) -> Executor:
    """Open the executor of this name; its workers live until it is closed."""
    if kind == "processes":
        from subtomo.jobs.executors.processes import ProcessesExecutor

        return ProcessesExecutor(settings.worker_count())
    if kind == "dask":
        from subtomo.jobs.executors.dask_cluster import DaskExecutor

        return DaskExecutor(settings, messages)
    from subtomo.jobs.executors.inline import InlineExecutor

    return InlineExecutor()
