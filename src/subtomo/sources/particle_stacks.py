"""Particles that were extracted: each has a file with its images, one a visible tilt."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.formats.mrc import read_mrc
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.sources.particle_poses import Poses
from subtomo.sources.particle_project import ParticleProject

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StackViews:
    """The images of some particles and how they were seen, one entry an image.

    Entries are ordered by particle, then by tilt; particles may have different numbers of them.

    Parameters
    ----------
    particle : (k,) which of the particles asked for
    tilt : (k,) tilt of the particle's series
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
class ParticleStacks:
    """Particles with their images, which are read when they are asked for.

    Parameters
    ----------
    project : the tables; the tilt series have no images
    poses : of all particles, their offsets applied
    cut_px : (n, 3) where the images were cut: like the poses' positions, without the offsets
    files : (n,) their images
    tilts : of each particle, (visible tilt,) of its series, rising
    slices : of each particle, (visible tilt,) of its file
    box_size : pixels along each edge of an image
    pixel_size : Å, of the images
    is_premultiplied : (n,) whether the images are multiplied by their CTF and dose weight
    """

    project: ParticleProject
    poses: Poses
    cut_px: FloatArray
    files: tuple[Path, ...]
    tilts: tuple[IntArray, ...]
    slices: tuple[IntArray, ...]
    box_size: int
    pixel_size: float
    is_premultiplied: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def image_count(self) -> int:
        """Number of images of all particles."""
        return sum(map(len, self.tilts))

    def views(self, rows: NDArray[np.intp]) -> StackViews:
        """Find how particles were seen.

        Parameters
        ----------
        rows : (m,) of the particles, of one tilt series or several

        Returns
        -------
        StackViews
        """
        counts = [len(self.tilts[row]) for row in rows.tolist()]
        rotation, shift, depth = np.empty((sum(counts), 3, 3)), [], []
        end = 0
        for row, rotations in zip(rows.tolist(), self._tilt_rotations(rows), strict=True):
            series = self.project.tilt_series[str(self.project.tomogram[row])]
            start, end = end, end + len(rotations)
            rotation[start:end] = rotations @ self.poses.orientation[row]
            offset = (self.poses.position_px[row] - self.cut_px[row]) * series.pixel_size
            shift.append(rotations[:, :2] @ offset / self.pixel_size)
            assert series.tomogram_size_px is not None  # the centre was needed for the positions
            from_centre = self.cut_px[row] - np.array(series.tomogram_size_px) / 2
            depth.append(rotations[:, 2] @ from_centre * series.pixel_size)
        return StackViews(
            particle=np.repeat(np.arange(len(rows)), counts),
            tilt=np.concatenate([self.tilts[row] for row in rows.tolist()]),
            rotation=rotation,
            shift=np.concatenate(shift),
            depth=np.concatenate(depth),
        )

    def load(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Read the images of particles, in the order of their views.

        Parameters
        ----------
        rows : (m,) of the particles

        Returns
        -------
        (k, box size, box size) float32

        Raises
        ------
        DataError
            If a value is not finite.
        """
        total = sum(len(self.tilts[row]) for row in rows.tolist())
        images = np.empty((total, self.box_size, self.box_size), dtype=np.float32)
        end = 0
        for row in rows.tolist():
            start, end = end, end + len(self.slices[row])
            images[start:end] = read_mrc(self.files[row])[0][self.slices[row]]
            if not np.isfinite(images[start:end]).all():
                raise DataError(
                    f"{self.files[row]}: holds values that are NaN or infinite; extract the "
                    "particle again, or leave it out of the table"
                )
        return images

    def _tilt_rotations(self, rows: NDArray[np.intp]) -> Iterator[FloatArray]:
        """Give the rotations (visible tilt, 3, 3) from the tomogram to the images, by particle."""
        known: dict[str, FloatArray] = {}
        for row, name in zip(rows.tolist(), self.project.tomogram[rows].tolist(), strict=True):
            if name not in known:
                known[name] = tilt_rotations(self.project.tilt_series[name])
            yield known[name][self.tilts[row]]
