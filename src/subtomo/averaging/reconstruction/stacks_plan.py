"""What will be reconstructed from stacks, found before any pixel is read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.reconstruction.groups import Portion, cut_groups
from subtomo.averaging.reconstruction.halves import choose_halves
from subtomo.averaging.reconstruction.plan import mask_of, operations_of, sum_bytes
from subtomo.averaging.reconstruction.stacks_settings import ReconstructStacksSettings
from subtomo.errors import DataError, SettingsError
from subtomo.signal.fourier_symmetry import SymmetryOperations
from subtomo.sources.particle_poses import warn_unoriented
from subtomo.sources.particle_stacks import ParticleStacks
from subtomo.sources.stack_tables import open_particle_stacks


@dataclass(frozen=True, eq=False)
class StackReconstruction:
    """What will be reconstructed.

    Parameters
    ----------
    stacks : the particles
    half : (n,) 1 or 2, or 0 for all
    groups : the portions of each group
    operations : to average over
    mask : on the grid of the maps, or None
    """

    stacks: ParticleStacks
    half: NDArray[np.int64]
    groups: list[list[Portion]]
    operations: SymmetryOperations
    mask: Tensor | None

    @property
    def halves(self) -> tuple[int, ...]:
        """1 and 2, or 0 alone where there are no halves."""
        return tuple(np.unique(self.half).tolist())


def plan_stacks(settings: ReconstructStacksSettings) -> StackReconstruction:
    """Read tables and headers, choose the halves and cut the particles into groups.

    Raises
    ------
    SubtomoError
        If the tables or stacks cannot be used, or the maps do not fit the images.
    """
    stacks = open_particle_stacks(settings)
    warn_unoriented(stacks.project)
    size = settings.crop_size or stacks.box_size
    if size > stacks.box_size:
        raise SettingsError(
            f"--crop-size is {size}, larger than the images of {stacks.box_size} pixels; expected "
            "at most their size"
        )
    if settings.ctf:
        _check_ctf(stacks)
    half = choose_halves(stacks.project, stacks.poses.half, settings)
    n_halves = len(np.unique(half))
    return StackReconstruction(
        stacks=stacks,
        half=half,
        groups=cut_groups(
            stacks.project.rows_by_tomogram(),
            stacks.poses.optics_row,
            half,
            sum_bytes=sum_bytes(stacks.box_size, n_halves),
        ),
        operations=operations_of(settings, stacks.pixel_size),
        mask=mask_of(settings, Box(size, stacks.pixel_size)),
    )


def _check_ctf(stacks: ParticleStacks) -> None:
    for name in stacks.project.rows_by_tomogram():
        if stacks.project.tilt_series[name].ctf is None:
            raise DataError(
                f"tilt series {name} has no CTF (rlnDefocusU, rlnDefocusV, rlnDefocusAngle); give "
                "a table of tomograms that has one, or --no-ctf"
            )
