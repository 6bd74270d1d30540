"""The items of a job that failed, and how to put that in a line."""

from collections.abc import Iterator

from subtomo.counts import count_of
from subtomo.jobs.items import Failure


class Failures:
    """What failed so far, in order.

    Attributes
    ----------
    rows : stage, item and reason of each, for job.json
    all_wrong_input : nothing failed by the program or a worker's death
    any_can_pass : trying again may help
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.all_wrong_input = True
        self.any_can_pass = False

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, stage: str, item: str, failure: Failure) -> None:
        """Note that an item failed."""
        self.rows.append({"stage": stage, "item": item, "reason": failure.reason})
        self.all_wrong_input &= failure.kind == "wrong input"
        self.any_can_pass |= failure.can_pass

    def lines(self) -> Iterator[str]:
        """Say each in a line."""
        for row in self.rows:
            yield "failed: {stage}: {item}: {reason}".format_map(row)

    def summary(self) -> str:
        """Put all in one line."""
        failed = f"{count_of(len(self), 'item')} failed"
        others = f" (and {len(self) - 1} more, see job.json)" if len(self) > 1 else ""
        advice = "--resume tries again" if self.any_can_pass else "changed options need --overwrite"
        return f"{failed}: {self.reasons()[0]}{others}; {advice}"

    def hopeless(self) -> str:
        """Say why a whole stage failed by its input, which --resume would not change."""
        others = f" (and {len(self) - 1} more like it)" if len(self) > 1 else ""
        return f"{self.reasons()[0]}{others}"

    def reasons(self) -> list[str]:
        """Say why each item failed, with its name; many reasons begin with it."""
        pairs = ((row["item"], row["reason"]) for row in self.rows)
        return [why if why.startswith(f"{item}: ") else f"{item}: {why}" for item, why in pairs]
