"""What a job says on the terminal and in log.txt."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.jobs.record import now

if TYPE_CHECKING:
    from rich.console import Console


class Messages:
    """Lines for the terminal (stderr) and for the log, warnings once with their counts.

    Lines said before the log exists are kept and written when it does.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.warnings: Counter[str] = Counter()
        self._log: Path | None = None
        self._waiting: list[str] = []
        self._console: Console | None = None

    @property
    def console(self) -> "Console":
        """The terminal; the same object for lines and progress, so that they do not mix."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=sys.stderr, highlight=False)
        return self._console

    def open_log(self, path: Path) -> None:
        """Begin to write the log."""
        self._log = path
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self._append(line)

    def close_log(self) -> None:
        """Write no more to the log: its folder goes."""
        self._log = None

    def say(self, text: str) -> None:
        """Say something that a user wants to know."""
        self._write(text)
        if not self.quiet:
            self._show(text)

    def detail(self, text: str) -> None:
        """Say something for the log, and for the terminal with --verbose."""
        self._write(text)
        if self.verbose:
            self._show(text, style="dim")

    def warn(self, text: str) -> None:
        """Warn once; the same words again only count."""
        self.warnings[text] += 1
        if self.warnings[text] == 1:
            self._write(f"warning: {text}")
            self._show(f"warning: {text}", style="yellow")

    def repeat_counts(self) -> None:
        """Say how often a warning that was shown once has come."""
        for text, count in self.warnings.items():
            if count > 1:
                self._write(f"warning ({count} times): {text}")
                self._show(f"warning ({count} times): {text}", style="yellow")

    def _show(self, text: str, style: str | None = None) -> None:
        self.console.print(text, style=style, markup=False, soft_wrap=True)

    def _write(self, text: str) -> None:
        line = f"{now()} {text}"
        if self._log is None:
            self._waiting.append(line)
        else:
            self._append(line)

    def _append(self, line: str) -> None:
        """Append to the log; a disk that is full must not hide what is said on the terminal."""
        assert self._log is not None
        try:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
        except OSError:
            return
