"""One stage of a job: which items it lacks, and what becomes of them."""

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtomo.errors import DiskFullError
from subtomo.jobs.failures import Failures
from subtomo.jobs.interrupts import Interrupts
from subtomo.jobs.items import Outcome
from subtomo.jobs.ledger import Ledger, LedgerEntry
from subtomo.jobs.messages import Messages
from subtomo.jobs.outputs import items_without_outputs
from subtomo.jobs.progress import show_progress


@dataclass(frozen=True)
class Stage:
    """A stage, with what its items are noted in.

    Parameters
    ----------
    name : items of different stages may share names
    ledger, failures, messages, interrupts : of the job
    contents : of what items are computed, see :func:`subtomo.jobs.content.content_digest`
    """

    name: str
    ledger: Ledger
    failures: Failures
    messages: Messages
    interrupts: Interrupts
    contents: Mapping[str, str]

    def missing(self, items: Iterable[str], outputs: Mapping[str, Iterable[Path]]) -> list[str]:
        """Forget items that are of something else, or whose files are gone; list what to do."""
        lost = items_without_outputs(outputs)
        missing = []
        for item in items:
            entry = self.ledger.finished.get((self.name, item))
            if entry is None or entry.content != self.contents.get(item, "") or item in lost:
                self.ledger.finished.pop((self.name, item), None)
                missing.append(item)
        return missing

    def settle_all(
        self, outcomes: Generator[Outcome, None, None], *, total: int, done: int
    ) -> None:
        """Record each item as it ends, and show how far it is."""
        if done:
            self.messages.say(f"{self.name}: {done} of {total} items are finished already")
        progress = show_progress(self.messages, self.name, total, done)
        try:
            for outcome in outcomes:
                self._settle(outcome)
                progress.advance(outcome.item, outcome.seconds)
                self.interrupts.check()
        finally:
            progress.close()
            outcomes.close()

    def finished(self, items: Iterable[str]) -> dict[str, LedgerEntry]:
        """Give what the ledger holds of items, in their order."""
        found = self.ledger.finished
        return {item: found[self.name, item] for item in items if (self.name, item) in found}

    def _settle(self, outcome: Outcome) -> None:
        """Record one outcome: in the ledger, or among the failures."""
        item, failure = outcome.item, outcome.failure
        for text in outcome.warnings:
            self.messages.warn(text)
        if failure is None:
            result: Any = json.loads(outcome.result)
            content = self.contents.get(item, "")
            self.ledger.record(self.name, item, result, outcome.seconds, content)
            self.messages.detail(f"{self.name}: {item} finished in {outcome.seconds:.2f} s")
            return
        if failure.kind == "disk full":
            raise DiskFullError(f"{self.name}: {item}: {failure.reason}")
        self.failures.add(self.name, item, failure)
        self.messages.detail(f"{self.name}: {item} failed: {failure.reason}")
        if failure.trace:
            self.messages.detail(failure.trace.rstrip())
