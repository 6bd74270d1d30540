"""Items on a Dask cluster: one of this machine, a running one, or one that SLURM starts."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from subtomo.jobs.executors.dask_connection import connect
from subtomo.jobs.items import Failure, Outcome, Task, run_task
from subtomo.jobs.messages import Messages
from subtomo.jobs.settings import JobSettings

_TASKS_PER_THREAD = 2
_DIED = "the Dask workers that computed it died, several times (out of memory?)"


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
        suspects: list[Task] = []
        for task, outcome in self._run(iter(tasks), at_once=None):
            if outcome is None:
                suspects.append(task)
            else:
                yield outcome
        # Dask blames a worker's death on every task that waited there: alone, only the guilty die.
        for task, outcome in self._run(iter(suspects), at_once=1):
            yield outcome or Outcome(task.item, failure=Failure(_DIED))

    def _run(
        self, waiting: Iterator[Task], *, at_once: int | None
    ) -> Generator[tuple[Task, Outcome | None], None, None]:
        """Yield each task with its outcome; None where its workers died."""
        from distributed import as_completed

        sent: dict[Any, Task] = {}
        running = as_completed()
        try:
            self._submit(waiting, sent, running, at_once)
            for future in running:
                task = sent.pop(future)
                outcome = _outcome(future, task.item)
                self._submit(waiting, sent, running, at_once)
                yield task, outcome
        finally:
            if sent:
                self.client.cancel(list(sent), force=True)

    def _submit(
        self, waiting: Iterator[Task], sent: dict[Any, Task], running: Any, at_once: int | None
    ) -> None:
        """Send tasks to the cluster until it has enough."""
        threads = max(1, sum(self.client.nthreads().values()))
        wanted = at_once or min(threads, self._workers or threads) * _TASKS_PER_THREAD
        for _, task in zip(range(wanted - len(sent)), waiting, strict=False):
            future = self.client.submit(run_task, task, pure=False)
            sent[future] = task
            running.add(future)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._held.close()


def _outcome(future: Any, item: str) -> Outcome | None:
    """Take a task's outcome, or say how it was lost; None where its workers died."""
    from distributed import KilledWorker

    if future.status == "finished":
        outcome: Outcome = future.result()
        return outcome
    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        return None
    reason = f"{type(error).__name__}: {error}" if error else "lost with its Dask scheduler"
    return Outcome(item, failure=Failure(reason))
