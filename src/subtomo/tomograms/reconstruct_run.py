"""The command ``subtomo tomogram reconstruct``."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.counts import count_of
from subtomo.errors import DataError, SettingsError
from subtomo.formats.mrc_writer import MrcWriter
from subtomo.formats.relion_tomograms import TomogramEntry, write_tomograms_star
from subtomo.formats.tomogram_names import file_name_of, require_different_files
from subtomo.model import TiltSeries
from subtomo.signal.device import compute_device
from subtomo.tomograms.filtered_images import ImageRecipe
from subtomo.tomograms.grid import Grid, centred_grid
from subtomo.tomograms.settings import ReconstructSettings
from subtomo.tomograms.tilt_series_input import open_tilt_series
from subtomo.tomograms.weighted_back_projection import reconstruct_slabs

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_USUAL_PIXEL_SIZE = 10.0  # Å: Nyquist at 20 Å, enough to see and pick particles
_HEADER_BYTES = 1024


def run(settings: ReconstructSettings, job: "Job") -> Path:
    """Reconstruct tilt series by weighted back-projection.

    Returns
    -------
    Path of ``tomograms.star``, which names the tomograms
    """
    compute_device(settings.device)
    entries = open_tilt_series(settings)
    grids = {entry.name: _plan(entry.tilt_series, settings) for entry in entries}
    require_different_files(grids)
    sizes = [4 * math.prod(grid.shape) + _HEADER_BYTES for grid in grids.values()]
    with job.start(list(grids), inputs=settings.tilt_series, bytes_needed=sum(sizes)):
        for entry in entries:
            job.log(_describe(entry.tilt_series, grids[entry.name]))
        payloads = {
            entry.name: {
                "settings": settings.model_dump(mode="json"),
                "name": entry.name,
                "path": str(_tomogram_path(job.folder, entry.name)),
            }
            for entry in entries
        }
        outputs = {name: [_tomogram_path(job.folder, name)] for name in grids}
        done = job.map("reconstruct", reconstruct_one, payloads, outputs=outputs)
        table = job.folder / "tomograms.star"
        write_tomograms_star(
            table,
            [
                _reconstructed(entry, grids[entry.name], job.folder)
                for entry in entries
                if entry.name in done
            ],
        )
        job.log(f"{count_of(len(done), 'tomogram')}: {job.shown(table)}")
    return table


def reconstruct_one(payload: dict[str, Any]) -> None:
    """Reconstruct one tilt series and write its tomogram.

    Parameters
    ----------
    payload : ``settings``, ``name`` of the tilt series and ``path`` of the tomogram
    """
    settings = ReconstructSettings.model_validate(payload["settings"])
    entry = next(e for e in open_tilt_series(settings) if e.name == payload["name"])
    grid = _plan(entry.tilt_series, settings)
    slabs = reconstruct_slabs(
        entry.tilt_series, grid, _recipe(settings), device=compute_device(settings.device)
    )
    with MrcWriter(Path(payload["path"]), grid.shape, grid.pixel_size, grid.origin) as writer:
        for slab in slabs:
            writer.write(slab)


def _plan(series: TiltSeries, settings: ReconstructSettings) -> Grid:
    """Choose the voxels; refuse what could not be reconstructed."""
    pixel_size = settings.pixel_size
    if settings.binning is not None:
        pixel_size = settings.binning * series.pixel_size
    if pixel_size is None:
        pixel_size = max(_USUAL_PIXEL_SIZE, series.pixel_size)
    if pixel_size < series.pixel_size * (1 - 1e-6):
        raise SettingsError(
            f"--pixel-size is {pixel_size:g} Å, finer than the {series.pixel_size:g} Å of the "
            f"images of {series.name}; give at least that"
        )
    if settings.ctf_correction != "none" and series.ctf is None:
        raise DataError(
            f"tilt series {series.name} has no CTF for --ctf-correction "
            f"{settings.ctf_correction}; expected a defocus for every tilt: estimate it, or "
            "choose --ctf-correction none"
        )
    frame = TomogramEntry(series.name, series).frame
    return centred_grid(frame, pixel_size, thickness=settings.thickness)


def _recipe(settings: ReconstructSettings) -> ImageRecipe:
    """Take what concerns the images out of the settings."""
    return ImageRecipe(
        window="hamming" if settings.filter == "hamming" else "none",
        ctf_correction=settings.ctf_correction,
        dose_weighting=settings.dose_weighting,
        normalise=settings.normalise,
        invert=settings.invert,
    )


def _tomogram_path(folder: Path, name: str) -> Path:
    """Name the file of a tomogram."""
    return folder / "tomograms" / f"{file_name_of(name)}.mrc"


def _reconstructed(entry: TomogramEntry, grid: Grid, folder: Path) -> TomogramEntry:
    """Note the tomogram in its row."""
    return replace(
        entry,
        tomogram_path=_tomogram_path(folder, entry.name),
        binning=grid.pixel_size / entry.tilt_series.pixel_size,
        origin=None,
    )


def _describe(series: TiltSeries, grid: Grid) -> str:
    """Say what will be made, in one line."""
    z, y, x = grid.shape
    return (
        f"{series.name}: {len(series)} tilts from {series.tilt_angles.min():g}° to "
        f"{series.tilt_angles.max():g}°, {series.pixel_size:g} Å; tomogram of {x} x {y} x {z} "
        f"voxels (x, y, z) of {grid.pixel_size:g} Å"
    )
