"""The command ``subtomo bin``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SettingsError
from subtomo.formats.mrc_writer import MrcWriter
from subtomo.formats.relion_tomograms import (
    TomogramEntry,
    read_tomograms_star,
    write_tomograms_star,
)
from subtomo.formats.tomogram_list import is_tomogram_list
from subtomo.formats.tomogram_names import file_name_of, require_different_files
from subtomo.model import Tomogram
from subtomo.sources.tomograms import (
    TABLE_NAME,
    open_tomogram,
    open_tomograms,
    table_of,
    tomogram_files,
)
from subtomo.tomograms.block_mean import binned_shape, block_mean_origin, block_mean_planes
from subtomo.tomograms.grid import Grid
from subtomo.tomograms.settings import BinSettings

if TYPE_CHECKING:
    from subtomo.jobs.job import Job


@dataclass(frozen=True)
class _Plan:
    """What becomes of one tomogram."""

    tomogram: Tomogram
    method: Literal["mean", "fourier", "interpolation"]
    by: int  # 1 with interpolation
    grid: Grid


def run(settings: BinSettings, job: "Job") -> Path:
    """Bin tomograms.

    Returns
    -------
    Path of the folder with the tomograms
        Those that came from a table are in a new ``tomograms.star`` beside it.
    """
    opened = open_tomograms(settings.tomograms, pixel_size=settings.input_pixel_size)
    plans = [_plan(tomogram, settings) for tomogram in opened]
    entries = _table_entries(settings)
    n_bytes = sum(_bytes_needed(plan) for plan in plans)
    folder = job.folder / "tomograms"
    names = [plan.tomogram.name for plan in plans]
    require_different_files(names)
    inputs = tomogram_files(settings.tomograms)
    with job.start(names, inputs=inputs, bytes_needed=n_bytes):
        for plan in plans:
            job.log(_describe(plan))
        payloads = {
            name: {
                "settings": settings.model_dump(mode="json"),
                "name": name,
                "path": str(_path(folder, name)),
            }
            for name in names
        }
        outputs = {name: [_path(folder, name)] for name in names}
        done = job.map("bin", bin_one, payloads, outputs=outputs)
        new_entries = [
            _binned_entry(entries[plan.tomogram.name], plan, folder)
            for plan in plans
            if plan.tomogram.name in done and plan.tomogram.name in entries
        ]
        if new_entries:
            write_tomograms_star(job.folder / TABLE_NAME, new_entries)
    return folder


def bin_one(payload: Mapping[str, Any]) -> None:
    """Bin one tomogram and write it.

    Parameters
    ----------
    payload : ``settings``, ``name`` of the tomogram and ``path`` to write
    """
    settings = BinSettings.model_validate(payload["settings"])
    tomogram = open_tomogram(
        settings.tomograms, payload["name"], pixel_size=settings.input_pixel_size
    )
    plan, path = _plan(tomogram, settings), Path(payload["path"])
    grid = plan.grid
    with (
        MrcWriter(path, grid.shape, grid.pixel_size, grid.origin) as writer,
        _binned_planes(plan, path, settings.slices_in_memory) as slabs,
    ):
        for slab in slabs:
            writer.write(slab)


@contextmanager
def _binned_planes(
    plan: _Plan, path: Path, slices: int | None
) -> Iterator[Iterator[NDArray[np.float32]]]:
    """Give the planes of the binned tomogram; a nameless scratch file lives meanwhile."""
    volume, name, grid = plan.tomogram.volume, plan.tomogram.name, plan.grid
    if plan.method == "mean":
        yield block_mean_planes(volume.data, plan.by, slices_in_memory=slices, name=name)
        return
    from subtomo.tomograms.fourier_binning import cropping, interpolation, resampled_planes

    if plan.method == "fourier":
        resampling = cropping(volume.shape, plan.by)
    else:
        resampling = interpolation(volume.shape, grid.shape, grid.pixel_size / volume.pixel_size)
    with TemporaryFile(dir=path.parent) as scratch:
        yield resampled_planes(volume.data, resampling, scratch, slices_in_memory=slices, name=name)


def _table_entries(settings: BinSettings) -> dict[str, TomogramEntry]:
    """Read the rows of the tables among the inputs, by name."""
    tables = [table for table in map(table_of, settings.tomograms) if table is not None]
    return {
        entry.name: entry
        for table in tables
        if not is_tomogram_list(table)
        for entry in read_tomograms_star(table, require_images=False)
    }


def _plan(tomogram: Tomogram, settings: BinSettings) -> _Plan:
    """Choose the new grid; refuse what cannot be binned."""
    volume = tomogram.volume
    try:
        if settings.pixel_size is not None:
            from subtomo.signal.resampling import resampled_origin, resampled_shape

            shape = resampled_shape(volume.shape, settings.pixel_size / volume.pixel_size)
            origin = resampled_origin(volume, shape, settings.pixel_size)
            return _Plan(tomogram, "interpolation", 1, Grid(shape, settings.pixel_size, origin))
        by = settings.factor
        assert by is not None  # the settings ask for one of the three
        method = settings.method or "mean"
        origin = block_mean_origin(volume, by) if method == "mean" else volume.origin
        shape = binned_shape(volume.shape, by)
        return _Plan(tomogram, method, by, Grid(shape, by * volume.pixel_size, origin))
    except SettingsError as error:
        raise SettingsError(f"tomogram {tomogram.name}: {error}") from error


def _bytes_needed(plan: _Plan) -> float:
    """Estimate the disk space of the result and of the scratch file."""
    z, y, x = plan.grid.shape
    depth = 0 if plan.method == "mean" else plan.tomogram.volume.shape[0]
    return 4.0 * y * x * (z + depth)


def _describe(plan: _Plan) -> str:
    """Say what will be made, in one line."""
    (z, y, x), old = plan.grid.shape, plan.tomogram.volume
    how = {
        "mean": f"means of blocks of {plan.by}³ voxels",
        "fourier": f"Fourier transform cut to 1/{plan.by}",
        "interpolation": "band-limited interpolation",
    }[plan.method]
    text = (
        f"{plan.tomogram.name}: {how}, {old.pixel_size:g} Å to {plan.grid.pixel_size:g} Å, "
        f"{x} x {y} x {z} voxels (x, y, z)"
    )
    rest = {axis: n % plan.by for axis, n in zip("xyz", old.shape[::-1], strict=True)}
    left_out = [f"{n} in {axis}" for axis, n in rest.items() if n]
    if left_out:
        text += f"; planes left out at the far end: {', '.join(left_out)}"
    return text


def _path(folder: Path, name: str) -> Path:
    """Name the file of a tomogram."""
    return folder / f"{file_name_of(name)}.mrc"


def _binned_entry(entry: TomogramEntry, plan: _Plan, folder: Path) -> TomogramEntry:
    """Note the new tomogram in its row."""
    return replace(
        entry,
        tomogram_path=_path(folder, entry.name),
        binning=plan.grid.pixel_size / entry.tilt_series.pixel_size,
        origin=None,
    )
