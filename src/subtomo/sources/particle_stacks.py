"""Particles that were extracted: each has a file with its images, one a visible tilt."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.formats.mrc import read_mrc
from subtomo.geometry.tilt_projection import depths, tilt_rotations
from subtomo.model import TiltSeries
from subtomo.sources.particle_poses import Poses
from subtomo.sources.particle_project import ParticleProject

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StackViews:
    """How the images of some particles were seen, one entry an image.

    Entries are ordered by particle, then by tilt; particles may have different numbers of them.

    Parameters
    ----------
    particle : (k,) which of the particles
    tilt : (k,) tilt of the series
    rotation : (k, 3, 3) from the particle to the image; rows 0 and 1 are the image's x and y
    shift : (k, 2) pixels of the image, columns x, y, of the particle from pixel n // 2
    depth : (k,) Å along the beam, from the tomogram's centre, where the image was cut
    """

    particle: IntArray
    tilt: IntArray
    rotation: FloatArray
    shift: FloatArray
    depth: FloatArray

    def __len__(self) -> int:
        return len(self.tilt)


@dataclass(frozen=True, eq=False)
class SeriesStacks:
    """Particles of one tilt series with their images, which are read when they are asked for.

    Parameters
    ----------
    tilt_series : without images
    files : (m,) of the particles' images
    visible : (m, tilt) bool, which tilts have an image
    holds_all : (m,) whether a file has an image of every tilt, not of the visible ones only
    cut_px : (m, 3) where the images were cut, pixels of the tilt series from the tomogram's corner
    position_px : (m, 3) where the particles are
    orientation : (m, 3, 3) from the particle to the tomogram
    box_size : pixels along each edge of an image
    pixel_size : Å, of the images
    """

    tilt_series: TiltSeries
    files: tuple[Path, ...]
    visible: NDArray[np.bool_]
    holds_all: NDArray[np.bool_]
    cut_px: FloatArray
    position_px: FloatArray
    orientation: FloatArray
    box_size: int
    pixel_size: float

    def __len__(self) -> int:
        return len(self.files)

    def select(self, index: NDArray[np.intp]) -> "SeriesStacks":
        """Keep some of the particles, in that order."""
        return SeriesStacks(
            tilt_series=self.tilt_series,
            files=tuple(self.files[i] for i in index.tolist()),
            visible=self.visible[index],
            holds_all=self.holds_all[index],
            cut_px=self.cut_px[index],
            position_px=self.position_px[index],
            orientation=self.orientation[index],
            box_size=self.box_size,
            pixel_size=self.pixel_size,
        )

    def views(self) -> StackViews:
        """Find how the images were seen."""
        series = self.tilt_series
        particle, tilt = np.nonzero(self.visible)
        rotations = tilt_rotations(series)[tilt]
        offset = (self.position_px - self.cut_px)[particle] * series.pixel_size
        shift = np.einsum("kij,kj->ki", rotations[:, :2], offset) / self.pixel_size
        return StackViews(
            particle=particle,
            tilt=tilt,
            rotation=rotations @ self.orientation[particle],
            shift=shift,
            depth=depths(series, self.cut_px * series.pixel_size)[tilt, particle],
        )

    def load(self) -> NDArray[np.float32]:
        """Read all images, in the order of the views.

        Returns
        -------
        (k, box size, box size) float32

        Raises
        ------
        DataError
            If a value is not finite.
        """
        counts = self.visible.sum(axis=1)
        images = np.empty((int(counts.sum()), self.box_size, self.box_size), dtype=np.float32)
        ends = np.cumsum(counts).tolist()
        for row, (file, end) in enumerate(zip(self.files, ends, strict=True)):
            mine = images[end - counts[row] : end]
            values = read_mrc(file)[0]
            mine[:] = values[self.visible[row]] if self.holds_all[row] else values[:]
            if not np.isfinite(mine).all():
                raise DataError(
                    f"{file}: holds values that are NaN or infinite; extract the particle again, "
                    "or leave it out of the table"
                )
        return images


@dataclass(frozen=True, eq=False)
class ParticleStacks:
    """All particles of a table, with their images.

    Parameters
    ----------
    project : the tables; the tilt series have no images
    poses : of all particles, their offsets applied
    cut_px : (n, 3) where the images were cut: like the poses' positions, without the offsets
    files : (n,) their images
    visible : of each particle, (tilt,) bool, which tilts of its series have an image
    holds_all : (n,) whether a file has an image of every tilt, not of the visible ones only
    box_size : pixels along each edge of an image
    pixel_size : Å, of the images
    is_premultiplied : (n,) whether the images are multiplied by their CTF and dose weight
    """

    project: ParticleProject
    poses: Poses
    cut_px: FloatArray
    files: tuple[Path, ...]
    visible: tuple[NDArray[np.bool_], ...]
    holds_all: NDArray[np.bool_]
    box_size: int
    pixel_size: float
    is_premultiplied: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def image_count(self) -> int:
        """Number of images of all particles."""
        return sum(int(visible.sum()) for visible in self.visible)

    def of_series(self, name: str, rows: NDArray[np.intp]) -> SeriesStacks:
        """Give particles of one tilt series.

        Parameters
        ----------
        name : of the tomogram
        rows : (m,) of its particles
        """
        return SeriesStacks(
            tilt_series=self.project.tilt_series[name],
            files=tuple(self.files[row] for row in rows.tolist()),
            visible=np.stack([self.visible[row] for row in rows.tolist()]),
            holds_all=self.holds_all[rows],
            cut_px=self.cut_px[rows],
            position_px=self.poses.position_px[rows],
            orientation=self.poses.orientation[rows],
            box_size=self.box_size,
            pixel_size=self.pixel_size,
        )
