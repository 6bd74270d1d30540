"""Items on a Dask cluster: one of this machine, a running one, or one that SLURM starts."""

import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import Any

from subtomo.counts import count_of
from subtomo.errors import ItemsFailed
from subtomo.jobs.executors.dask_connection import connect
from subtomo.jobs.items import Failure, Outcome, Task, run_task
from subtomo.jobs.messages import Messages
from subtomo.jobs.settings import JobSettings

_TASKS_PER_THREAD = 2
_SECONDS_BETWEEN_LOOKS = 5.0
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
    ItemsFailed
        While running, if the scheduler is lost.
    """

    kind = "dask"

    def __init__(self, settings: JobSettings, messages: Messages) -> None:
        self._held = ExitStack()
        self._limit = settings.workers
        self._mended = time.monotonic()
        try:
            self._connection = connect(settings, self._held, messages)
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
        sent: dict[Any, Task] = {}
        try:
            self._submit(waiting, sent, at_once)
            while sent:
                for future in self._ended(sent):
                    task = sent.pop(future)
                    yield task, _outcome(future, task.item)
                self._submit(waiting, sent, at_once)
        finally:
            if sent:
                self._connection.client.cancel(list(sent), force=True)

    def _ended(self, sent: dict[Any, Task]) -> list[Any]:
        """Wait a while for tasks to end; see to it that there are workers."""
        from distributed import wait

        try:
            if time.monotonic() - self._mended > _SECONDS_BETWEEN_LOOKS:
                self._connection.replace_lost_workers()
                self._mended = time.monotonic()
            ended = wait(list(sent), timeout=_SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return []
        except (CancelledError, OSError):
            raise _lost(len(sent)) from None
        return list(ended.done)

    def _submit(self, waiting: Iterator[Task], sent: dict[Any, Task], at_once: int | None) -> None:
        """Send tasks to the cluster until it has enough."""
        client = self._connection.client
        try:
            threads = max(1, sum(client.nthreads().values()))
        except OSError:
            raise _lost(len(sent)) from None
        wanted = at_once or min(threads, self._limit or threads) * _TASKS_PER_THREAD
        for _, task in zip(range(wanted - len(sent)), waiting, strict=False):
            sent[client.submit(run_task, task, pure=False)] = task

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._held.close()


def _lost(n_items: int) -> ItemsFailed:
    return ItemsFailed(
        f"the Dask scheduler was lost, with {count_of(n_items, 'item')}; --resume goes on"
    )


def _outcome(future: Any, item: str) -> Outcome | None:
    """Take a task's outcome, computed again if it died with its worker; None where all died."""
    from distributed import KilledWorker

    try:
        outcome: Outcome = future.result()
    except KilledWorker:
        return None
    except Exception as error:
        return Outcome(item, failure=Failure(f"{type(error).__name__}: {error}"))
    return outcome
