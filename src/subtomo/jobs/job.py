"""A job: a folder, items computed once each, and what is said about them."""

import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from subtomo.counts import count_of
from subtomo.errors import DiskFullError, ItemsFailed, MissingFileError, RemoteError, SubtomoError
from subtomo.jobs.executors.choice import KeptExecutor
from subtomo.jobs.failures import Failures
from subtomo.jobs.folder import (
    LEDGER_NAME,
    LOG_NAME,
    check_output,
    check_space,
    holds_results,
    make_folder,
    remove_contents,
    remove_empty,
    remove_own_files,
    remove_partial_files,
)
from subtomo.jobs.interrupts import termination_as_interrupt
from subtomo.jobs.items import Failure, Outcome, Task, is_disk_full, make_task
from subtomo.jobs.ledger import Ledger, count_finished
from subtomo.jobs.messages import Messages
from subtomo.jobs.outputs import items_without_outputs
from subtomo.jobs.own_warnings import own_warnings_to
from subtomo.jobs.progress import show_progress
from subtomo.jobs.record import JobRecord, versions
from subtomo.jobs.settings import JobSettings
from subtomo.jobs.threads import limited_threads


class DryRun(Exception):
    """A dry run has said what would be done."""


class Job:
    """One run of a command in its output folder.

    Parameters
    ----------
    command : name of the command, written to job.json
    settings : of the command
    dry_run : say what would be done and stop at :meth:`start`
    quiet, verbose : what is shown; the log always holds everything

    Examples
    --------
    >>> def run(settings, job):  # doctest: +SKIP
    ...     tomograms = read_headers(settings)  # bad input is found here
    ...     with job.start(list(tomograms), inputs=settings.tomograms):
    ...         results = job.map("match", match_tomogram, tomograms)
    ...         write_particles(job.folder / "particles.star", results)
    """

    def __init__(
        self,
        command: str,
        settings: JobSettings,
        *,
        dry_run: bool = False,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self.command = command
        self.settings = settings
        self.folder = settings.output_dir.expanduser().absolute()
        self.dry_run = dry_run
        self.messages = Messages(quiet=quiet, verbose=verbose)
        self.stage_seconds: dict[str, float] = {}
        self._failures = Failures()
        self._has_steps = False
        self._was_empty = False
        self._is_resumed = False
        self._made_folders: list[Path] = []
        self._record: JobRecord | None = None
        self._ledger: Ledger | None = None
        self._executor = KeptExecutor()
        self._is_step = False

    def log(self, text: str) -> None:
        """Say something on the terminal and in the log."""
        self.messages.say(text)

    def warn(self, text: str) -> None:
        """Warn, once for the same words."""
        self.messages.warn(text)

    def leave_out(self, stage: str, item: str, error: SubtomoError) -> None:
        """Count an item that cannot be begun among the failed ones; before :meth:`start`.

        Parameters
        ----------
        stage : of the job
        item : its name
        error : why its input cannot be used; only a file that is not there, or does not come, may
            be there when the job is resumed
        """
        can_pass = isinstance(error, MissingFileError | RemoteError)
        self._failures.add(stage, item, Failure(str(error), kind="wrong input", can_pass=can_pass))

    def shown(self, path: Path) -> Path:
        """Give a path in the output folder as the user would: below the folder as it was given."""
        return self.settings.output_dir / path.relative_to(self.folder)

    @contextmanager
    def start(
        self,
        items: Sequence[str],
        *,
        inputs: Sequence[Path] = (),
        bytes_needed: float | None = None,
        outputs: Sequence[Path] | None = None,
    ) -> Iterator[None]:
        """Open the output folder for the block that computes and writes.

        Call it when everything has been checked: nothing is written before. What is said of the
        work before is said in a dry run too.

        Parameters
        ----------
        items : names of what will be computed, for --dry-run and for job.json
        inputs : files that are read; a resumed job refuses changed ones
        bytes_needed : about what the results will take on disk
        outputs : files that will be written, for commands whose folder may hold other things;
            only these count as being in the way

        Raises
        ------
        ItemsFailed
            At the end of the block, if an item failed.
        OutputError
            If the folder cannot be written or holds something else.
        SettingsError
            If the job to resume was started with other settings or inputs.
        DiskFullError
            If the results cannot fit, or the disk filled up.
        DryRun
            Instead of entering the block, with ``dry_run``.
        """
        previous = check_output(self.command, self.settings, outputs)
        if bytes_needed is not None:
            done = count_finished(self.folder / LEDGER_NAME) if previous else 0
            check_space(self.folder, bytes_needed * max(0.0, 1 - done / max(1, len(items))))
        if self.dry_run:
            self._say_plan(items)
            raise DryRun
        self._is_resumed = previous is not None
        self._was_empty = not self.folder.is_dir() or not any(self.folder.iterdir())
        self._made_folders = make_folder(self.folder)
        with (
            termination_as_interrupt(),
            limited_threads(self.settings.threads_per_item),
            Ledger(self.folder / LEDGER_NAME, fresh=previous is None) as self._ledger,
        ):
            try:
                self._open(previous, items, inputs)
                yield
                if self._failures:
                    raise ItemsFailed(self._failures.summary())
                self._write_end("finished")
            except BaseException as error:
                self._executor.close()
                ended_by = self._end_early(error)
                if ended_by is error:
                    raise
                raise ended_by from error
            finally:
                if not self._is_step:
                    self._executor.close()
                self._ledger = None

    def map(
        self,
        stage: str,
        function: Callable[[Any], Any],
        payloads: Mapping[str, Any],
        *,
        need_all: bool = False,
        contents: Mapping[str, str] | None = None,
        outputs: Mapping[str, Iterable[Path]] | None = None,
    ) -> dict[str, Any]:
        """Compute ``function(payload)`` for each item that is not finished yet.

        Parameters
        ----------
        stage : name of the step within the job; items of different stages may share names
        function : at module level; writes its files and returns what JSON can hold
        payloads : by item; small, such as paths and numbers
        need_all : end the job after this stage if an item failed
        contents
            Of what each item is computed, as :func:`subtomo.jobs.content.content_digest` says it;
            an item that was finished of something else is computed again.
        outputs
            Files that each item writes; an item that was finished is computed again if one of its
            files is not there any more.

        Returns
        -------
        The results of the finished items, by item, in the order of ``payloads``

        Raises
        ------
        ItemsFailed
            If every item failed, or any with ``need_all``; not resumable if the input of all was
            wrong.
        DiskFullError
            If the disk filled up.
        """
        assert self._ledger is not None, "map belongs into the block of start"
        finished = self._ledger.finished
        contents = contents or {}
        lost = items_without_outputs(outputs or {})
        for item in payloads:
            if item in lost or not self.has_finished(stage, item, contents.get(item, "")):
                finished.pop((stage, item), None)
        missing = [item for item in payloads if (stage, item) not in finished]
        threads = self.settings.threads_per_item
        tasks = (make_task(item, function, payloads[item], threads) for item in missing)
        n_failures = len(self._failures)
        if missing:
            self._compute(stage, tasks, len(payloads), len(payloads) - len(missing), contents)
        self.stage_seconds[stage] = sum(
            finished[stage, i].seconds for i in payloads if (stage, i) in finished
        )
        results = {i: finished[stage, i].result for i in payloads if (stage, i) in finished}
        n_failed = len(self._failures) - n_failures
        if n_failed and (need_all or not results):
            if results or not self._failures.all_wrong_input:
                raise ItemsFailed(self._failures.summary())
            hopeless = ItemsFailed(self._failures.hopeless())
            hopeless.resumable = False
            raise hopeless
        return results

    def has_finished(self, stage: str, item: str, content: str = "") -> bool:
        """Tell whether an item was finished, of this content."""
        assert self._ledger is not None, "has_finished belongs into the block of start"
        entry = self._ledger.finished.get((stage, item))
        return entry is not None and entry.content == content

    def step(
        self,
        name: str,
        command: str,
        run: Callable[..., Any],
        settings: JobSettings,
    ) -> Path:
        """Run another command as one step of this job, in an output folder of its own.

        A step that is finished with the same settings is not run again when this job is resumed.
        Settings should carry this job's ``resume`` and ``overwrite``.

        Parameters
        ----------
        name : of the step
        command, run, settings : of the command

        Returns
        -------
        The step's output folder

        Raises
        ------
        ItemsFailed
            If an item of the step failed; what comes after it would miss its results.
        """
        assert self._ledger is not None, "step belongs into the block of start"
        inner = Job(command, settings, quiet=self.messages.quiet, verbose=self.messages.verbose)
        if settings.resume and inner.is_finished():
            self.log(f"step {name}: finished already")
            if ("steps", name) in self._ledger.finished:
                self.stage_seconds[name] = self._ledger.finished["steps", name].seconds
            return inner.folder
        self.log(f"step {name}: subtomo {command}")
        inner._executor, inner._is_step = self._executor, True  # its workers serve all steps
        self._has_steps = True
        start = time.perf_counter()
        try:
            with own_warnings_to(inner.warn):
                run(settings, inner)
        except ItemsFailed as error:
            if not error.resumable and not self._ledger.finished:
                error.add_note(f"in step {name}")
                raise
            reason = str(error) if error.resumable else f"{error}; --resume tries again"
            self._failures.add("steps", name, Failure(reason))
            raise ItemsFailed(f"step {name}: {reason}") from None
        except SubtomoError as error:
            error.add_note(f"in step {name}")
            raise
        self.stage_seconds[name] = time.perf_counter() - start
        self._ledger.record("steps", name, None, self.stage_seconds[name])
        return inner.folder

    def is_finished(self) -> bool:
        """Tell whether the output folder holds this very job, finished.

        Raises
        ------
        OutputError, SettingsError
            If it holds another job.
        """
        record = check_output(self.command, self.settings)
        return record is not None and record["state"] == "finished"

    def _compute(
        self, stage: str, tasks: Iterator[Task], total: int, done: int, contents: Mapping[str, str]
    ) -> None:
        """Run the missing items and record each as it ends."""
        if done:
            self.messages.say(f"{stage}: {done} of {total} items are finished already")
        progress = show_progress(self.messages, stage, total, done)
        kind = self.settings.executor_for(total - done)
        outcomes = self._executor.get(kind, self.settings, self.messages).run(tasks)
        try:
            for outcome in outcomes:
                self._settle(stage, outcome, contents.get(outcome.item, ""))
                progress.advance(outcome.item, outcome.seconds)
        finally:
            progress.close()
            outcomes.close()

    def _settle(self, stage: str, outcome: Outcome, content: str) -> None:
        """Record one outcome: in the ledger, or among the failures."""
        assert self._ledger is not None
        for text in outcome.warnings:
            self.messages.warn(text)
        failure = outcome.failure
        if failure is None:
            result = json.loads(outcome.result)
            self._ledger.record(stage, outcome.item, result, outcome.seconds, content)
            self.messages.detail(f"{stage}: {outcome.item} finished in {outcome.seconds:.2f} s")
            return
        if failure.kind == "disk full":
            raise DiskFullError(f"{stage}: {outcome.item}: {failure.reason}")
        self._failures.add(stage, outcome.item, failure)
        self.messages.detail(f"{stage}: {outcome.item} failed: {failure.reason}")
        if failure.trace:
            self.messages.detail(failure.trace.rstrip())

    def _open(
        self, previous: dict[str, Any] | None, items: Sequence[str], inputs: Sequence[Path]
    ) -> None:
        """Write job.json for the first time and open the log."""
        self._record = JobRecord(
            self.folder,
            self.command,
            self.settings,
            inputs=inputs,
            n_items=len(items),
            previous=previous,
        )
        if previous is None:
            (self.folder / LOG_NAME).unlink(missing_ok=True)
        else:
            remove_partial_files(self.folder)
        self.messages.open_log(self.folder / LOG_NAME)
        how = "resumed" if previous else "started"
        self.messages.detail(f"subtomo {self.command}: {how}")
        if previous and previous["versions"] != versions():
            self.warn(f"resumed with other versions than those that {LOG_NAME} began with")

    def _say_plan(self, items: Sequence[str]) -> None:
        print(
            f"subtomo {self.command} would write to {self.settings.output_dir} and compute "
            f"{count_of(len(items), 'item')}:"
        )
        for item in items:
            print(f"  {item}")
        if self._failures:
            print(f"and leave out {count_of(len(self._failures), 'item')}:")
        for reason in self._failures.reasons():
            print(f"  {reason}")

    def _end_early(self, error: BaseException) -> BaseException:
        """Note why the block ended before its end; give the error to raise."""
        if isinstance(error, KeyboardInterrupt):
            self.log("interrupted; --resume goes on")
            self._write_end("interrupted")
            return error
        if is_disk_full(error):
            return self._end_on_full_disk(error)
        if self._is_wrong_input(error):
            return self._end_on_wrong_input(error)
        if self._failures:
            if not isinstance(error, ItemsFailed):
                self.messages.detail("".join(traceback.format_exception(error)))
            for line in self._failures.lines():
                self.messages.say(line)
            self._write_end("items failed")
            return (
                error if isinstance(error, ItemsFailed) else ItemsFailed(self._failures.summary())
            )
        if not isinstance(error, SubtomoError):
            self.messages.detail("".join(traceback.format_exception(error)))
        self._write_end("error", str(error))
        return error

    def _is_wrong_input(self, error: BaseException) -> bool:
        """Tell whether the input was so wrong that a new job finished nothing."""
        assert self._ledger is not None
        return (
            isinstance(error, SubtomoError)
            and self._failures.all_wrong_input
            and not (isinstance(error, ItemsFailed) and error.resumable)
            and not self._ledger.finished
            and not self._is_resumed
            and (self._is_all_own or not holds_results(self.folder))
        )

    @property
    def _is_all_own(self) -> bool:
        """Whether the folder holds nothing but what this job wrote; steps have theirs."""
        return self._was_empty and not self._has_steps

    def _end_on_wrong_input(self, error: BaseException) -> BaseException:
        """Leave nothing behind, as if the input had been refused before the start."""
        for line in list(self._failures.lines())[1:]:
            self.messages.say(line)
        self.messages.close_log()
        if self._is_all_own:
            remove_contents(self.folder)
        else:
            remove_own_files(self.folder)
        remove_empty(self._made_folders)
        return error

    def _end_on_full_disk(self, error: BaseException) -> DiskFullError:
        """Keep what is finished, or leave nothing behind where nothing is."""
        assert self._ledger is not None
        if isinstance(error, DiskFullError) and error.resumable:  # of a step
            self._write_end("disk full", str(error))
            return error
        full = DiskFullError(f"{self.folder}: no space left on the disk ({error})")
        full.resumable = bool(self._ledger.finished)
        if full.resumable or holds_results(self.folder):
            full.args = (f"{full}; free some space and go on with --resume",)
            self._write_end("disk full", str(error))
        else:
            full.args = (f"{full}; free some space or choose another --output-dir",)
            remove_own_files(self.folder)
            remove_empty(self._made_folders)
        return full

    def _write_end(self, state: str, error: str | None = None) -> None:
        """Write job.json for the last time."""
        assert self._ledger is not None
        self.messages.repeat_counts()
        self.messages.detail(f"subtomo {self.command}: {state}")
        if self._record is None:  # it could not even be written once
            return
        more: dict[str, Any] = {} if error is None else {"error": error}
        more |= {"failures": self._failures.rows, "warnings": dict(self.messages.warnings)}
        try:
            self._record.end(state, len(self._ledger.finished), **more)
        except OSError as failure:
            self.messages.say(f"job.json could not be brought up to date: {failure}")
