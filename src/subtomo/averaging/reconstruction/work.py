"""What all reconstructions do, whatever their images come from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from subtomo.averaging.reconstruction.ending import finish_reconstruction
from subtomo.averaging.reconstruction.group_sums import GroupTask, PortionTask
from subtomo.averaging.reconstruction.groups import Portion
from subtomo.averaging.reconstruction.maps import MapOptions
from subtomo.averaging.reconstruction.plan import sum_bytes
from subtomo.averaging.reconstruction.report import ReconstructedParticles
from subtomo.averaging.reconstruction.results import (
    RESULTS,
    earlier_results,
    map_files,
    remove_files,
)
from subtomo.averaging.reconstruction.settings import MapSettings
from subtomo.averaging.reconstruction.stages import (
    TEMPORARY,
    MapPlan,
    add_up_and_write,
    remove_sums,
)
from subtomo.jobs.content import content_digest
from subtomo.signal.fourier_symmetry import SymmetryOperations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_POSTPROCESSED_VOLUMES = 5


@dataclass(frozen=True, eq=False)
class Work:
    """A reconstruction, planned.

    Parameters
    ----------
    particles : all of them
    groups : the portions of each group
    halves : 1 and 2, or 0 alone
    pixel_size : Å, of the maps
    operations : to average over
    mask : on the grid of the maps, or None
    item : adds up a group: gets ``shared`` and ``task``, a `GroupTask`
    shared : what every item gets
    prepare
        Writes what is known of a portion's particles to a file; gives the payload of its
        `PortionTask`, and of what content the portion is.
    first_half_weight : see `MapOptions`
    """

    particles: ReconstructedParticles
    groups: Sequence[Sequence[Portion]]
    halves: tuple[int, ...]
    pixel_size: float
    operations: SymmetryOperations
    mask: Tensor | None
    item: Callable[[dict[str, Any]], dict[str, Any]]
    shared: dict[str, Any]
    prepare: Callable[[Portion, Path], tuple[Any, Any]]
    first_half_weight: bool = False


def reconstruct(
    job: "Job", settings: MapSettings, work: Work, inputs: Sequence[Path], device: str
) -> Path:
    """Add up the particles, make maps of the sums, and postprocess them.

    Parameters
    ----------
    job : its folder, ledger and executor
    settings : of the command
    work : what to do
    inputs : files that are read
    device : where sums are added up

    Returns
    -------
    Path of ``merged.mrc``
    """
    size = work.particles.box_size
    names = [f"group {number}" for number in range(1, len(work.groups) + 1)]
    earlier = [] if settings.resume else earlier_results(job.folder)
    folder = job.folder / TEMPORARY
    needed, writes = _bytes_needed(work), (*RESULTS, TEMPORARY)
    with job.start([*names, "maps"], inputs=inputs, bytes_needed=needed, writes=writes):
        if not settings.resume:
            remove_sums(folder)
            remove_files(earlier)
        tasks = _tasks(work, folder, device, backup=settings.backup)
        payloads = {
            name: {**work.shared, "task": task} for name, task in zip(names, tasks, strict=True)
        }
        maps = MapPlan(
            pixel_size=work.pixel_size,
            operations=work.operations,
            options=MapOptions(
                crop_size=settings.crop_size,
                taper_px=settings.taper,
                snr=settings.snr,
                first_half_weight=work.first_half_weight,
            ),
            keep_volumes=settings.keep_volumes,
            files=map_files(
                work.halves,
                cropped=settings.crop_size not in (None, size),
                kept=settings.keep_volumes,
            ),
        )
        added = add_up_and_write(job, work.item, payloads, maps)
        lost = [
            portion.rows
            for name, group in zip(names, work.groups, strict=True)
            for portion in group
            if (name, portion.tomogram) in added.lost
        ]
        particles = work.particles
        if lost:
            particles = particles.without(np.concatenate(lost), added.n_images)
        return finish_reconstruction(job, particles, settings, work.mask)


def _bytes_needed(work: Work) -> float:
    """Estimate what the sums of the groups take, and the maps."""
    size, n_halves = work.particles.box_size, len(work.halves)
    volumes = 4 * (n_halves + 1) + _POSTPROCESSED_VOLUMES
    return len(work.groups) * sum_bytes(size, n_halves) + 4.0 * size**3 * volumes


def _tasks(work: Work, folder: Path, device: str, *, backup: bool) -> Iterator[GroupTask]:
    """Write what each group must know of its particles; its sums are named by what goes in."""
    for number, group in enumerate(work.groups, start=1):
        portions, contents = [], []
        for index, portion in enumerate(group, start=1):
            payload, content = work.prepare(portion, folder / f"particles_{number}_{index}.npz")
            portions.append(PortionTask(portion.tomogram, len(portion.rows), payload))
            contents.append(content_digest(content))
        yield GroupTask(
            path=folder / f"sums_{number}_{content_digest(contents)}.npz",
            halves=work.halves,
            box_size=work.particles.box_size,
            device=device,
            portions=portions,
            backup=backup,
        )
