"""Poses of particles in their boxes: of one reference, and of each of several."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Poses:
    """Poses of particles in their boxes.

    Parameters
    ----------
    orientation : (b, 4) quaternions x, y, z, w, reference to box
    shift_px : (b, 3) voxels, x, y, z, from the starting position
    score : (b,) correlation coefficient, NaN before alignment
    """

    orientation: FloatArray
    shift_px: FloatArray
    score: FloatArray


@dataclass(frozen=True, eq=False)
class ClassPoses:
    """Poses of particles in each of several classes, and how likely each class is.

    Parameters
    ----------
    orientation : (b, k, 4) quaternions x, y, z, w, reference to box
    shift_px : (b, k, 3) voxels, x, y, z, from the starting position
    score : (b, k) correlation coefficient, NaN before alignment
    probability : (b, k) adding up to 1 for each particle
    """

    orientation: FloatArray
    shift_px: FloatArray
    score: FloatArray
    probability: FloatArray

    @staticmethod
    def at(orientation: FloatArray, probability: FloatArray) -> "ClassPoses":
        """Put particles at the same orientation in all classes, not shifted.

        Parameters
        ----------
        orientation : (b, 4)
        probability : (b, k)
        """
        count, classes = probability.shape
        return ClassPoses(
            np.repeat(np.asarray(orientation)[:, None], classes, axis=1),
            np.zeros((count, classes, 3)),
            np.full((count, classes), np.nan),
            probability,
        )

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.probability.shape[1])

    @property
    def best(self) -> NDArray[np.intp]:
        """The likeliest class of each particle: (b,), from 0."""
        return np.asarray(self.probability.argmax(axis=1))

    def of_class(self, which: int) -> Poses:
        """Give the poses in one class."""
        return Poses(self.orientation[:, which], self.shift_px[:, which], self.score[:, which])

    def of_best(self) -> Poses:
        """Give each particle's pose in its likeliest class."""
        rows, best = np.arange(len(self.probability)), self.best
        return Poses(
            self.orientation[rows, best], self.shift_px[rows, best], self.score[rows, best]
        )

    def select(self, rows: NDArray[np.int64] | slice) -> "ClassPoses":
        """Keep some of the particles, in the order of ``rows``."""
        return ClassPoses(
            self.orientation[rows], self.shift_px[rows], self.score[rows], self.probability[rows]
        )

    @staticmethod
    def joined(parts: "list[ClassPoses]") -> "ClassPoses":
        """Put the particles of several together."""
        return ClassPoses(
            np.concatenate([part.orientation for part in parts]),
            np.concatenate([part.shift_px for part in parts]),
            np.concatenate([part.score for part in parts]),
            np.concatenate([part.probability for part in parts]),
        )
