"""The command ``subtomo import particles``."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.formats.atomic import replacing
from subtomo.formats.particles import write_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import matrices_from_quaternions, quaternions_from_matrices
from subtomo.model import Particles
from subtomo.picking.import_particles.reading import Picks, read_picks
from subtomo.picking.import_particles.settings import ImportParticlesSettings
from subtomo.sources.particle_placement import is_inside
from subtomo.sources.placement_choice import Fit, PicksOfTomogram, best_fits, better_fit
from subtomo.sources.placement_evidence import DensityContrast

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_WRITES = ("particles.star", "placements.csv")
_MOST_LISTED = 20
_MOST_LOOKED_AT = 4  # tomograms, whose density is read
_COLUMNS = ("options", "picks_inside", "picks", "density_evidence")


def run(settings: ImportParticlesSettings, job: "Job") -> Path:
    """Bring in picks that other programs made, and say how well they fit their tomograms.

    Returns
    -------
    Path of ``particles.star``; beside it ``placements.csv`` compares other choices
    """
    picks = read_picks(settings)
    fits = best_fits(picks.placement, _of_tomograms(picks, settings), picks.pixel_size)
    placed, inside = _placed(picks)
    if settings.box_size is not None:
        placed = placed.with_columns(box_size=np.full(len(placed), settings.box_size))
    inputs = [*settings.particles, *settings.tomograms]
    with job.start(list(picks.tomograms), inputs=inputs, writes=_WRITES):
        _tell(job, picks, inside)
        _tell_better(job, fits, len(placed))
        if picks.placement.changes_hand and placed.is_oriented.any():
            job.warn(
                "the hand changes: orientations are now those of the reference mirrored through "
                "the plane of its x and z axes"
            )
        table = job.folder / "particles.star"
        kept = placed.select(inside) if settings.drop_outside else placed
        write_particles(table, kept, context=TableContext.of(picks.tomograms.values()))
        _write_fits(job.folder / "placements.csv", fits, len(placed))
        job.log(f"{count_of(len(kept), 'pick')}: {job.shown(table)}")
    return table


def _of_tomograms(picks: Picks, settings: ImportParticlesSettings) -> dict[str, PicksOfTomogram]:
    """Gather what placements are judged by."""
    found: dict[str, PicksOfTomogram] = {}
    for name, tomogram in picks.tomograms.items():
        size = tomogram.volume.grid.size_px
        assert size is not None  # of a volume
        is_looked_at = settings.density and len(found) < _MOST_LOOKED_AT
        density = DensityContrast.of(tomogram.volume) if is_looked_at else None
        rows = picks.particles.tomogram == name
        found[name] = PicksOfTomogram(picks.coordinates[rows], size, density)
    return found


def _placed(picks: Picks) -> tuple[Particles, NDArray[np.bool_]]:
    """Place the picks; tell which are in their volumes."""
    particles, placement = picks.particles, picks.placement
    position = np.empty((len(particles), 3))
    inside = np.zeros(len(particles), dtype=bool)
    for name, tomogram in picks.tomograms.items():
        rows = particles.tomogram == name
        grid = tomogram.volume.grid
        assert grid.size_px is not None  # of a volume
        indices = placement.indices(picks.coordinates[rows], grid.size_px)
        position[rows] = grid.positions(indices)
        inside[rows] = is_inside(indices, grid.size_px)
    turned = placement.rotations(matrices_from_quaternions(particles.orientation))
    placed = particles.with_columns(
        position=position,
        orientation=quaternions_from_matrices(turned),
        is_oriented=particles.is_oriented,
    )
    return placed, inside


def _tell(job: "Job", picks: Picks, inside: NDArray[np.bool_]) -> None:
    """Say how many picks are in their volumes."""
    if not len(inside):
        job.warn("the tables hold no picks")
        return
    for name in picks.tomograms:
        rows = picks.particles.tomogram == name
        n, total = int(inside[rows].sum()), int(rows.sum())
        text = f"{name}: {n} of {count_of(total, 'pick')} in its volume"
        (job.log if n == total else job.warn)(text)
    if len(picks.tomograms) > 1:
        job.log(f"all: {int(inside.sum())} of {len(inside)} picks in their volumes")


def _tell_better(job: "Job", fits: Sequence[Fit], total: int) -> None:
    """Say which choice would fit better, if one does."""
    better = better_fit(fits, total)
    given = fits[0]
    if better is None:
        if total:
            job.log("no other choice of scale, origin, flips and y-z exchange fits clearly better")
        return
    text = (
        f"{better.placement.words()} would fit better than {given.placement.words()}: "
        f"{better.n_inside} of {total} picks inside rather than {given.n_inside}"
    )
    if better.evidence or given.evidence:
        text += (
            f", and density that stands out by {better.evidence:.0f} rather than "
            f"{given.evidence:.0f} (chance: about 3 a tomogram)"
        )
    job.warn(f"{text}; look at placements.csv, then import again")


def _write_fits(path: Path, fits: Sequence[Fit], total: int) -> None:
    """Write the choices that were compared, the given one first."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for fit in fits[:_MOST_LISTED]:
            writer.writerow((fit.placement.words(), fit.n_inside, total, f"{fit.evidence:.6g}"))
