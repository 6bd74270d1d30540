"""The command ``subtomo pick match``."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subtomo.counts import count_of
from subtomo.formats.atomic import replacing
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.particles import write_particles
from subtomo.formats.tomogram_names import require_different_files
from subtomo.model import Particles
from subtomo.picking.matching.checks import check_search
from subtomo.picking.matching.choice import choose_picks
from subtomo.picking.matching.inputs import Search, open_inputs, roi_path
from subtomo.picking.matching.items import (
    add_sums,
    check_template,
    match_noise,
    match_tile,
    merge_tiles,
    payload_of,
    tile_path,
)
from subtomo.picking.matching.report import write_report
from subtomo.picking.matching.selection import Threshold, choose_threshold
from subtomo.picking.matching.settings import MatchSettings
from subtomo.picking.matching.threshold import Calibration, NoiseTail
from subtomo.picking.matching.variants import Comparison
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
        noise = _search_noise(settings, job, searches)
        statistics = _merge(job, settings, searches, sums)
        thresholds = {
            stem: choose_threshold(settings, found, noise[stem].tail if stem in noise else None)
            for stem, found in statistics.items()
        }
        _check_templates(settings, job, [s for s in searches if s.stem in statistics])
        picks = choose_picks(job, searches, statistics, thresholds)
        frames = {search.tomogram.name: search.tomogram.frame for search in searches}
        path = job.folder / "particles.star"
        write_particles(path, picks, frames)
        _write_thresholds(job.folder / "thresholds.csv", searches, statistics, thresholds, picks)
        write_report(job.folder / "report.html", searches, statistics, thresholds, noise, picks)
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
    return [
        *tomogram_files(settings.tomograms),
        *settings.template,
        *settings.mask,
        *settings.surface,
        *found,
    ]


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
) -> dict[str, Calibration]:
    """Calibrate each search with noise, where the threshold asks for it."""
    given = settings.threshold is not None or settings.threshold_score is not None
    if given or settings.calibration != "noise":
        return {}
    payloads = {s.stem: payload_of(settings, s.tomogram.name, s.which) for s in searches}
    results = job.map("noise", match_noise, payloads)
    found = {stem: _calibration(result) for stem, result in results.items()}
    for stem in sorted(stem for stem, one in found.items() if one.tail is None):
        job.warn(
            f"{stem}: too few peaks in the noise to calibrate with; the threshold is that of "
            "independent Gaussian scores"
        )
    return found


def _calibration(result: Mapping[str, Any]) -> Calibration:
    """Take what the search in noise left in the ledger."""
    tail = None if result["tail"] is None else NoiseTail(**result["tail"])
    return Calibration(tail, result["n_positions"], result["peaks"])


def _check_templates(settings: MatchSettings, job: "Job", searches: list[Search]) -> None:
    """Warn where a template's mirror image or negative fits the first tomogram better."""
    if not settings.check_template:
        return
    first = {search.name: search for search in reversed(searches)}
    payloads = {
        search.stem: payload_of(settings, search.tomogram.name, search.which, folder=job.folder)
        for search in searches
        if first[search.name] is search
    }
    for stem, result in job.map("check", check_template, payloads).items():
        contrast = Comparison(**result["contrast"])
        if contrast.is_other_better:
            job.warn(
                f"{stem}: the template's negative scores higher ({contrast.other:.3g}, it "
                f"{contrast.given:.3g}, mean of the {contrast.n} highest peaks at low resolution); "
                "check the contrast: --invert-tomograms, --invert-template"
            )
        if result["hand"] is not None and Comparison(**result["hand"]).is_other_better:
            hand = Comparison(**result["hand"])
            job.warn(
                f"{stem}: the template's mirror image scores higher ({hand.other:.3g}, it "
                f"{hand.given:.3g}, mean of {hand.n} peaks); check the handedness of template and "
                "tomogram"
            )


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
