"""The command ``subtomo align``."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from subtomo.averaging.inputs import (
    AverageInputs,
    check_search,
    empty_average,
    read_inputs,
    warn_without_transfers,
)
from subtomo.averaging.map_files import write_half_maps
from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.reconstruction.postprocess import Postprocessed
from subtomo.averaging.refinement.references import load_references
from subtomo.averaging.refinement.report import write_report
from subtomo.averaging.refinement.results import (
    aligned_particles,
    class_folder,
    class_names,
    sharpen_and_write,
    write_tables,
)
from subtomo.averaging.refinement.rounds import RoundResult, align_in_rounds, stage_names
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.averaging.resolution import resolution_of
from subtomo.averaging.stages import FOLDER, chunks_of, remove_stages
from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.subtomograms import frames_of_table
from subtomo.signal.device import compute_device

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


def run(settings: AlignSettings, job: "Job") -> Path:
    """Align subtomograms to their average, or to references, round by round.

    Returns
    -------
    Path of ``average.mrc``; of ``particles.star`` where there are several classes
    """
    device = compute_device(settings.device)
    inputs = read_inputs(settings)
    check_search(inputs.box, settings.initial_low_pass, settings.max_shift)
    _require_start(inputs, settings)
    given = load_references(settings.reference, inputs.box)
    frames_of_table(settings.particles)
    stages = stage_names(settings)
    n_chunks = len(chunks_of(np.asarray(inputs.particles.half)))
    items = [f"{stage}, chunk {i + 1}" for stage in stages for i in range(n_chunks)]
    files = [settings.particles, *settings.reference, *([settings.mask] if settings.mask else [])]
    needed = 60.0 * inputs.box.size**3 * (n_chunks + 2 * len(stages)) * settings.n_classes
    starts_again = job.starts_again()
    with job.start(items, inputs=files, bytes_needed=needed):
        if not settings.resume:
            remove_stages(job.folder, stages, all_of_them=starts_again)
        (job.folder / FOLDER).mkdir(exist_ok=True)
        warn_without_transfers(job, inputs.transfers)
        rounds = []
        for result in align_in_rounds(job, inputs, given, settings, device):
            _require_density(result, settings)
            rounds.append(result)
            job.log(_in_words(result, settings))
        return _finish(job, inputs, rounds, settings)


def _finish(
    job: "Job", inputs: AverageInputs, rounds: list[RoundResult], settings: AlignSettings
) -> Path:
    """Write maps, tables and the report."""
    last, pixel_size = rounds[-1], inputs.box.pixel_size
    sharpened: list[Postprocessed | None] = []
    for which, maps in enumerate(last.maps):
        name = class_names(settings)[which]
        if maps is None:
            job.warn(f"no particles are left in {name}")
            sharpened.append(None)
            continue
        folder = class_folder(job.folder, settings, which)
        write_half_maps(folder, maps, pixel_size)
        sharpened.append(sharpen_and_write(folder, maps, pixel_size, settings))
        of_class = f"{name}: " if settings.n_classes > 1 else ""
        job.log(f"{of_class}{mask_in_words(settings, maps.mask)}")
    particles = aligned_particles(inputs, last, settings)
    write_tables(job.folder, particles, last, settings.particles)
    write_report(job.folder / "report.html", inputs, rounds, sharpened, settings)
    n_left_out = int((~last.is_kept).sum())
    if n_left_out:
        job.log(
            f"{count_of(n_left_out, 'particle')} within {settings.min_distance:g} Å of one with a "
            f"better score left out: {job.shown(job.folder / 'duplicates.star')}"
        )
    path = job.folder / ("average.mrc" if settings.n_classes == 1 else "particles.star")
    what = "average of " if settings.n_classes == 1 else ""
    job.log(f"{what}{count_of(int(last.is_kept.sum()), 'particle')}: {job.shown(path)}")
    return path


def _require_start(inputs: AverageInputs, settings: AlignSettings) -> None:
    """Refuse a search that has nothing to start from."""
    if settings.search == "global" and not settings.reference:
        raise SettingsError(
            "--search global needs a --reference to start from, such as the map of subtomo "
            "initial-model: particles of unknown orientation have no average"
        )
    unknown = int((~np.asarray(inputs.particles.is_oriented)).sum())
    if unknown and settings.search in ("local", "cone"):
        raise SettingsError(
            f"{settings.particles}: {count_of(unknown, 'particle')} of {len(inputs.particles)} "
            f"have no orientation for --search {settings.search} to start from; choose --search "
            "global, or orient them first"
        )


def _require_density(result: RoundResult, settings: AlignSettings) -> None:
    """Refuse an average of nothing."""
    maps = [one for one in result.maps if one is not None]
    if not maps or not any(bool(one.whole.any()) for one in maps):
        raise empty_average(settings.particles)


def _in_words(result: RoundResult, settings: AlignSettings) -> str:
    """Say what a round came to."""
    parts = []
    sizes = result.poses.probability[result.is_kept].sum(axis=0)
    for name, maps, size in zip(class_names(settings), result.maps, sizes, strict=True):
        if maps is None:
            continue
        of_class = f"{name} ({size:.0f} particles) " if settings.n_classes > 1 else ""
        parts.append(f"{of_class}{resolution_of(maps.curves):.1f} Å")
    return f"{result.name}: resolution {', '.join(parts)} (FSC 0.143)"
