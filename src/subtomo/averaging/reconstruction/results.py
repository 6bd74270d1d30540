"""The files that a reconstruction writes."""

from collections.abc import Iterable
from pathlib import Path

from subtomo.averaging.reconstruction.maps import MERGED
from subtomo.jobs.record import held_command

POSTPROCESSED = (
    *("mask.mrc", "postprocess.mrc", "postprocess_masked.mrc", "locres.mrc"),
    *("locres_filtered.mrc", "fsc.csv", "guinier.csv"),
)
"""What is written where there is a resolution."""
REPORT = "report.html"


def map_files(halves: Iterable[int], *, cropped: bool, kept: bool) -> list[str]:
    """Name the volumes that are made of the sums, as RELION does.

    Parameters
    ----------
    halves : 1 and 2, or 0 alone
    cropped : whether maps are cropped, and written before that too
    kept : whether what the maps are made of is written
    """
    kinds = ["{}.mrc"] + ["{}_full.mrc"] * cropped + ["data_{}.mrc", "weight_{}.mrc"] * kept
    maps = [*(f"half{half}" for half in halves if half), MERGED]
    return [kind.format(name) for kind in kinds for name in maps]


RESULTS = (*map_files((1, 2), cropped=True, kept=True), *POSTPROCESSED, REPORT)
"""All that a reconstruction may write."""


def earlier_results(folder: Path) -> list[Path]:
    """List what an earlier reconstruction wrote to a folder; nothing where none ran there."""
    if not held_command(folder).startswith("reconstruct "):
        return []
    return [folder / name for name in RESULTS]


def remove_files(paths: Iterable[Path]) -> None:
    """Remove those files that are there."""
    for path in paths:
        path.unlink(missing_ok=True)
