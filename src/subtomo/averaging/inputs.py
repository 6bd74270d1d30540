"""The particles to be averaged, read and checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.given_mask import given_mask
from subtomo.averaging.halves import assign_halves
from subtomo.averaging.particle_settings import AveragedParticles
from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.formats.particles import read_particles
from subtomo.formats.subtomograms import are_rotated, box_centres, box_files, transfer_files
from subtomo.formats.volumes import read_volume
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.model import Particles
from subtomo.signal.fourier import half_of_centred

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_LARGEST = 1e15  # of a box's values, in float32


@dataclass(frozen=True, eq=False)
class AverageInputs:
    """The particles to be averaged.

    Parameters
    ----------
    particles : with their halves assigned
    boxes : (n,) files of their boxes
    transfers : (n,) files of their transfer functions, or None
    starts_px : (n, 3) voxels, x, y, z, of the positions from voxel n // 2 of the boxes
    box : of all of them
    symmetry : (g, 3, 3) rotations of the point group
    mask : (box, box, box) or None
    """

    particles: Particles
    boxes: list[Path]
    transfers: list[Path] | None
    starts_px: NDArray[np.float64]
    box: Box
    symmetry: Tensor
    mask: Tensor | None


@dataclass(frozen=True, eq=False)
class BoxFiles:
    """The boxes of a table.

    Parameters
    ----------
    boxes : (n,) their files
    transfers : (n,) files of their transfer functions, or None
    starts_px : (n, 3) voxels, x, y, z, of the positions from voxel n // 2 of the boxes
    box : of all of them
    """

    boxes: list[Path]
    transfers: list[Path] | None
    starts_px: NDArray[np.float64]
    box: Box


def find_boxes(particles: Particles, table: Path) -> BoxFiles:
    """Find the boxes of a table, by their headers, and check that they fit together.

    Parameters
    ----------
    particles : at least one
    table : path of the table they were read from

    Raises
    ------
    DataError
        If boxes were turned, or a particle lies outside its box.
    ShapeError
        If boxes or transfer functions differ in size.
    """
    if are_rotated(particles).any():
        raise DataError(
            f"{table}: its boxes were turned to the reference; averaging needs them as they stand: "
            "extract them again without --rotate"
        )
    boxes = box_files(particles, table)
    transfers = transfer_files(particles, table)
    box = _common_box(boxes)
    for path in dict.fromkeys(transfers or []):
        _check_grid(path, box, "transfer function")
    return BoxFiles(boxes, transfers, _starts_px(particles, box, table), box)


def read_inputs(settings: AveragedParticles) -> AverageInputs:
    """Read the table and the headers of the boxes, and check that they fit together.

    Raises
    ------
    DataError
        If there are too few particles, their boxes were turned, or one lies outside its box.
    ShapeError
        If boxes, transfer functions or the mask differ in size.
    SettingsError
        If the symmetry is unknown, or a mask longer than the boxes.
    """
    table = settings.particles
    particles = read_particles(table)
    if len(particles) < 2:
        raise DataError(f"{table}: {len(particles)} particles; expected at least two")
    particles = particles.with_columns(half=assign_halves(particles, settings.seed))
    files = find_boxes(particles, table)
    box = files.box
    return AverageInputs(
        particles=particles,
        boxes=files.boxes,
        transfers=files.transfers,
        starts_px=files.starts_px,
        box=box,
        symmetry=torch.from_numpy(
            matrices_from_quaternions(symmetry_quaternions(settings.symmetry))
        ),
        mask=given_mask(settings, box),
    )


def warn_without_transfers(job: "Job", transfers: object | None, what: str = "average") -> None:
    """Tell that a result is not corrected where the particles say nothing of their wedges."""
    if transfers is None:
        job.warn(
            f"the particles have no transfer functions (rlnCtfImage): the {what} is not "
            "corrected for the missing wedge"
        )


def empty_average(table: Path) -> DataError:
    """Say that an average of a table's particles is one of nothing."""
    return DataError(
        f"{table}: the average is 0 everywhere; expected boxes and transfer functions that are "
        "not: extract them again"
    )


def check_search(box: Box, initial_low_pass: float, max_shift: float | None) -> None:
    """Refuse what boxes cannot hold.

    Parameters
    ----------
    box : of the particles
    initial_low_pass, max_shift : options of the alignment, Å

    Raises
    ------
    SettingsError
        If the resolution is finer or the shift longer than the boxes can hold.
    """
    if initial_low_pass < 2 * box.pixel_size:
        raise SettingsError(
            f"--initial-low-pass is {initial_low_pass:g} Å, finer than two voxels of "
            f"{box.pixel_size:g} Å; expected more"
        )
    longest = box.size / 2 * box.pixel_size
    if (max_shift or 0) > longest:
        raise SettingsError(
            f"--max-shift is {max_shift:g} Å, more than half a box ({longest:g} Å); expected less"
        )


def load_boxes(files: list[Path], box: Box) -> Tensor:
    """Read boxes: (b, n, n, n) float32 on the box's device.

    Raises
    ------
    DataError
        If a box holds values that are not finite, or too large.
    """
    volumes = torch.empty((len(files), *(box.size,) * 3))
    for volume, path in zip(volumes, files, strict=True):
        volume.copy_(torch.tensor(read_volume(path).load()))
        if not torch.isfinite(volume).all():
            raise DataError(f"{path}: holds values that are NaN or infinite; extract it again")
        if volume.abs().max() > _LARGEST:
            raise DataError(
                f"{path}: holds values up to {float(volume.abs().max()):.3g}; expected at most "
                f"{_LARGEST:g}, whose squares can be added up: extract it with --normalise"
            )
    return volumes.to(box.device)


def load_transfers(files: list[Path] | None, count: int, box: Box) -> Tensor:
    """Read transfer functions: (b, n, n, n // 2 + 1) float32; 1 where there are none.

    Raises
    ------
    DataError
        If one holds values that are not finite.
    """
    shape = (box.size, box.size, box.size // 2 + 1)
    if files is None:
        return torch.ones(shape, device=box.device).expand(count, *shape)
    read = {path: _load_transfer(path).to(box.device) for path in dict.fromkeys(files)}
    return torch.stack([read[path] for path in files])


def _load_transfer(path: Path) -> Tensor:
    """Read one transfer function; refuse what is no number."""
    values = torch.tensor(read_volume(path).load())
    if not torch.isfinite(values).all():
        raise DataError(f"{path}: holds values that are NaN or infinite; extract it again")
    return half_of_centred(values)


def _starts_px(particles: Particles, box: Box, table: Path) -> NDArray[np.float64]:
    """Give the positions in the boxes (n, 3), voxels from voxel n // 2; refuse those outside."""
    starts = (particles.position - box_centres(particles)) / box.pixel_size
    outside = np.flatnonzero(np.abs(starts).max(axis=1) > box.size / 2)
    if len(outside):
        raise DataError(
            f"{table}, particle {outside[0] + 1}: its position lies outside its box of {box.size} "
            f"voxels, as do those of {len(outside) - 1} more; expected the table that goes with "
            "the boxes: extract them again"
        )
    return starts


def _common_box(files: list[Path]) -> Box:
    """Find the box of all files, by their headers."""
    first = read_volume(files[0])
    size = first.shape[0]
    if len(set(first.shape)) != 1 or size < 8:
        raise ShapeError(
            f"{files[0]}: box of {first.shape} voxels (z, y, x); expected a cube of at least 8"
        )
    box = Box(size, first.pixel_size)
    for path in dict.fromkeys(files):
        _check_grid(path, box, "box")
    return box


def _check_grid(path: Path, box: Box, what: str) -> None:
    """Raise unless a file is on the grid of the boxes."""
    volume = read_volume(path)
    if volume.shape != (box.size,) * 3:
        raise ShapeError(
            f"{path}: {what} of {volume.shape} voxels (z, y, x), other boxes have {box.size} along "
            "each edge; expected one size: extract them together"
        )
    if not np.isclose(volume.pixel_size, box.pixel_size, rtol=1e-3):
        raise ShapeError(
            f"{path}: {what} with pixel_size {volume.pixel_size:g} Å, others {box.pixel_size:g} Å; "
            "expected one: extract them together"
        )
