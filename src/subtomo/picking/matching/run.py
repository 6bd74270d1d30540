"""The command ``subtomo pick match``."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.formats.atomic import replacing
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.tomogram_names import require_different_files
from subtomo.formats.volumes import read_volume
from subtomo.model import Particles
from subtomo.picking.matching.checks import check_search
from subtomo.picking.matching.inputs import Search, open_inputs, roi_path
from subtomo.picking.matching.items import (
    SIGMA,
    TOPHAT,
    add_sums,
    match_noise,
    match_tile,
    merge_tiles,
    payload_of,
    score_path,
    tile_path,
)
from subtomo.picking.matching.peak_volume import peak_volumes
from subtomo.picking.matching.selection import Threshold, choose_threshold, compete
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.matching.threshold import NoiseTail
from subtomo.signal.device import compute_device
from subtomo.sources.tomograms import tomogram_files

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_BYTES_A_POSITION = 16.0  # score and index, once in tiles and once in volumes


def run(settings: MatchSettings, job: "Job") -> Path:
    """Match templates with tomograms; write scores, orientations and picks.

    Returns
    -------
    Path of ``particles.star``
    """
    searches = _plan(settings)
    tiles = {
        f"{search.stem}, tile {number}": payload_of(
            settings,
            search.tomogram.name,
            search.which,
            tile=(tile.first, tile.count, tile.block),
            path=tile_path(job.folder, search.stem, number),
        )
        for search in searches
        for number, tile in enumerate(search.tiles())
    }
    voxels = sum(float(np.prod(search.volume.shape)) for search in searches)
    with job.start(
        list(tiles),
        inputs=_input_files(settings, searches),
        bytes_needed=_BYTES_A_POSITION * voxels,
    ):
        for search in searches:
            job.log(_describe(search))
        sums = job.map("search", match_tile, tiles)
        tails = _search_noise(settings, job, searches)
        statistics = _merge(job, settings, searches, sums)
        thresholds = {
            search.stem: choose_threshold(settings, statistics[search.stem], tails.get(search.stem))
            for search in searches
            if search.stem in statistics
        }
        picks = _select(job, searches, statistics, thresholds)
        frames = {search.tomogram.name: search.tomogram.frame for search in searches}
        path = job.folder / "particles.star"
        write_particles(path, picks, frames)
        _write_thresholds(job.folder / "thresholds.csv", searches, statistics, thresholds, picks)
        job.log(f"{count_of(len(picks), 'pick')}: {job.shown(path)}")
        if not len(picks):
            job.warn(
                "no pick is above its threshold; look at the score volumes, or give --threshold"
            )
    return path


def _plan(settings: MatchSettings) -> list[Search]:
    """Open and check everything."""
    compute_device(settings.device)
    tomograms = open_inputs(settings)
    searches = [
        Search(settings, tomogram, which)
        for tomogram in tomograms
        for which in range(len(settings.template))
    ]
    require_different_files(tomogram.name for tomogram in tomograms)
    for search in searches:
        check_search(search)
    for tomogram in tomograms:
        require_finite(tomogram.volume, f"tomogram {tomogram.name}")
        require_variation(tomogram.volume, f"tomogram {tomogram.name}")
    return searches


def _input_files(settings: MatchSettings, searches: list[Search]) -> list[Path]:
    """List the files that the results depend on."""
    regions = {roi_path(settings.roi, search.tomogram.name) for search in searches}
    found = sorted(path for path in regions if path is not None)
    return [*tomogram_files(settings.tomograms), *settings.template, *settings.mask, *found]


def _describe(search: Search) -> str:
    """Say what will be searched, in one line."""
    template, n_tiles = search.template, len(search.tiles())
    return (
        f"{search.tomogram.name}: template {search.name}, diameter {template.diameter:.0f} Å, "
        f"{template.box} voxels of {search.volume.pixel_size:g} Å, "
        f"{len(search.orientations)} orientations {search.angular_step:.1f}° apart, "
        f"weighting: {search.weighting}, {n_tiles} tile{'s' if n_tiles > 1 else ''}"
    )


def _search_noise(
    settings: MatchSettings, job: "Job", searches: list[Search]
) -> dict[str, NoiseTail]:
    """Calibrate each search with noise, where the threshold asks for it."""
    given = settings.threshold is not None or settings.threshold_score is not None
    if given or settings.calibration != "noise":
        return {}
    payloads = {s.stem: payload_of(settings, s.tomogram.name, s.which) for s in searches}
    results = job.map("noise", match_noise, payloads)
    tails = {stem: NoiseTail(**r["tail"]) for stem, r in results.items() if r["tail"] is not None}
    for stem in sorted(set(results) - set(tails)):
        job.warn(
            f"{stem}: too few peaks in the noise to calibrate with; the threshold is that of "
            "independent Gaussian scores"
        )
    return tails


def _merge(
    job: "Job", settings: MatchSettings, searches: list[Search], sums: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Merge the searches whose tiles are all there; drop the tiles' files."""
    payloads = {}
    for search in searches:
        names = [f"{search.stem}, tile {number}" for number in range(len(search.tiles()))]
        if all(name in sums for name in names):
            payloads[search.stem] = payload_of(
                settings,
                search.tomogram.name,
                search.which,
                folder=job.folder,
                sums=add_sums([sums[name] for name in names]),
            )
    merged: dict[str, dict[str, float]] = job.map("merge", merge_tiles, payloads)
    if len(merged) == len(searches):
        _remove_tiles(job.folder, searches)
    return merged


def _remove_tiles(folder: Path, searches: list[Search]) -> None:
    """Remove the tiles of the searches, which are merged, and nothing else."""
    for search in searches:
        for number in range(len(search.tiles())):
            tile_path(folder, search.stem, number).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it holds other things
        (folder / "tiles").rmdir()


def _select(
    job: "Job",
    searches: list[Search],
    statistics: Mapping[str, Mapping[str, float]],
    thresholds: Mapping[str, Threshold],
) -> Particles:
    """Let templates compete and apply the thresholds, tomogram by tomogram."""
    picks = []
    for tomogram in dict.fromkeys(search.tomogram.name for search in searches):
        rivals = [search for search in searches if search.tomogram.name == tomogram]
        if any(search.stem not in statistics for search in rivals):
            job.warn(f"{tomogram}: not every template could be searched; it has no picks")
            continue
        folder = job.folder / "scores"
        tables = [read_particles(folder / f"{search.stem}_peaks.csv") for search in rivals]
        sigma = [_column(table) for table in tables]
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
        picks = picks.select(_column(picks, TOPHAT) >= limit.tophat)
    least, most = settings.min_peak_volume, settings.max_peak_volume
    if (least is None and most is None) or not len(picks):
        return picks
    volumes = peak_volumes(
        score, limit.score, _voxels(search, picks.position), search.volume.pixel_size
    )
    return picks.select((volumes >= (least or 0)) & (volumes <= (np.inf if most is None else most)))


def _column(table: Particles, name: str = SIGMA) -> NDArray[np.float64]:
    """Numbers of a table's column, none of an empty table."""
    return np.asarray(table.extra.get(name, np.empty(0)), dtype=np.float64)


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


def _write_thresholds(
    path: Path,
    searches: list[Search],
    statistics: Mapping[str, Mapping[str, float]],
    thresholds: Mapping[str, Threshold],
    picks: Particles,
) -> None:
    """Write one row a search: its statistics, its threshold and its picks."""
    rows = []
    for search in searches:
        if search.stem not in thresholds:
            continue
        mine = (picks.tomogram == search.tomogram.name) & (picks.class_name == search.name)
        row: dict[str, object] = {"tomogram": search.tomogram.name, "template": search.name}
        row |= {name: f"{value:.9g}" for name, value in statistics[search.stem].items()}
        row |= {f"threshold_{k}": f"{v:.9g}" for k, v in asdict(thresholds[search.stem]).items()}
        rows.append(row | {"n_picks": int(mine.sum())})
    names = list(rows[0]) if rows else []
    lines = [",".join(str(row[name]) for name in names) for row in rows]
    with replacing(path) as temporary:
        temporary.write_text("\n".join([",".join(names), *lines]) + "\n")
