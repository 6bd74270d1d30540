"""Items in worker processes that are started afresh (spawn) and replaced when they die."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from subtomo.errors import SettingsError
from subtomo.jobs.items import Failure, Outcome, Task, run_task
from subtomo.jobs.threads import limited_threads

MAX_TRIES = 3
_SECONDS_TO_LEAVE = 5.0


@dataclass
class _Worker:
    """A process, the pipe to it and the task it holds."""

    process: SpawnProcess
    pipe: Connection
    task: Task | None = None
    is_ready: bool = False


class ProcessesExecutor:
    """Compute items in worker processes, one item at a time in each.

    A worker that dies (killed, out of memory) is replaced and its item tried again, up to
    ``MAX_TRIES`` times in all.

    Parameters
    ----------
    n_workers : processes at most
    """

    kind = "processes"

    def __init__(self, n_workers: int) -> None:
        self._n_workers = n_workers
        self._workers: list[_Worker] = []

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Yield outcomes as they come; a worker gets a task only when it is free."""
        queue = _Queue(iter(tasks))
        while True:
            self._hand_out(queue)
            busy = [worker for worker in self._workers if worker.task is not None]
            if not busy:
                return
            for pipe in wait([worker.pipe for worker in busy]):
                worker = next(each for each in busy if each.pipe is pipe)
                outcome = self._receive(worker, queue)
                if outcome is not None:
                    yield outcome

    def close(self) -> None:
        """End all workers: the idle ones are asked, the busy ones are killed."""
        for worker in self._workers:
            if worker.task is None and worker.is_ready:
                worker.pipe.close()
            else:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(_SECONDS_TO_LEAVE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers = []

    def _hand_out(self, queue: "_Queue") -> None:
        """Give every free worker a task, starting workers while there are tasks for them."""
        while (worker := self._free_worker()) is not None or len(self._workers) < self._n_workers:
            task = queue.next()
            if task is None:
                return
            if worker is None:
                worker = _start_worker(task.threads)
                self._workers.append(worker)
            worker.task = task
            try:
                worker.pipe.send(task)
            except OSError:  # it died while idle: found when its pipe is read
                continue

    def _free_worker(self) -> _Worker | None:
        return next((worker for worker in self._workers if worker.task is None), None)

    def _receive(self, worker: _Worker, queue: "_Queue") -> Outcome | None:
        """Take what a worker says: that it is ready, an outcome, or nothing because it died."""
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            return self._replace(worker, queue)
        worker.is_ready = True
        if not isinstance(said, Outcome):
            return None
        worker.task = None
        return said

    def _replace(self, worker: _Worker, queue: "_Queue") -> Outcome | None:
        """Forget a dead worker; its task goes back to the queue, or fails at last."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        task = worker.task
        assert task is not None
        exit_code = worker.process.exitcode
        if not worker.is_ready and exit_code is not None and exit_code > 0:
            raise SettingsError(
                f"--executor processes: a worker process could not start (status {exit_code}); "
                "a script needs its calls under 'if __name__ == \"__main__\":', or executor inline"
            )
        if queue.put_back(task) < MAX_TRIES:
            return None
        failure = Failure(f"its worker process {_how_it_died(exit_code)}, {MAX_TRIES} times")
        queue.drop(task)
        return Outcome(task.item, failure=failure)


class _Queue:
    """Tasks that wait: first those that were put back."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self._tasks = tasks
        self._back: deque[Task] = deque()
        self._tries: dict[str, int] = {}

    def next(self) -> Task | None:
        """Take the next task; None when all are taken."""
        return self._back.popleft() if self._back else next(self._tasks, None)

    def put_back(self, task: Task) -> int:
        """Let a task wait again; say how often it was tried."""
        self._tries[task.item] = self._tries.get(task.item, 0) + 1
        self._back.append(task)
        return self._tries[task.item]

    def drop(self, task: Task) -> None:
        """Give a task up."""
        self._back.remove(task)


def _how_it_died(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"was ended by {name}{hint}"
    return f"ended with status {exit_code}"


def _start_worker(threads: int) -> _Worker:
    """Start a process; its libraries read the number of threads when they are loaded."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, threads), daemon=True)
    with limited_threads(threads):
        process.start()
    theirs.close()
    return _Worker(process, ours)


def _work(pipe: Connection, threads: int) -> None:
    """Compute tasks until the pipe closes; end with the parent, whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with limited_threads(threads):
        pipe.send("ready")
        while True:
            try:
                task = pipe.recv()
            except EOFError:
                return
            pipe.send(run_task(task))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
