"""A job: a folder, items computed once each, and what is said about them."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from subtomo.counts import count_of
from subtomo.errors import (
    DataError,
    ItemsFailed,
    MissingFileError,
    RemoteError,
    SubtomoError,
)
from subtomo.jobs.executors.choice import KeptExecutor
from subtomo.jobs.failures import Failures
from subtomo.jobs.folder import LEDGER_NAME, check_output, check_space, make_folder
from subtomo.jobs.interrupts import Interrupts, interrupts
from subtomo.jobs.items import Failure, make_task
from subtomo.jobs.kept_inputs import require_inputs_kept
from subtomo.jobs.ledger import Ledger, count_finished, read_results
from subtomo.jobs.messages import Messages
from subtomo.jobs.names import unwritable
from subtomo.jobs.open_folder import OpenFolder
from subtomo.jobs.own_warnings import own_warnings_to
from subtomo.jobs.record import held_command
from subtomo.jobs.settings import JobSettings
from subtomo.jobs.stage import Stage
from subtomo.jobs.threads import limited_threads, require_threads


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
        self._open: OpenFolder | None = None
        self._interrupts = Interrupts()
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
        writes: Sequence[str] | None = None,
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
        writes
            What is written, by name or pattern relative to the folder, a folder for all that is in
            it: no input may be there. When not given, no input may be in the folder at all.

        Raises
        ------
        ItemsFailed
            At the end of the block, if an item failed.
        OutputError
            If the folder cannot be written, holds something else, or an input would be replaced.
        SettingsError
            If the job to resume was started with other settings or inputs, or there are fewer cores
            than threads asked for.
        DataError
            If the name of an item or input is one that no table or log can hold.
        DiskFullError
            If the results cannot fit, or the disk filled up.
        DryRun
            Instead of entering the block, with ``dry_run``.
        """
        self._check_names(items, inputs)
        if self.settings.executor_for(len(items)) != "dask":
            require_threads(self.settings.threads_per_item)
        previous = check_output(self.command, self.settings, outputs)
        if previous is None:
            require_inputs_kept(self.settings, inputs, writes)
        if bytes_needed is not None:
            done = count_finished(self.folder / LEDGER_NAME) if previous else 0
            check_space(self.folder, bytes_needed * max(0.0, 1 - done / max(1, len(items))))
        if self.dry_run:
            self._say_plan(items)
            raise DryRun
        was_empty = not self.folder.is_dir() or not any(self.folder.iterdir())
        made_folders = make_folder(self.folder)
        with (
            interrupts() as self._interrupts,
            limited_threads(self.settings.threads_per_item),
            Ledger(self.folder / LEDGER_NAME, fresh=previous is None) as ledger,
        ):
            self._open = OpenFolder(
                self.command,
                self.folder,
                ledger,
                self._failures,
                self.messages,
                was_empty=was_empty,
                made_folders=made_folders,
                previous=previous,
            )
            try:
                self._open.begin(self.settings, items, inputs)
                yield
                if self._failures:
                    raise ItemsFailed(self._failures.summary())
                self._open.end("finished")
            except BaseException as error:
                self._executor.close()
                ended_by = self._open.end_early(error)
                if ended_by is error:
                    raise
                raise ended_by from error
            finally:
                if not self._is_step:
                    self._executor.close()
                self._open = None

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
        assert self._open is not None, "map belongs into the block of start"
        ledger = self._open.ledger
        each = Stage(stage, ledger, self._failures, self.messages, self._interrupts, contents or {})
        missing = each.missing(payloads, outputs or {})
        n_failures = len(self._failures)
        if missing:
            threads = self.settings.threads_per_item
            tasks = (make_task(item, function, payloads[item], threads) for item in missing)
            kind = self.settings.executor_for(len(missing))
            outcomes = self._executor.get(kind, self.settings, self.messages).run(tasks)
            each.settle_all(outcomes, total=len(payloads), done=len(payloads) - len(missing))
        finished = each.finished(payloads)
        self.stage_seconds[stage] = sum(entry.seconds for entry in finished.values())
        n_failed = len(self._failures) - n_failures
        if n_failed and (need_all or not finished):
            if finished or not self._failures.all_wrong_input:
                raise ItemsFailed(self._failures.summary())
            hopeless = ItemsFailed(self._failures.hopeless())
            hopeless.resumable = False
            raise hopeless
        return {item: entry.result for item, entry in finished.items()}

    def earlier_results(self, stage: str) -> list[dict[str, Any]]:
        """Give what the finished items of a stage returned in the job that the folder holds.

        Call it before :meth:`start`. A ledger that is damaged or of another kind of stage holds
        none.
        """
        path = self.folder / LEDGER_NAME
        return read_results(path, stage) if path.is_file() else []

    def starts_again(self) -> bool:
        """Tell whether the folder holds a job of this command, which will be started afresh.

        Call it before :meth:`start`. What such a job left may be removed, nothing else.
        """
        return not self.settings.resume and held_command(self.folder) == self.command

    def has_finished(self, stage: str, item: str, content: str = "") -> bool:
        """Tell whether an item was finished, of this content."""
        assert self._open is not None, "has_finished belongs into the block of start"
        entry = self._open.ledger.finished.get((stage, item))
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
        assert self._open is not None, "step belongs into the block of start"
        ledger = self._open.ledger
        inner = Job(command, settings, quiet=self.messages.quiet, verbose=self.messages.verbose)
        if settings.resume and inner.is_finished():
            self.log(f"step {name}: finished already")
            if ("steps", name) in ledger.finished:
                self.stage_seconds[name] = ledger.finished["steps", name].seconds
            return inner.folder
        self.log(f"step {name}: subtomo {command}")
        inner._executor, inner._is_step = self._executor, True  # its workers serve all steps
        self._open.has_steps = True
        start = time.perf_counter()
        try:
            with own_warnings_to(inner.warn):
                run(settings, inner)
        except ItemsFailed as error:
            if not error.resumable and not ledger.finished:
                error.add_note(f"in step {name}")
                raise
            reason = str(error) if error.resumable else f"{error}; --resume tries again"
            self._failures.add("steps", name, Failure(reason))
            raise ItemsFailed(f"step {name}: {reason}") from None
        except SubtomoError as error:
            error.add_note(f"in step {name}")
            raise
        self.stage_seconds[name] = time.perf_counter() - start
        ledger.record("steps", name, None, self.stage_seconds[name])
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

    def _check_names(self, items: Sequence[str], inputs: Sequence[Path]) -> None:
        """Refuse names that job.json and the log could not hold."""
        wrong = unwritable([*inputs, *items])
        if wrong is not None:
            raise DataError(wrong)

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
