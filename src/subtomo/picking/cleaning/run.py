"""The command ``subtomo pick clean``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.model import Particles
from subtomo.picking.cleaning.items import Inputs, clean_tomogram, open_inputs
from subtomo.picking.cleaning.report import total_dropped, write_report
from subtomo.picking.cleaning.settings import CleanSettings
from subtomo.picking.cleaning.verdict import UNKNOWN, Cleaned
from subtomo.picking.pick_tables import require_classes, write_pick_table

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

DROPPED_BY = "subtomoDroppedBy"
DROP_REASON = "subtomoDropReason"
_MEASURE = "measure_"
_WRITES = ("particles.*", "dropped.*", "report.html", "tomograms")


def run(settings: CleanSettings, job: "Job") -> Path:
    """Keep some of the picks; write them, those dropped with the reason, and a report.

    Returns
    -------
    Path of ``particles.star``, or ``particles.csv`` where the tomograms are not given
    """
    inputs = open_inputs(settings)
    _require_known(settings, inputs.particles)
    paths = {
        name: job.folder / "tomograms" / f"{number:04d}.npz"
        for number, name in enumerate(inputs.names, 1)
    }
    payloads = {
        name: {"settings": settings, "tomogram": name, "path": str(path)}
        for name, path in paths.items()
    }
    read = [settings.particles, *settings.tomograms, *settings.mask, *settings.surface]
    with job.start(list(payloads), inputs=read, writes=_WRITES):
        if not payloads:
            job.warn(f"{settings.particles} holds no particles")
        outputs = {name: [path] for name, path in paths.items()}
        results = job.map("clean", clean_tomogram, payloads, outputs=outputs)
        cleaned = _joined(inputs, [paths[name] for name in results])
        is_done = np.isin(inputs.particles.tomogram, list(results))
        path = _write_tables(job, inputs, cleaned, is_done)
        write_report(
            job.folder / "report.html",
            inputs.particles.select(is_done),
            cleaned.dropped_by[is_done],
            results,
            title=f"Cleaning of {settings.particles.name}",
        )
        _warn_of_unknown(job, cleaned)
        _tell(job, path, int(is_done.sum()), total_dropped(results))
    return path


def _require_known(settings: CleanSettings, picks: Particles) -> None:
    """Refuse filters by scores or classes that no pick has."""
    if settings.per_class:
        require_classes({str(settings.particles): picks})
    if settings.best is not None and len(picks) and np.isnan(picks.score).all():
        raise SettingsError(
            f"{settings.particles}: no pick has a score, so that --best {settings.best} cannot "
            "choose; leave it out"
        )


def _joined(inputs: Inputs, paths: list[Path]) -> Cleaned:
    """Put the verdicts of the tomograms into the order of the table."""
    n = len(inputs.particles)
    dropped_by, reason = (np.full(n, "", dtype=object) for _ in range(2))
    measures: dict[str, Any] = {}
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        rows = arrays["rows"]
        dropped_by[rows], reason[rows] = arrays["dropped_by"], arrays["reason"]
        for name, values in arrays.items():
            if not name.startswith(_MEASURE):
                continue
            is_text = values.dtype.kind == "U"
            blank: Any = np.full(n, "", dtype=object) if is_text else np.full(n, np.nan)
            measures.setdefault(name.removeprefix(_MEASURE), blank)[rows] = values
    columns = {
        name: values.astype(np.str_) if values.dtype == object else values
        for name, values in measures.items()
    }
    return Cleaned(dropped_by.astype(np.str_), reason.astype(np.str_), columns)


def _write_tables(job: "Job", inputs: Inputs, cleaned: Cleaned, is_done: NDArray[np.bool_]) -> Path:
    """Write the picks that are kept, and those that are not with the reason."""
    picks = inputs.particles
    measured = picks.with_columns(extra={**picks.extra, **cleaned.measures})
    why = {DROPPED_BY: cleaned.dropped_by, DROP_REASON: cleaned.reason}
    dropped: Particles = measured.with_columns(extra={**measured.extra, **why})
    is_dropped = cleaned.dropped_by != ""
    write_pick_table(job.folder, "dropped", dropped.select(is_dropped), inputs.tomograms)
    return write_pick_table(
        job.folder, "particles", measured.select(is_done & ~is_dropped), inputs.tomograms
    )


def _warn_of_unknown(job: "Job", cleaned: Cleaned) -> None:
    """Say how many picks go because what a filter looks at is not known."""
    texts, counts = np.unique(cleaned.reason, return_counts=True)
    for text, count in zip(texts.tolist(), counts.tolist(), strict=True):
        if UNKNOWN in text:
            job.warn(f"{count_of(count, 'pick')} dropped: {text}")


def _tell(job: "Job", path: Path, n_picks: int, dropped: dict[str, int]) -> None:
    """Say the result in a line."""
    listed = ", ".join(f"{count} by {name}" for name, count in dropped.items()) or "none"
    left = n_picks - sum(dropped.values())
    job.log(f"{left} of {count_of(n_picks, 'pick')} kept (dropped: {listed}): {job.shown(path)}")
