"""The command ``subtomo import tomograms``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.counts import count_of
from subtomo.formats.acquisition_file import AcquiredTilts, AxisTilts
from subtomo.tomograms.import_tomograms.plan import (
    TomogramImport,
    acquisition_of,
    plan_import,
)
from subtomo.tomograms.import_tomograms.settings import ImportTomogramsSettings
from subtomo.tomograms.import_tomograms.writing import (
    bytes_to_copy,
    require_own_volumes,
    write_tomograms,
)

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_WRITES = ("tomograms.star", "tomograms")


def run(settings: ImportTomogramsSettings, job: "Job") -> Path:
    """Bring in tomograms that other programs made.

    Returns
    -------
    Path of ``tomograms.star``, beside which the volumes or links to them lie
        The folder can be given with ``--tomograms`` to every command.
    """
    imports = plan_import(settings)
    inputs = [one.source for one in imports]
    inputs += [] if settings.acquisition is None else [settings.acquisition]
    needed = bytes_to_copy(imports) if settings.copy_files else None
    names = [one.name for one in imports]
    require_own_volumes(job, imports)
    with job.start(names, inputs=inputs, bytes_needed=needed, writes=_WRITES):
        tell_tomograms(job, imports)
        table = write_tomograms(job, imports, acquisition_of(settings), copy=settings.copy_files)
        job.log(f"{count_of(len(imports), 'tomogram')}: {job.shown(table)}")
    return table


def tell_tomograms(job: "Job", imports: Sequence[TomogramImport]) -> None:
    """Say in one line what each tomogram is, and what is odd about it."""
    for one in imports:
        job.log(_describe(one))
    for one in imports:
        if one.doubt is not None:
            job.warn(f"{one.name}: {one.doubt}")
    lacking = sum(one.tilts is None for one in imports)
    if lacking:
        job.log(
            f"tilt angles of {count_of(lacking, 'tomogram')} not known: the missing wedge is then "
            "given to each command, or to subtomo import tomograms (--tilt-range)"
        )


def _describe(one: TomogramImport) -> str:
    """Describe a tomogram."""
    size = " x ".join(str(n) for n in one.grid.size_px or ())
    origin = ", ".join(f"{value:g}" for value in one.grid.origin)
    text = (
        f"{one.name}: {one.source}, {size} voxels (x, y, z) of {one.grid.pixel_size:g} Å, first "
        f"voxel at {origin} Å"
    )
    if one.frame.pixel_size != one.grid.pixel_size:
        full = " x ".join(str(n) for n in one.frame.size_px)
        text += f", full resolution {full} voxels of {one.frame.pixel_size:g} Å"
    return text if one.tilts is None else f"{text}, tilts {_tilts(one.tilts)}"


def _tilts(tilts: AcquiredTilts) -> str:
    """Describe the tilts."""
    axes = [tilts.first] if tilts.second is None else [tilts.first, tilts.second]
    return " and ".join(
        f"{axis.lowest:g}° to {axis.highest:g}° by {_step(axis)} about the axis at "
        f"{axis.axis_angle:g}°"
        for axis in axes
    )


def _step(axis: AxisTilts) -> str:
    """Say the step that the angles have, and the one asked for where it does not fit."""
    asked, made = f"{axis.step:.4g}°", f"{axis.angles[1] - axis.angles[0]:.4g}°"
    if made == asked:
        return made
    return f"{made} ({asked} does not divide the range, whose ends are kept)"
