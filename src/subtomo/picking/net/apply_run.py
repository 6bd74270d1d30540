"""The command ``subtomo pick net apply``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subtomo.counts import count_of
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.particles import write_particles
from subtomo.formats.tomogram_names import file_name_of, require_different_files
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.model import Particles, Tomogram, Volume
from subtomo.picking.net.peaks_of_scores import pick_scores
from subtomo.picking.net.report import write_picks_report
from subtomo.picking.net.saved_net import FILE_NAME, SavedNet
from subtomo.picking.net.scores import score_volume
from subtomo.picking.net.settings import NetApplySettings
from subtomo.signal.device import compute_device
from subtomo.sources.tomograms import open_tomograms, tomogram_files

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: NetApplySettings, job: "Job") -> Path:
    """Score tomograms with a net and pick the highest places.

    Returns
    -------
    Path of ``particles.star``
    """
    compute_device(settings.device)
    net = SavedNet.load(settings.net)
    tomograms = _open(settings)
    require_different_files(tomogram.name for tomogram in tomograms)
    for tomogram in tomograms:
        require_finite(tomogram.volume, f"tomogram {tomogram.name}")
        require_variation(tomogram.volume, f"tomogram {tomogram.name}")
    paths = {t.name: _score_paths(job.folder, t.name, net) for t in tomograms}
    payloads = {
        name: {"settings": settings, "tomogram": name, "paths": [str(p) for p in found]}
        for name, found in paths.items()
    }
    net_file = settings.net / FILE_NAME if settings.net.is_dir() else settings.net
    inputs = [*tomogram_files(settings.tomograms), net_file]
    with job.start(list(payloads), inputs=inputs):
        done = job.map("score", score_tomogram, payloads, outputs=paths)
        tables = {
            tomogram.name: _picks(tomogram, net, paths[tomogram.name], settings)
            for tomogram in tomograms
            if tomogram.name in done
        }
        path = job.folder / "particles.star"
        picks = Particles.concatenate(list(tables.values()))
        write_particles(path, picks, {t.name: t.frame for t in tomograms})
        write_picks_report(job.folder / "report.html", tomograms, tables, net)
        job.log(f"{count_of(len(picks), 'pick')}: {job.shown(path)}")
        if not len(picks):
            job.warn("no place scores above the threshold; give --resume and a lower --threshold")
    return path


def score_tomogram(payload: dict[str, Any]) -> dict[str, Any]:
    """Score one tomogram and write its score volumes."""
    settings: NetApplySettings = payload["settings"]
    found = {tomogram.name: tomogram for tomogram in _open(settings)}
    volumes = score_volume(
        SavedNet.load(settings.net),
        found[payload["tomogram"]].volume,
        invert=settings.invert_tomograms,
        device=compute_device(settings.device),
    )
    for path, volume in zip(payload["paths"], volumes, strict=True):
        write_volume(Path(path), volume)
    return {"highest": [float(np.max(volume.data)) for volume in volumes]}


def _open(settings: NetApplySettings) -> list[Tomogram]:
    return open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)


def _score_paths(folder: Path, tomogram: str, net: SavedNet) -> list[Path]:
    """Name the score volumes of a tomogram, one a class."""
    stem = file_name_of(tomogram)
    return [folder / "scores" / f"{stem}_{file_name_of(name)}.mrc" for name in net.class_names]


def _picks(
    tomogram: Tomogram, net: SavedNet, paths: list[Path], settings: NetApplySettings
) -> Particles:
    """Pick from the score volumes of a tomogram."""
    scores: list[Volume] = [read_volume(path) for path in paths]
    return pick_scores(
        scores,
        net,
        tomogram,
        threshold=settings.threshold,
        min_distance=settings.min_distance,
        at_most=settings.max_particles,
    )
