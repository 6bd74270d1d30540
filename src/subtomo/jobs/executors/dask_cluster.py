"""Items on a Dask cluster: one of this machine, a running one, or one that SLURM starts."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from subtomo.jobs.executors.dask_connection import connect
from subtomo.jobs.items import Failure, Outcome, Task, run_task
from subtomo.jobs.messages import Messages
from subtomo.jobs.settings import JobSettings

_TASKS_PER_THREAD = 2


class DaskExecutor:
    """Compute items on a Dask cluster.

    The task of a worker that dies is computed elsewhere by Dask itself, unless it has taken
    several workers with it; then it fails.

    Parameters
    ----------
    settings : which cluster, how many workers
    messages : where to say what was started

    Raises
    ------
    SettingsError
        If no scheduler answers, or its workers cannot do the work.
    MissingDependency
        If SLURM is wanted and dask-jobqueue is not installed.
    """

    kind = "dask"

    def __init__(self, settings: JobSettings, messages: Messages) -> None:
        self._held = ExitStack()
        self._workers = settings.workers
        try:
            self.client: Any = connect(settings, self._held, messages)
        except BaseException:
            self._held.close()
            raise

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Yield outcomes as they come; two tasks a thread are on the cluster at a time."""
        from distributed import as_completed

        waiting = iter(tasks)
        items: dict[Any, str] = {}
        running = as_completed()
        try:
            self._submit(waiting, items, running)
            for future in running:
                outcome = _outcome(future, items.pop(future))
                self._submit(waiting, items, running)
                yield outcome
        finally:
            if items:
                self.client.cancel(list(items), force=True)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._held.close()

    def _submit(self, waiting: Iterator[Task], items: dict[Any, str], running: Any) -> None:
        """Send tasks to the cluster until it has enough."""
        threads = max(1, sum(self.client.nthreads().values()))
        wanted = min(threads, self._workers or threads) * _TASKS_PER_THREAD
        for _, task in zip(range(wanted - len(items)), waiting, strict=False):
            future = self.client.submit(run_task, task, pure=False)
            items[future] = task.item
            running.add(future)


def _outcome(future: Any, item: str) -> Outcome:
    """Take a task's outcome, or say how it was lost."""
    from distributed import KilledWorker

    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        reason = "the Dask workers that computed it died, several times (out of memory?)"
    elif error is not None:
        reason = f"{type(error).__name__}: {error}"
    else:
        reason = "lost with its Dask scheduler"
    return Outcome(item, failure=Failure(reason))
