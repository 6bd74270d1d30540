"""Items one after the other in this process."""

from collections.abc import Generator, Iterable

from subtomo.jobs.items import Outcome, Task, run_task


class InlineExecutor:
    """Compute items here, in order."""

    kind = "inline"

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Yield the outcome of each task."""
        for task in tasks:
            yield run_task(task)

    def close(self) -> None:
        """Nothing is held."""
