"""The command ``subtomo pick consensus``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.given_once import require_given_once
from subtomo.model import Particles
from subtomo.picking.consensus.consensus import Consensus, find_consensus
from subtomo.picking.consensus.pickers import (
    by_source,
    names_of_files,
    require_writable,
)
from subtomo.picking.consensus.report import write_report
from subtomo.picking.consensus.settings import ConsensusSettings
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

_WRITES = ("particles.*", "members.*", "report.html")


def run(settings: ConsensusSettings, job: "Job") -> Path:
    """Find what several pickers agree on; write particles, their members and a report.

    Returns
    -------
    Path of ``particles.star``, or ``particles.csv`` where the tomograms are not given
    """
    tables = open_pick_tables(
        settings.sets, settings, ["pixel_size"] * (settings.radius_px is not None)
    )
    sets = _named_sets(settings, tables)
    require_writable(list(sets))
    if settings.per_class:
        require_classes(sets)
    apart = not_shared(sets)
    if apart and settings.consensus != 1:
        raise SettingsError(apart)
    radius = settings.radius
    if radius is None:
        radius = (settings.radius_px or 0) * voxel_size(tables, settings, "--radius-px")
    found = find_consensus(
        sets,
        radius=radius,
        votes=settings.consensus,
        exactly=settings.is_exact,
        per_class=settings.per_class,
        weights=settings.weight,
        symmetry=settings.symmetry,
        compatible=settings.compatible,
    )
    inputs = [*settings.sets, *settings.tomograms]
    with job.start(tables.names, inputs=inputs, writes=_WRITES):
        _warn(job, sets)
        if apart:
            job.warn(apart)
        path = write_pick_table(job.folder, "particles", found.particles, tables.tomograms)
        write_pick_table(job.folder, "members", found.members, tables.tomograms)
        write_report(
            job.folder / "report.html",
            sets,
            found,
            radius=radius,
            per_class=settings.per_class,
            rule=_rule(settings, len(sets)),
        )
        _tell(job, found, path)
    return path


def _named_sets(settings: ConsensusSettings, tables: PickTables) -> dict[str, Particles]:
    """Give the picks of each picker by its name."""
    if settings.by_source:
        return by_source(tables.tables, settings.sets)
    if not settings.compatible:
        require_given_once(
            settings.sets,
            "a table for each picker (--compatible joins a table with itself, as Scipion does)",
        )
    names = settings.name or names_of_files(settings.sets)
    return dict(zip(names, tables.tables, strict=True))


def _rule(settings: ConsensusSettings, n_pickers: int) -> str:
    """Say in words which particles are kept."""
    needed = n_pickers if settings.consensus < 0 else settings.consensus
    how = "exactly" if settings.is_exact else "at least"
    return f"{how} {count_of(needed, 'vote')} of {count_of(n_pickers, 'picker')}"


def _warn(job: "Job", sets: Mapping[str, Particles]) -> None:
    """Say what may not be as the user thinks."""
    for name, table in sets.items():
        if not len(table):
            job.warn(f"{name} has no picks")


def _tell(job: "Job", found: Consensus, path: Path) -> None:
    """Say the result in a line."""
    n_groups = int(found.group.max(initial=-1)) + 1
    job.log(
        f"{count_of(len(found.members), 'pick')} of {count_of(len(found.names), 'picker')} make "
        f"{count_of(n_groups, 'group')}; {count_of(len(found.particles), 'particle')} kept: "
        f"{job.shown(path)}"
    )
