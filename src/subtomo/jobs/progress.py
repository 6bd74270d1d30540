"""How far a stage has come: a bar on a terminal, plain lines elsewhere."""

import time
from typing import Protocol

from subtomo.jobs.messages import Messages

_SECONDS_BETWEEN_LINES = 2.0


class Progress(Protocol):
    """Told of each item that ends."""

    def advance(self, item: str, seconds: float) -> None:
        """Count one more item."""

    def close(self) -> None:
        """End the display."""


def show_progress(messages: Messages, stage: str, total: int, done: int) -> Progress:
    """Choose the display for this terminal."""
    if messages.quiet:
        return _Silence()
    if messages.console.is_terminal:
        return _Bar(messages, stage, total, done)
    return _Lines(messages, stage, total, done)


class _Silence:
    """Shows nothing."""

    def advance(self, item: str, seconds: float) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


class _Bar:
    """A bar with the time that is left."""

    def __init__(self, messages: Messages, stage: str, total: int, done: int) -> None:
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=messages.console,
        )
        self._task = self._bar.add_task(stage, total=total, completed=done)
        self._bar.start()

    def advance(self, item: str, seconds: float) -> None:
        """Move the bar."""
        self._bar.advance(self._task)

    def close(self) -> None:
        """Leave the bar as it is and go on below it."""
        self._bar.stop()


class _Lines:
    """A line an item, but not more than one in two seconds; always the last."""

    def __init__(self, messages: Messages, stage: str, total: int, done: int) -> None:
        self._messages, self._stage = messages, stage
        self._total, self._done = total, done
        self._last = float("-inf")

    def advance(self, item: str, seconds: float) -> None:
        """Print where the stage is."""
        self._done += 1
        now = time.monotonic()
        if self._done < self._total and now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        line = f"{self._stage}: {self._done}/{self._total} ({item}, {seconds:.1f} s)"
        self._messages.console.print(line, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Nothing is left open."""
