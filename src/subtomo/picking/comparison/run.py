"""The command ``subtomo pick compare``."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.atomic import replacing
from subtomo.picking.comparison.report import write_report
from subtomo.picking.comparison.scores import score_rows
from subtomo.picking.comparison.settings import CompareSettings
from subtomo.picking.evaluation import Evaluation, evaluate_classes
from subtomo.picking.pick_tables import (
    PickTables,
    not_shared,
    open_pick_tables,
    require_classes,
    voxel_size,
    write_pick_table,
)

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_PAIR_COLUMNS = (
    *("tomogram", "picks_row", "truth_row"),
    *("position_error", "angular_error", "axis_error"),
)
_WRITES = ("scores.csv", "pairs.csv", "only_in_picks.*", "only_in_truth.*", "report.html")


def run(settings: CompareSettings, job: "Job") -> Path:
    """Judge picks by others; write the numbers, the pairs, what has no partner and a report.

    Returns
    -------
    Path of ``scores.csv``
    """
    also_used = ["pixel_size"] * (settings.radius_px is not None)
    tables = open_pick_tables([settings.picks, settings.truth], settings, also_used)
    picks, truth = tables.tables
    by_path = {str(settings.picks): picks, str(settings.truth): truth}
    if settings.per_class:
        require_classes(by_path)
    apart = not_shared(by_path)
    if apart:
        raise SettingsError(apart)
    radius = settings.radius
    if radius is None:
        radius = (settings.radius_px or 0) * voxel_size(tables, settings, "--radius-px")
    found = evaluate_classes(
        picks, truth, radius=radius, symmetry=settings.symmetry, per_class=settings.per_class
    )
    rows = list(score_rows(picks, truth, found, beta=settings.beta, per_class=settings.per_class))
    paths = [settings.picks, settings.truth, *settings.tomograms]
    with job.start(tables.names, inputs=paths, writes=_WRITES):
        _warn(job, settings, tables)
        _write_csv(job.folder / "scores.csv", list(rows[0]), (row.values() for row in rows))
        _write_csv(job.folder / "pairs.csv", _PAIR_COLUMNS, _pair_rows(tables, found))
        write_pick_table(
            job.folder, "only_in_picks", picks.select(~found.is_true), tables.tomograms
        )
        write_pick_table(
            job.folder, "only_in_truth", truth.select(~found.is_found), tables.tomograms
        )
        write_report(
            job.folder / "report.html",
            picks,
            truth,
            found,
            rows,
            radius=radius,
            beta=settings.beta,
            title=f"{settings.picks} judged by {settings.truth}",
        )
        _tell(job, rows[0], settings.beta)
    return job.folder / "scores.csv"


def _pair_rows(tables: PickTables, found: Evaluation) -> Iterable[Sequence[Any]]:
    """Give tomogram, rows (from 1) and errors of each pair."""
    names = tables.tables[0].tomogram[found.pairs[:, 0]].tolist()
    rows = (found.pairs + 1).tolist()
    errors = zip(
        found.position_error.tolist(),
        found.orientation_error.tolist(),
        found.axis_error.tolist(),
        strict=True,
    )
    for name, pair, error in zip(names, rows, errors, strict=True):
        yield (name, *pair, *error)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table, floats to six figures."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(
            [f"{value:.6g}" if isinstance(value, float) else value for value in row] for row in rows
        )


def _warn(job: "Job", settings: CompareSettings, tables: PickTables) -> None:
    """Say what may not be as the user thinks."""
    paths = (settings.picks, settings.truth)
    names = [set(table.tomogram.tolist()) for table in tables.tables]
    for path, found in zip(paths, names, strict=True):
        if not found:
            job.warn(f"{path} holds no particles")
    only = sorted(names[0] - names[1])
    if names[0] & names[1] and only:
        n = int(np.isin(tables.tables[0].tomogram, only).sum())
        job.warn(
            f"{count_of(n, 'pick')} {'is' if n == 1 else 'are'} in tomograms that "
            f"{settings.truth} does not have ({only[0]} ...): counted as false"
        )


def _tell(job: "Job", row: Mapping[str, Any], beta: float) -> None:
    """Say the numbers of all picks."""
    job.log(
        f"{row['matched']} of {row['picks']} picks are true, of {row['truth']} particles: "
        f"precision {_shown(row['precision'])}, recall {_shown(row['recall'])}, "
        f"F1 {_shown(row['f1'])}, F-beta ({beta:g}) {_shown(row['f_beta'])}"
    )
    if row["matched"]:
        angles = "angles not known"
        if np.isfinite(row["angular_error_median"]):
            angles = (
                f"orientation {row['angular_error_median']:.2f}°, z axis "
                f"{row['axis_error_median']:.2f}°"
            )
        job.log(f"median errors: position {row['position_error_median']:.2f} Å, {angles}")


def _shown(value: float) -> str:
    """Write a number, or a dash for one that is not defined."""
    return f"{value:.3f}" if np.isfinite(value) else "–"
