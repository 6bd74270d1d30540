"""The items of a job that failed, and how to put that in a line."""

from collections.abc import Iterator

from subtomo.jobs.items import Failure


class Failures:
    """What failed so far, in order.

    Attributes
    ----------
    rows : stage, item and reason of each, for job.json
    all_wrong_input : nothing failed by the program or a worker's death
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.all_wrong_input = True

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, stage: str, item: str, failure: Failure) -> None:
        """Note that an item failed."""
        self.rows.append({"stage": stage, "item": item, "reason": failure.reason})
        self.all_wrong_input &= failure.kind == "wrong input"

    def lines(self) -> Iterator[str]:
        """Say each in a line."""
        for row in self.rows:
            yield "failed: {stage}: {item}: {reason}".format_map(row)

    def summary(self) -> str:
        """Put all in one line."""
        failed = "1 item failed" if len(self) == 1 else f"{len(self)} items failed"
        others = f" (and {len(self) - 1} more, see job.json)" if len(self) > 1 else ""
        return f"{failed}: {self._first()}{others}; --resume tries again"

    def hopeless(self) -> str:
        """Say why a whole stage failed by its input, which --resume would not change."""
        others = f" (and {len(self) - 1} more like it)" if len(self) > 1 else ""
        return f"{self._first()}{others}"

    def _first(self) -> str:
        """Say which item failed first and why; many reasons begin with its name."""
        item, reason = self.rows[0]["item"], self.rows[0]["reason"]
        return reason if reason.startswith(f"{item}: ") else f"{item}: {reason}"
