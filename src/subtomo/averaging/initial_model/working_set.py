"""Particles on the grid of the search, read when they are drawn."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band
from subtomo.averaging.initial_model.coarse_boxes import (
    coarser_box,
    crop_transfers,
    crop_volumes,
)
from subtomo.averaging.initial_model.orientation_search import (
    Bands,
    FoundPose,
    ObservedTwice,
    observe_twice,
)
from subtomo.averaging.inputs import load_boxes, load_transfers
from subtomo.averaging.sums import ParticleSums, measured_power, particle_sums
from subtomo.geometry.rotations import matrices_from_quaternions

_MEASURED = 64  # particles whose power the shells are weighted with


@dataclass(frozen=True, eq=False)
class WorkingParticle:
    """A particle on the working grid.

    Parameters
    ----------
    box : (s, s, s)
    transfer : (s, s, s // 2 + 1)
    start_px : (3,) voxels, x, y, z, of the position from voxel s // 2
    """

    box: Tensor
    transfer: Tensor
    start_px: Tensor


@dataclass(frozen=True, eq=False)
class WorkingSet:
    """Particles on the working grid.

    Parameters
    ----------
    full : their boxes
    boxes : (n,) files
    transfers : (n,) files, or None
    starts_px : (n, 3) voxels of the boxes, x, y, z, of the positions from voxel n // 2
    size : of the working grid
    radius : of the band, Fourier voxels
    max_shift_px : working voxels
    device : of the search
    """

    full: Box
    boxes: list[Path]
    transfers: list[Path] | None
    starts_px: NDArray[np.float64]
    size: int
    radius: float
    max_shift_px: float
    device: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "_read", {})

    def __len__(self) -> int:
        return len(self.boxes)

    @cached_property
    def box(self) -> Box:
        """The working grid."""
        return coarser_box(self.full, self.size)

    @cached_property
    def bands(self) -> Bands:
        """Of the search."""
        on_device = Box(self.box.size, self.box.pixel_size, self.device)
        return Bands(Band(on_device, self.radius, self.max_shift_px))

    @cached_property
    def weights(self) -> Tensor:
        """One over the mean power of the particles by shell (s // 2 + 1,)."""
        rows = np.unique(np.linspace(0, len(self) - 1, _MEASURED).round().astype(int))
        read = (self._load(int(row)) for row in rows)
        power = [measured_power(one.box, one.transfer, self.box) for one in read]
        return (1 / torch.stack(power).mean(dim=0).clamp_min(1e-12)).to(torch.float32)

    def on_grid(self, row: int, size: int) -> WorkingParticle:
        """Read a particle onto a grid of the same extent.

        Parameters
        ----------
        row : of the table
        size : voxels
        """
        files = None if self.transfers is None else [self.transfers[row]]
        one = load_boxes([self.boxes[row]], self.full)[0]
        transfer = load_transfers(files, 1, self.full)[0]
        start = torch.from_numpy(np.asarray(self.starts_px[row]) * size / self.full.size)
        return WorkingParticle(crop_volumes(one, size), crop_transfers(transfer, size), start)

    def observed(self, row: int) -> ObservedTwice:
        """Give a particle ready for the search."""
        kept: dict[Any, ObservedTwice] = self._kept
        if ("observed", row) not in kept:
            one = self._load(row)
            kept["observed", row] = observe_twice(
                one.box.to(self.device),
                one.transfer.to(self.device),
                one.start_px.to(self.device),
                self.weights.to(self.device),
                self.bands,
            )
        return kept["observed", row]

    def share(self, row: int, pose: FoundPose) -> ParticleSums:
        """Turn a particle to the model."""
        return share_of(self._load(row), pose.orientation, pose.shift_px, self.box)

    @property
    def _kept(self) -> dict[Any, Any]:
        kept: dict[Any, Any] = self.__dict__["_read"]
        return kept

    def _load(self, row: int) -> WorkingParticle:
        if row not in self._kept:
            self._kept[row] = self.on_grid(row, self.size)
        particle: WorkingParticle = self._kept[row]
        return particle


def share_of(
    particle: WorkingParticle,
    orientation: NDArray[np.float64],
    shift_px: NDArray[np.float64],
    box: Box,
) -> ParticleSums:
    """Turn a particle to a model.

    Parameters
    ----------
    particle : on some grid
    orientation : (4,) quaternion, model to box
    shift_px : (3,) voxels of the grid, x, y, z, from its position
    box : the grid
    """
    return particle_sums(
        particle.box[None],
        particle.transfer[None],
        torch.from_numpy(matrices_from_quaternions(np.asarray(orientation)[None])),
        (particle.start_px + torch.from_numpy(np.asarray(shift_px)))[None],
        box,
    )
