"""The command ``subtomo average --apply-alignment``."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from subtomo.averaging.apply_alignment.inputs import AlignedInputs, read_aligned_inputs
from subtomo.averaging.apply_alignment.items import read_aligned_sums, turn_chunk
from subtomo.averaging.apply_alignment.maps import AlignedMaps, make_maps
from subtomo.averaging.apply_alignment.means import AlignedSums
from subtomo.averaging.apply_alignment.report import write_aligned_report
from subtomo.averaging.apply_alignment.tables import aligned_table, box_names, poses_table
from subtomo.averaging.box import Box
from subtomo.averaging.inputs import warn_without_transfers
from subtomo.averaging.mask import mask_in_words
from subtomo.averaging.resolution import resolution_of, write_curves
from subtomo.averaging.settings import AverageSettings
from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.box_stacks import split_stack_name
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import frames_of_table, with_files_named_from
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume
from subtomo.signal.device import compute_device
from subtomo.sources.tomograms import tomogram_files

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_OF_SOME_JOBS = ("cylindrical_average.mrc", "half1.mrc", "half2.mrc", "mask.mrc", "fsc.csv")
_CHUNK = 64  # boxes an item; fixed, so that sums are added in the same order everywhere


def run_apply_alignment(settings: AverageSettings, job: "Job") -> Path:
    """Turn boxes to their common axis, write them, and average them.

    Returns
    -------
    Path of ``average.mrc``; of ``particles.star`` where the table is empty
    """
    device = compute_device(settings.device)
    particles = read_particles(settings.particles)
    table = job.folder / "particles.star"
    if not len(particles):
        with job.start([], inputs=[settings.particles]):
            job.warn(f"{settings.particles} holds no particles: there is nothing to turn")
            write_particles(table, particles, {})
        return table
    inputs = read_aligned_inputs(settings, particles)
    _require_other_folder(inputs, settings.particles, job.folder)
    frames = frames_of_table(settings.particles)
    chunks = chunks_of(inputs)
    files = [settings.particles, *tomogram_files(settings.tomograms)]
    n_maps = len(particles) * (1 if inputs.files.transfers is None else 2) + 5 * len(chunks)
    needed = 4.0 * inputs.files.box.size**3 * n_maps
    starts_again = job.starts_again()
    with job.start(list(chunks), inputs=files, bytes_needed=needed):
        if starts_again:
            _remove_earlier(job.folder)
        _say_what_is_missing(job, inputs, settings)
        sums = _summed(job, inputs, chunks, settings, device)
        maps = make_maps(sums, inputs, settings)
        _write_maps(job, inputs, maps, settings)
        write_particles(table, aligned_table(inputs), frames)
        poses = job.folder / "poses.star"
        named = with_files_named_from(poses_table(inputs), settings.particles, poses)
        write_particles(poses, named, frames)
        write_aligned_report(job.folder, inputs, maps)
        path = job.folder / "average.mrc"
        n_turned = count_of(len(particles), "turned particle")
        job.log(f"average of {n_turned}: {job.shown(path)}")
    return path


def chunks_of(inputs: AlignedInputs) -> dict[str, NDArray[np.int64]]:
    """Split the particles by half and tomogram: rows of each item, in the order of the table."""
    names = inputs.particles.tomogram
    chunks = {}
    for half in np.unique(inputs.particles.half).tolist():
        for name in np.unique(names).tolist():
            rows = np.flatnonzero((inputs.particles.half == half) & (names == name))
            for number, start in enumerate(range(0, len(rows), _CHUNK), start=1):
                of_half = f", half {half}" if half else ""
                chunks[f"{name}{of_half}, chunk {number}"] = rows[start : start + _CHUNK]
    return chunks


def _require_other_folder(inputs: AlignedInputs, table: Path, folder: Path) -> None:
    """Refuse to write over the boxes that are read."""
    files = [*inputs.files.boxes, *(inputs.files.transfers or [])]
    read_from = {Path(split_stack_name(str(file))[1]).resolve().parent for file in files}
    if any(path.is_relative_to(folder.resolve()) for path in read_from):
        raise SettingsError(
            f"the boxes of {table} are in {folder}, where the turned ones would be written; give "
            "another --output-dir"
        )


def _remove_earlier(folder: Path) -> None:
    """Remove what an earlier job left and this one may not write again."""
    for name in ("sums", "subtomograms", "wedge"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in _OF_SOME_JOBS:
        (folder / name).unlink(missing_ok=True)


def _summed(
    job: "Job",
    inputs: AlignedInputs,
    chunks: dict[str, NDArray[np.int64]],
    settings: AverageSettings,
    device: str,
) -> dict[int, AlignedSums]:
    """Turn all boxes; add them up by half."""
    files = [job.folder / "sums" / f"{i}.npz" for i in range(1, len(chunks) + 1)]
    payloads = {
        item: _payload(job.folder, inputs, rows, file, settings, device)
        for (item, rows), file in zip(chunks.items(), files, strict=True)
    }
    outputs = {
        item: [payload["sums"], *payload["outputs"], *payload["output_transfers"]]
        for item, payload in payloads.items()
    }
    (job.folder / "sums").mkdir(exist_ok=True)
    job.map("turn", turn_chunk, payloads, need_all=True, outputs=outputs)
    box = Box(inputs.files.box.size, inputs.files.box.pixel_size)
    sums: dict[int, AlignedSums] = {}
    for rows, file in zip(chunks.values(), files, strict=True):
        half = int(inputs.particles.half[rows[0]])
        sums[half] = sums.get(half, AlignedSums.empty(box)) + read_aligned_sums(file)
    return sums


def _payload(
    folder: Path,
    inputs: AlignedInputs,
    rows: NDArray[np.int64],
    sums: Path,
    settings: AverageSettings,
    device: str,
) -> dict[str, Any]:
    """Say what an item needs."""
    files = inputs.files
    boxes, transfers = box_names(inputs.particles)
    tomogram = None
    if inputs.tomograms is not None:
        tomogram = {
            "paths": settings.tomograms,
            "pixel_size": settings.pixel_size,
            "name": str(inputs.tomograms[rows[0]]),
            "binning": inputs.binning,
            "centres": inputs.centres[rows],
        }
    return {
        "box": (files.box.size, files.box.pixel_size, device),
        "boxes": [files.boxes[row] for row in rows],
        "transfers": None if files.transfers is None else [files.transfers[row] for row in rows],
        "starts_px": files.starts_px[rows],
        "orientations": inputs.particles.orientation[rows],
        "outputs": [folder / name for name in boxes[rows].tolist()],
        "output_transfers": (
            [] if files.transfers is None else [folder / name for name in transfers[rows].tolist()]
        ),
        "sums": sums,
        "tomogram": tomogram,
    }


def _say_what_is_missing(job: "Job", inputs: AlignedInputs, settings: AverageSettings) -> None:
    """Tell what the result will lack."""
    unknown = int((~inputs.particles.is_oriented).sum())
    if unknown:
        job.warn(
            f"{count_of(unknown, 'particle')} without a known orientation (in tables of Euler "
            "angles, all of them 0): such boxes stay as they stand"
        )
    warn_without_transfers(job, inputs.files.transfers, "weighted mean")
    if not settings.tomograms:
        job.log("without --tomograms the corners of turned boxes hold their mean")


def _write_maps(
    job: "Job", inputs: AlignedInputs, maps: AlignedMaps, settings: AverageSettings
) -> None:
    """Write the means, and of halves their correlation."""
    volumes = {"average": maps.weighted, "plain_average": maps.plain}
    if maps.cylindrical is not None:
        volumes["cylindrical_average"] = maps.cylindrical
    if maps.halves is not None and maps.mask is not None and maps.curves is not None:
        volumes |= {"half1": maps.halves[0], "half2": maps.halves[1], "mask": maps.mask}
        write_curves(job.folder / "fsc.csv", maps.curves)
        job.log(mask_in_words(settings, maps.mask))
        job.log(f"resolution {resolution_of(maps.curves):.1f} Å (FSC 0.143)")
    pixel_size = inputs.files.box.pixel_size
    for name, volume in volumes.items():
        write_volume(job.folder / f"{name}.mrc", Volume(volume.numpy(), pixel_size))
