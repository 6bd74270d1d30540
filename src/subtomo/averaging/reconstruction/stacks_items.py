"""The items of ``subtomo reconstruct stacks``: groups of particles added up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.reconstruction.group_sums import GroupTask, add_group
from subtomo.averaging.reconstruction.stacks_portion import StackPortion
from subtomo.averaging.reconstruction.stacks_settings import ReconstructStacksSettings
from subtomo.jobs.memory import keep_freed_memory
from subtomo.signal.circle import subtract_background
from subtomo.signal.fourier_insertion import insert_slices_gather
from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.particle_spectra import particle_spectra, transfer_of
from subtomo.signal.spectrum_grids import SpectrumGrids, spectrum_grids
from subtomo.sources.particle_stacks import SeriesStacks, StackViews

_BATCH_BYTES = 3e6  # of images at a time: what stays in a core's cache with their spectra


@dataclass(frozen=True, eq=False)
class StackGrids:
    """What the spectra of a tilt series' images are multiplied by, and how they are inserted.

    Parameters
    ----------
    transfer : CTF and dose weight
    applied : what the spectra are multiplied by: that, or only its extent
    radii : (tilt,) voxels of the map's spectrum that get something
    factor : of the spectra, with the contrast's sign
    subtract : the background of the images
    """

    transfer: SpectrumGrids
    applied: SpectrumGrids
    radii: Tensor
    factor: float
    subtract: bool


def back_project_stacks(payload: dict[str, Any]) -> dict[str, Any]:
    """Add up the images of a group of particles.

    Parameters
    ----------
    payload : settings and task, a `GroupTask` whose portions' payloads are `StackPortion`

    Returns
    -------
    ``n_images`` and ``failures``
    """
    keep_freed_memory()
    settings: ReconstructStacksSettings = payload["settings"]
    task: GroupTask = payload["task"]

    def add(sums: dict[int, FourierSums], portion: StackPortion) -> int:
        stacks, halves = portion.read()
        grids = stack_grids(portion, settings, task.device)
        return sum(_add_batch(sums, some, halves[index], grids) for index, some in _batches(stacks))

    return add_group(task, add)


def stack_grids(
    portion: StackPortion, settings: ReconstructStacksSettings, device: str = "cpu"
) -> StackGrids:
    """Tabulate what the images of a portion are multiplied by.

    Parameters
    ----------
    portion : of one tilt series and optics group
    settings : of the command
    device : where it is computed
    """
    transfer = spectrum_grids(
        portion.tilt_series,
        portion.box_size,
        portion.pixel_size,
        ctf=settings.ctf,
        aberrations=replace(portion.aberrations, odd=()),
        device=device,
    )
    radii = transfer.ends_above(settings.cutoff_fraction)[:, 0].cpu()
    applied = transfer
    if settings.ctf:
        transfer = applied = transfer.cut_off(settings.cutoff_fraction)
        if portion.is_premultiplied:
            applied = transfer.only_extent()
    sign = -1.0 if settings.invert_contrast else 1.0
    return StackGrids(transfer, applied, radii, sign / portion.box_size, settings.circle_crop)


def _batches(stacks: SeriesStacks) -> Iterator[tuple[NDArray[np.intp], SeriesStacks]]:
    """Cut particles into batches whose images stay in the cache, with their indices."""
    counts = stacks.visible.sum(axis=1)
    most = max(1, int(_BATCH_BYTES / (4 * stacks.box_size**2)))
    number = (np.cumsum(counts) - 1) // most
    for part in np.split(np.arange(len(stacks)), np.flatnonzero(np.diff(number)) + 1):
        yield part, stacks.select(part)


def _add_batch(
    sums: Mapping[int, FourierSums],
    stacks: SeriesStacks,
    halves: NDArray[np.int64],
    grids: StackGrids,
) -> int:
    """Add the images of some particles; give their number."""
    images = torch.from_numpy(stacks.load())
    if grids.subtract:
        _subtract_where_none_was(images)
    views = stacks.views()
    spectra, weights = _spectra(images.to(grids.transfer.turns.device), views, grids)
    matrices = torch.from_numpy(np.linalg.inv(views.rotation).swapaxes(1, 2))
    radii = grids.radii[views.tilt]
    half_of = halves[views.particle]
    for half in np.unique(half_of).tolist():
        mine = torch.from_numpy(np.flatnonzero(half_of == half))
        there = mine.to(spectra.device)
        insert_slices_gather(
            sums[half], spectra[there], weights[there], matrices[mine], radii[mine]
        )
    return len(views)


def _subtract_where_none_was(images: Tensor) -> None:
    """Subtract the background, in place, from images whose corners are not 0 already."""
    size = images.shape[-1]
    rest = images[:, :: size - 1, :: size - 1].flatten(1).any(dim=1)
    if rest.all():
        subtract_background(images, size // 2)
    elif rest.any():
        some = images[rest]
        subtract_background(some, size // 2)
        images[rest] = some


def _spectra(images: Tensor, views: StackViews, grids: StackGrids) -> tuple[Tensor, Tensor]:
    """Give spectra with the particle in the centre, multiplied as they should be, and weights."""
    device = images.device
    tilts = torch.from_numpy(views.tilt).to(device)
    depths = torch.from_numpy(views.depth).float().to(device)
    shifts = torch.from_numpy(views.shift).to(device)
    spectra, transfer = particle_spectra(
        torch.fft.rfft2(images), shifts, tilts, depths, grids.applied, grids.factor
    )
    if grids.applied is not grids.transfer:
        transfer = transfer_of(tilts, depths, grids.transfer)
    return spectra, transfer.square_()
