"""The executors by name."""

from collections.abc import Generator, Iterable
from typing import Protocol

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


def open_executor(kind: str, settings: JobSettings, messages: Messages) -> Executor:
    """Open the executor of this name; its workers live until it is closed."""
    if kind == "processes":
        from subtomo.jobs.executors.processes import ProcessesExecutor

        return ProcessesExecutor(settings.worker_count())
    if kind == "dask":
        from subtomo.jobs.executors.dask_cluster import DaskExecutor

        return DaskExecutor(settings, messages)
    from subtomo.jobs.executors.inline import InlineExecutor

    return InlineExecutor()
