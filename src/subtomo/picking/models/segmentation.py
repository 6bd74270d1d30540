"""The surfaces of a segmentation."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from subtomo.errors import DataError, SubtomoWarning
from subtomo.formats.finite import require_finite
from subtomo.formats.volumes import read_volume
from subtomo.model import Volume
from subtomo.picking.models.covered_model import CoveredModel
from subtomo.picking.models.geometric_model import Length, Point
from subtomo.picking.models.limits import MOST_SMOOTHING, MOST_SMOOTHING_PX
from subtomo.picking.models.poses import Poses
from subtomo.picking.surfaces.cropping import crop_points
from subtomo.picking.surfaces.segmentation import surfaces_from_segmentation
from subtomo.picking.surfaces.sheets import Sheet
from subtomo.picking.surfaces.surface import Surface


class SegmentationModel(CoveredModel):
    """Particles that cover the surfaces of labels; normals point out of the label.

    Parameters
    ----------
    path : volume of whole numbers, 0 = outside; or of any values, with a threshold
    pixel_size : Å, of this volume
    origin : (x, y, z) Å, centre of its first voxel; null: what the file says
    labels : those to take; null: all but 0
    threshold : what reaches it is taken; null: the values are labels
    marker : a point on the inner side: normals of a membrane point away from it on both faces
        Not given: normals point out of the label, on the inner face of a membrane inwards.
    smoothing : σ in Å of the Gaussian that labels are smoothed with; default 1 voxel
        Two voxels take the steps of the voxels away; they wipe out labels of that thickness.
    smallest_area : Å²; connected pieces of the surface with less are left out
    sheet : of labels that are membranes: both sheets, or only the outer, the inner or one in the
        middle, whose normals point to the outer side. Without a marker a vesicle's inside is what
        it encloses, and that of an open membrane where its middle is, with a warning.
    cropping_parameter : Å between neighbouring particles; default 10 voxels
    """

    defaults_px: ClassVar[Mapping[str, float]] = {"cropping_parameter": 10, "smoothing": 1}

    type: Literal["segmentation"] = "segmentation"
    path: Path
    origin: Point | None = None
    labels: tuple[int, ...] | None = None
    threshold: float | None = None
    smoothing: Annotated[float, Field(ge=0, le=MOST_SMOOTHING)] = 0.0
    smallest_area: Annotated[float, Field(ge=0)] = 0.0
    sheet: Sheet = "both"
    cropping_parameter: Length = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to make particles of: its voxels say that."""
        return False

    def beside(self, folder: Path) -> Self:
        """Read the path as relative to a folder."""
        return self.model_copy(update={"path": Path(os.path.normpath(folder / self.path))})

    def seen_from(self, folder: Path) -> Self:
        """Write the path relative to a folder."""
        return self.model_copy(update={"path": Path(os.path.relpath(self.path, folder))})

    def _check_points(self) -> None:
        volume = read_volume(self.path, pixel_size=self.pixel_size)
        require_finite(volume, self.path)
        sigma = self.smoothing / self.pixel_size
        if sigma > MOST_SMOOTHING_PX:
            raise DataError(
                f"smoothing of {self.smoothing:g} Å is {sigma:.3g} of its voxels; expected "
                f"{MOST_SMOOTHING_PX:g} at most: labels as thin as that vanish"
            )

    def _poses(self) -> Poses:
        positions, normals = crop_points(
            self._surface(), self.cropping_parameter / self.oversampling
        )
        return self._covering(positions, normals, self.cropping_parameter)

    def _surface(self) -> Surface:
        volume = read_volume(self.path, pixel_size=self.pixel_size, origin=self.origin)
        surfaces = surfaces_from_segmentation(
            volume,
            self.labels,
            threshold=self.threshold,
            smoothing=self.smoothing,
            smallest_area=self.smallest_area,
            sheet=self.sheet,
            marker=self.marker,
        )
        if not surfaces:
            warnings.warn(f"has no surface: {self._why_none(volume)}", SubtomoWarning, stacklevel=2)
        if self.sheet != "both" and not all(one.is_closed for one in surfaces.values()):
            self._tell_without_marker()
        return _joined(list(surfaces.values()))

    def _why_none(self, volume: Volume) -> str:
        """Say why no surface was found."""
        values = np.asarray(volume.data[...])
        is_taken = values != 0 if self.threshold is None else values >= self.threshold
        if is_taken.all() or not is_taken.any():
            which = "every" if is_taken.any() else "no"
            if self.threshold is None:
                return f"{which} voxel has a label"
            return f"{which} value reaches the threshold of {self.threshold:g}"
        return (
            f"its labels are gone after smoothing by {self.smoothing:g} Å, or have less area than "
            f"{self.smallest_area:g} Å²"
        )


def _joined(surfaces: list[Surface]) -> Surface:
    """Make one surface of several."""
    if not surfaces:
        return Surface(np.empty((0, 3)), np.empty((0, 3), dtype=np.int64))
    first = np.cumsum([0, *(len(surface.vertices) for surface in surfaces[:-1])])
    return Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate([s.faces + start for s, start in zip(surfaces, first, strict=True)]),
        np.concatenate([surface.normals for surface in surfaces]),
    )
