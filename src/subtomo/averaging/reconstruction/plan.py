"""What will be reconstructed, found from the tables before any pixel is read."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subtomo.averaging.box import Box
from subtomo.averaging.given_mask import check_length, given_mask
from subtomo.averaging.reconstruction.groups import Portion, cut_groups
from subtomo.averaging.reconstruction.halves import choose_halves
from subtomo.averaging.reconstruction.settings import MapSettings, ReconstructionSettings
from subtomo.errors import DataError, SettingsError
from subtomo.geometry.particle_views import ViewGrid, neighbourhoods, particle_views
from subtomo.signal.fourier_symmetry import Helix, SymmetryOperations, symmetry_operations
from subtomo.sources.particle_poses import Poses, particle_poses, warn_unoriented
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.project import open_project
from subtomo.sources.series_checks import require_ctf, require_window

SUM_BYTES = 24  # of a voxel: real part, imaginary part, weight


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What will be reconstructed.

    Parameters
    ----------
    project : particles that are visible on an image, and tilt series
    poses : of these particles
    halves : 1 and 2, or 0 alone where the table has none
    numbers : (n,) of the particles in their tomograms, from 1
    groups : the portions of each group
    pixel_size : Å, of the maps before binning: that of the first tomogram of the table
    operations : to average over
    n_images : how many images will be added
    n_unseen : how many particles of the table are visible on none, and left out
    mask : of the maps, or None: to be made
    """

    project: ParticleProject
    poses: Poses
    halves: tuple[int, ...]
    numbers: NDArray[np.int64]
    groups: list[list[Portion]]
    pixel_size: float
    operations: SymmetryOperations
    n_images: int
    n_unseen: int
    mask: Tensor | None


def plan_reconstruction(settings: ReconstructionSettings) -> Reconstruction:
    """Read the tables and cut the particles into groups.

    Raises
    ------
    SubtomoError
        If the tables cannot be used, the boxes do not fit the images, or no particle is visible.
    """
    project = open_project(settings, need_ctf=settings.ctf)
    poses = particle_poses(project)
    warn_unoriented(project)
    numbers = _numbers(project)
    _check_series(project, settings)
    n_views = _count_views(project, poses, settings)
    seen = n_views > 0
    if not seen.any():
        raise DataError(
            f"{project.particles.source}: no particle lies {settings.box_size / 2:g} pixels or "
            "more inside any tilt image; give a smaller --box-size, or check the coordinates"
        )
    project = replace(project, particles=project.particles.select(seen))
    poses = poses.select(seen)
    poses = replace(poses, half=choose_halves(project, poses.half, settings))
    halves = tuple(np.unique(poses.half).tolist())
    pixel_size = next(iter(project.tilt_series.values())).pixel_size
    return Reconstruction(
        project=project,
        poses=poses,
        halves=halves,
        numbers=numbers[seen],
        groups=cut_groups(
            project.rows_by_tomogram(),
            poses.optics_row,
            poses.half,
            sum_bytes=sum_bytes(settings.box_size, len(halves)),
            place=neighbourhoods(poses.position_px),
        ),
        pixel_size=pixel_size,
        operations=operations_of(settings, pixel_size * settings.bin),
        n_images=int(n_views.sum()),
        n_unseen=int((~seen).sum()),
        mask=mask_of(
            settings, Box(settings.crop_size or settings.box_size, pixel_size * settings.bin)
        ),
    )


def view_grid(settings: ReconstructionSettings) -> ViewGrid:
    """Give the grid of the settings; the margin is half a box of unbinned pixels, as in RELION."""
    return ViewGrid(settings.box_size, settings.bin, settings.box_size / 2)


def sum_bytes(box_size: int, n_halves: int) -> float:
    """Size of the sums of all halves."""
    return float(SUM_BYTES * n_halves * box_size**2 * (box_size // 2 + 1))


def operations_of(settings: MapSettings, pixel_size: float) -> SymmetryOperations:
    """List the operations that the settings ask for, for maps of a pixel size (Å).

    Raises
    ------
    SettingsError
        If there is no such point group.
    """
    helix = None
    if settings.nr_helical_asu > 1:
        helix = Helix(
            settings.nr_helical_asu, settings.helical_rise / pixel_size, settings.helical_twist
        )
    try:
        return symmetry_operations(settings.symmetry, helix)
    except SettingsError as error:
        raise SettingsError(f"--symmetry: {error}") from None


def mask_of(settings: MapSettings, box: Box) -> Tensor | None:
    """Give the mask of the settings, if any, and check all lengths in Å against the maps' box.

    Raises
    ------
    SubtomoError
        If a length or the mask does not fit the box.
    """
    if settings.low_pass is not None:
        check_length("low_pass", settings.low_pass, box, least_px=2)
    if settings.local_window is not None:
        check_length("local_window", settings.local_window, box)
    return given_mask(settings, box)


def _check_series(project: ParticleProject, settings: ReconstructionSettings) -> None:
    """Refuse tilt series that lack what is needed of them."""
    for name in project.rows_by_tomogram():
        series = project.tilt_series[name]
        if settings.ctf:
            require_ctf(series)
        require_window(series, settings.box_size, settings.bin, settings.window_size)


def _count_views(
    project: ParticleProject, poses: Poses, settings: ReconstructionSettings
) -> NDArray[np.int64]:
    """Count the images that each particle is visible on, (n,)."""
    counts = np.zeros(len(project), dtype=np.int64)
    for name, rows in project.rows_by_tomogram().items():
        series = project.tilt_series[name]
        views = particle_views(
            series,
            poses.position_px[rows] * series.pixel_size,
            view_grid(settings),
            trajectories=project.trajectories_of(rows),
        )
        counts[rows] = views.visible.sum(axis=1)
    return counts


def _numbers(project: ParticleProject) -> NDArray[np.int64]:
    """Give the place of each particle in its tomogram, from 1, (n,)."""
    numbers = np.zeros(len(project), dtype=np.int64)
    for rows in project.rows_by_tomogram().values():
        numbers[rows] = np.arange(1, len(rows) + 1)
    return numbers
