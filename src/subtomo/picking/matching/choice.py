"""Which peaks of a tomogram's searches become picks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.model import Particles
from subtomo.picking.matching.inputs import Search
from subtomo.picking.matching.items import TOPHAT, column, peaks_path, score_path
from subtomo.picking.matching.peak_volume import peak_volumes
from subtomo.picking.matching.selection import Threshold, compete

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def choose_picks(
    job: "Job",
    searches: list[Search],
    statistics: Mapping[str, Mapping[str, float]],
    thresholds: Mapping[str, Threshold],
) -> Particles:
    """Let templates compete and apply the thresholds, tomogram by tomogram.

    Parameters
    ----------
    job : whose folder holds the score maps and tables of peaks
    searches : in the order of their picks
    statistics : of each search, by its stem
    thresholds : likewise
    """
    picks = []
    for tomogram in dict.fromkeys(search.tomogram.name for search in searches):
        rivals = [search for search in searches if search.tomogram.name == tomogram]
        if any(search.stem not in statistics for search in rivals):
            job.warn(f"{tomogram}: not every template could be searched; it has no picks")
            continue
        tables = [read_particles(peaks_path(job.folder, search)) for search in rivals]
        sigma = [column(table) for table in tables]
        maps = [read_volume(score_path(job.folder, search)).data for search in rivals]
        others = [
            _highest_rival(rivals, maps, statistics, which, table)
            for which, table in enumerate(tables)
        ]
        distances = [statistics[search.stem]["min_distance"] for search in rivals]
        kept = compete(tables, sigma, others, distances)
        for search, table, height, mine, score in zip(
            rivals, tables, sigma, kept, maps, strict=True
        ):
            threshold = thresholds[search.stem]
            chosen = table.select(mine & (height >= threshold.sigma))
            picks.append(_of_good_shape(search, chosen, score, threshold))
    return Particles.concatenate(picks)


def _of_good_shape(search: Search, picks: Particles, score: Any, limit: Threshold) -> Particles:
    """Keep the picks whose peaks are as sharp and as large as asked for."""
    settings = search.settings
    if settings.tophat is not None:
        picks = picks.select(column(picks, TOPHAT) >= limit.tophat)
    least, most = settings.min_peak_volume, settings.max_peak_volume
    if (least is None and most is None) or not len(picks):
        return picks
    volumes = peak_volumes(
        score, limit.score, _voxels(search, picks.position), search.volume.pixel_size
    )
    return picks.select((volumes >= (least or 0)) & (volumes <= (np.inf if most is None else most)))


def _voxels(search: Search, position: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the voxels (n, 3; z, y, x) that positions lie in."""
    voxel = np.rint(search.volume.position_to_index(position)).astype(np.int64)[:, ::-1]
    return np.clip(voxel, 0, np.array(search.volume.shape) - 1)


def _highest_rival(
    rivals: list[Search],
    maps: list[Any],
    statistics: Mapping[str, Mapping[str, float]],
    which: int,
    table: Particles,
) -> NDArray[np.float64]:
    """Highest σ (n,) of the other templates in the voxels of one template's peaks."""
    highest = np.full(len(table), -np.inf)
    voxel = _voxels(rivals[which], table.position)
    for other, search in enumerate(rivals):
        if other == which or not len(table):
            continue
        found = statistics[search.stem]
        score = np.asarray(maps[other][tuple(voxel.T)], dtype=np.float64)
        # zero marks voxels that this template did not search
        sigma = np.where(score == 0, -np.inf, (score - found["mean"]) / found["deviation"])
        highest = np.maximum(highest, sigma)
    return highest
