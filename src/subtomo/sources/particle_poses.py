"""Where the particles of a project are and how they are turned."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import DataError, StarError, SubtomoWarning
from subtomo.formats.relion_coordinates import CENTRED, COORDINATES, ORIGINS
from subtomo.formats.relion_particles import ANGLES, SUBTOMOGRAM_ANGLES, known_orientations
from subtomo.geometry.euler import quaternions_from_relion
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.sources.particle_project import ParticleProject, optics_rows

FloatArray = NDArray[np.float64]
HALF = "rlnRandomSubset"


@dataclass(frozen=True, eq=False)
class Poses:
    """Poses of particles, one entry a particle.

    Parameters
    ----------
    position_px : (n, 3) columns x, y, z, pixels of the tilt series from the tomogram's corner
    subtomogram : (n, 3, 3) rotation of the subtomogram, to the tomogram
    orientation : (n, 3, 3) rotation of the particle, to the tomogram
    half : (n,) 1 or 2; 0 where none is given
    optics_row : (n,) row of the optics group
    """

    position_px: FloatArray
    subtomogram: FloatArray
    orientation: FloatArray
    half: NDArray[np.int64]
    optics_row: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.half)

    def select(self, index: NDArray[Any]) -> "Poses":
        """Keep some of the particles: indices or a mask (n,)."""
        return Poses(
            self.position_px[index],
            self.subtomogram[index],
            self.orientation[index],
            self.half[index],
            self.optics_row[index],
        )


def particle_poses(project: ParticleProject, *, apply_offsets: bool = True) -> Poses:
    """Read the poses of a project's particles.

    Parameters
    ----------
    project
    apply_offsets : subtract ``rlnOrigin*Angst``, turned with the subtomogram, from the position

    Raises
    ------
    StarError
        If a column is missing or a value is not a finite number, or a half is not 0, 1 or 2.
    DataError
        If coordinates are relative to the centre of a tomogram whose size is not known.

    Notes
    -----
    position = size/2 + centred/a − A_sub · origin/a; orientation A = A_sub · A_part. The centre is
    size/2 as real numbers. ``rlnCoordinate*`` count where there are no centred coordinates. Source:
    RELION 5, commit 73f0a3c0.
    """
    table = project.particles
    pixel_size = np.array(
        [project.tilt_series[name].pixel_size for name in project.tomogram.tolist()]
    )[:, None]
    subtomogram = _matrices(table.stacked(SUBTOMOGRAM_ANGLES, default=0))
    position = _coordinates(project, pixel_size)
    origins = table.stacked(ORIGINS, default=0)
    if apply_offsets:
        position = position - np.einsum("nij,nj->ni", subtomogram, origins) / pixel_size
    half = table.integers(HALF, default=0)
    bad = np.flatnonzero((half < 0) | (half > 2))
    if len(bad):
        raise StarError(f"{table.place(bad[0])}: {HALF} is {half[bad[0]]}; expected 1 or 2")
    return Poses(
        position_px=position,
        subtomogram=subtomogram,
        orientation=subtomogram @ _matrices(table.stacked(ANGLES, default=0)),
        half=half,
        optics_row=optics_rows(project),
    )


def warn_unoriented(project: ParticleProject) -> None:
    """Tell of a table whose particles have no orientation, though they are to be averaged.

    Warns
    -----
    SubtomoWarning
        If none of them has one. Sources that make the table have told.
    """
    table = project.particles
    if not project.is_generated and not known_orientations(table).any():
        warnings.warn(
            f"{table.source}: none of {count_of(len(table), 'particle')} has an orientation "
            f"({', '.join(ANGLES)}): they are added up as they lie in the tomograms",
            SubtomoWarning,
            stacklevel=2,
        )


def tomogram_centres_px(project: ParticleProject) -> FloatArray:
    """Give the centre (n, 3) of each particle's tomogram, in pixels of the tilt series.

    Raises
    ------
    DataError
        If the size of a tomogram is not known.
    """
    centres: dict[str, list[float]] = {}
    for name in dict.fromkeys(project.tomogram.tolist()):
        size = project.tilt_series[name].tomogram_size_px
        if size is None:
            raise DataError(
                f"{project.tomograms_file}: tomogram {name} has no size; coordinates of particles "
                "are relative to its centre: add rlnTomoSizeX, rlnTomoSizeY, rlnTomoSizeZ"
            )
        centres[name] = [n / 2 for n in size]
    return np.array([centres[name] for name in project.tomogram.tolist()]).reshape(-1, 3)


def _coordinates(project: ParticleProject, pixel_size: FloatArray) -> FloatArray:
    """Positions in pixels before the offsets."""
    table = project.particles
    if table.has_all(CENTRED):
        return tomogram_centres_px(project) + table.stacked(CENTRED) / pixel_size
    table.require(COORDINATES, why=f"or {', '.join(CENTRED)}")
    return table.stacked(COORDINATES)


def _matrices(angles: FloatArray) -> FloatArray:
    return matrices_from_quaternions(quaternions_from_relion(angles))
