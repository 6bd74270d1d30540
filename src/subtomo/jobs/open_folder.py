"""The output folder of a job that runs: opened, and left as the job's end asks for."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from subtomo.errors import DiskFullError, ItemsFailed, SubtomoError
from subtomo.jobs.failures import Failures
from subtomo.jobs.folder import (
    LOG_NAME,
    holds_results,
    remove_contents,
    remove_empty,
    remove_own_files,
    remove_partial_files,
)
from subtomo.jobs.items import is_disk_full
from subtomo.jobs.ledger import Ledger
from subtomo.jobs.messages import Messages
from subtomo.jobs.record import JobRecord, versions
from subtomo.jobs.settings import JobSettings


@dataclass
class OpenFolder:
    """What a job that runs writes its own files with, and what it must leave behind.

    Parameters
    ----------
    command : name of the command
    folder : where the results go
    ledger, failures, messages : of the job
    was_empty : the folder held nothing before
    made_folders : that were not there before, innermost first
    previous : record of the job that is resumed
    has_steps : other jobs have their folders in it
    """

    command: str
    folder: Path
    ledger: Ledger
    failures: Failures
    messages: Messages
    was_empty: bool
    made_folders: Sequence[Path]
    previous: Mapping[str, Any] | None
    has_steps: bool = False
    _record: JobRecord | None = field(default=None, init=False)

    def begin(self, settings: JobSettings, items: Sequence[str], inputs: Sequence[Path]) -> None:
        """Write job.json for the first time and open the log."""
        self._record = JobRecord(
            self.folder,
            self.command,
            settings,
            inputs=inputs,
            n_items=len(items),
            previous=self.previous,
        )
        if self.previous is None:
            (self.folder / LOG_NAME).unlink(missing_ok=True)
        else:
            remove_partial_files(self.folder)
        self.messages.open_log(self.folder / LOG_NAME)
        how = "resumed" if self.previous else "started"
        self.messages.detail(f"subtomo {self.command}: {how}")
        if self.previous and self.previous["versions"] != versions():
            self.messages.warn(f"resumed with other versions than those that {LOG_NAME} began with")

    def end(self, state: str, error: str | None = None) -> None:
        """Write job.json for the last time."""
        self.messages.repeat_counts()
        self.messages.detail(f"subtomo {self.command}: {state}")
        if self._record is None:  # it could not even be written once
            return
        more: dict[str, Any] = {} if error is None else {"error": error}
        more |= {"failures": self.failures.rows, "warnings": dict(self.messages.warnings)}
        try:
            self._record.end(state, len(self.ledger.finished), **more)
        except OSError as failure:
            self.messages.say(f"job.json could not be brought up to date: {failure}")

    def end_early(self, error: BaseException) -> BaseException:
        """Note why the job ended before its end; give the error to raise."""
        if isinstance(error, KeyboardInterrupt):
            self.messages.say("interrupted; --resume goes on")
            self.end("interrupted")
            return error
        if is_disk_full(error):
            return self._end_on_full_disk(error)
        if self._is_wrong_input(error):
            return self._end_on_wrong_input(error)
        if self.failures:
            if not isinstance(error, ItemsFailed):
                self.messages.detail("".join(traceback.format_exception(error)))
            for line in self.failures.lines():
                self.messages.say(line)
            self.end("items failed")
            return error if isinstance(error, ItemsFailed) else ItemsFailed(self.failures.summary())
        if not isinstance(error, SubtomoError):
            self.messages.detail("".join(traceback.format_exception(error)))
        self.end("error", str(error))
        return error

    def _is_wrong_input(self, error: BaseException) -> bool:
        """Tell whether the input was so wrong that a new job finished nothing."""
        return (
            isinstance(error, SubtomoError)
            and self.failures.all_wrong_input
            and not (isinstance(error, ItemsFailed) and error.resumable)
            and not self.ledger.finished
            and self.previous is None
            and (self._is_all_own or not holds_results(self.folder))
        )

    @property
    def _is_all_own(self) -> bool:
        """Whether the folder holds nothing but what this job wrote; steps have theirs."""
        return self.was_empty and not self.has_steps

    def _end_on_wrong_input(self, error: BaseException) -> BaseException:
        """Leave nothing behind, as if the input had been refused before the start."""
        for line in list(self.failures.lines())[1:]:
            self.messages.say(line)
        self.messages.close_log()
        if self._is_all_own:
            remove_contents(self.folder)
        else:
            remove_own_files(self.folder)
        remove_empty(self.made_folders)
        return error

    def _end_on_full_disk(self, error: BaseException) -> DiskFullError:
        """Keep what is there, or leave nothing behind where nothing is."""
        if isinstance(error, DiskFullError) and error.resumable:  # of a step
            self.end("disk full", str(error))
            return error
        full = DiskFullError(f"{self.folder}: no space left on the disk ({error})")
        full.resumable = bool(self.ledger.finished) or holds_results(self.folder)
        if full.resumable:
            full.args = (f"{full}; free some space and go on with --resume",)
            self.end("disk full", str(error))
        else:
            full.args = (f"{full}; free some space or choose another --output-dir",)
            remove_own_files(self.folder)
            remove_empty(self.made_folders)
        return full
