"""Particles of one tilt series that are added together, on disk between plan and item."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.atomic import replacing
from subtomo.model import Aberrations, TiltSeries
from subtomo.sources.particle_stacks import SeriesStacks


@dataclass(frozen=True, eq=False)
class StackPortion:
    """Particles that are added together.

    Parameters
    ----------
    path : file of what is known of each of them
    tilt_series : theirs, without images
    aberrations : of their optics group; the odd ones are out of the images already
    is_premultiplied : whether the images are multiplied by their CTF and dose weight
    box_size : pixels along each edge of an image
    pixel_size : Å, of the images
    """

    path: Path
    tilt_series: TiltSeries
    aberrations: Aberrations
    is_premultiplied: bool
    box_size: int
    pixel_size: float

    def write(self, stacks: SeriesStacks, halves: NDArray[np.int64]) -> None:
        """Write the particles.

        Parameters
        ----------
        stacks : of the tilt series
        halves : (m,) keys of the sums
        """
        names = [str(file).encode("utf-8", "surrogateescape") for file in stacks.files]
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                files=np.array(names),
                visible=stacks.visible,
                holds_all=stacks.holds_all,
                cut_px=stacks.cut_px,
                position_px=stacks.position_px,
                orientation=stacks.orientation,
                halves=halves,
            )

    def read(self) -> tuple[SeriesStacks, NDArray[np.int64]]:
        """Read the particles and their halves."""
        with np.load(self.path, allow_pickle=False) as file:
            names = [name.decode("utf-8", "surrogateescape") for name in file["files"].tolist()]
            stacks = SeriesStacks(
                tilt_series=self.tilt_series,
                files=tuple(Path(name) for name in names),
                visible=file["visible"],
                holds_all=file["holds_all"],
                cut_px=file["cut_px"],
                position_px=file["position_px"],
                orientation=file["orientation"],
                box_size=self.box_size,
                pixel_size=self.pixel_size,
            )
            return stacks, file["halves"]
