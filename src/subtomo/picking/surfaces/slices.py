"""Slices of a volume, averaged over a slab, and what lies across a curve in them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from subtomo.errors import DataError
from subtomo.geometry.spline_curve import SplineCurve
from subtomo.model import Volume

FloatArray = NDArray[np.float64]
Axis = Literal["x", "y", "z"]

_AXES: dict[Axis, int] = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True, eq=False)
class Slices:
    """The slices of a volume across one of its axes.

    Parameters
    ----------
    volume : (z, y, x)
    axis : that the slices are perpendicular to
    """

    volume: Volume
    axis: Axis

    @property
    def plane(self) -> list[int]:
        """The two columns of points that lie in a slice."""
        return [k for k in range(3) if k != _AXES[self.axis]]

    @property
    def across(self) -> int:
        """The column of points that numbers the slices."""
        return _AXES[self.axis]

    def slab(self, height: float, thickness: float) -> FloatArray:
        """Average the slices about a height.

        Parameters
        ----------
        height : Å along the axis
        thickness : Å; one slice at least

        Returns
        -------
        2D image; the first axis is that of the second column of :attr:`plane`

        Raises
        ------
        DataError
            If the height is outside the volume.
        """
        self.require_inside(height)
        pixel_size, n = self.volume.pixel_size, self.volume.shape[2 - self.across]
        middle = (height - self.volume.origin[self.across]) / pixel_size
        half = max(0.0, (thickness / pixel_size - 1) / 2)
        first, last = max(0, round(middle - half)), min(n - 1, round(middle + half))
        part = [slice(None)] * 3
        part[2 - self.across] = slice(first, max(first, last) + 1)
        values = np.asarray(self.volume.data[tuple(part)], dtype=np.float64)
        return np.asarray(values.mean(axis=2 - self.across))

    def require_inside(self, height: float) -> None:
        """Raise a DataError where a height, Å along the axis, is outside the volume."""
        pixel_size, first = self.volume.pixel_size, self.volume.origin[self.across]
        last = first + (self.volume.shape[2 - self.across] - 1) * pixel_size
        if not first - pixel_size / 2 <= height <= last + pixel_size / 2:
            raise DataError(
                f"{self.axis} = {height:g} Å is outside the volume, which goes from {first:g} to "
                f"{last:g} Å"
            )

    def profiles(
        self, image: FloatArray, curve: SplineCurve, s: FloatArray, offsets: FloatArray
    ) -> FloatArray:
        """Read an image along the normals of a curve.

        Parameters
        ----------
        image : 2D, from :meth:`slab`
        curve : two columns, Å, in the plane
        s : (n,) Å, arc lengths
        offsets : (m,) Å, to the left of the curve

        Returns
        -------
        (n, m)
            The image's edge goes on outside it.
        """
        points = curve.at(s)[:, None] + offsets[:, None] * normals(curve, s)[:, None]
        origin = np.array(self.volume.origin)[self.plane]
        index = (points - origin) / self.volume.pixel_size
        return np.asarray(
            map_coordinates(image, [index[..., 1], index[..., 0]], order=1, mode="nearest")
        )


def normals(curve: SplineCurve, s: FloatArray) -> FloatArray:
    """Give the unit normals to the left of a plane curve.

    Parameters
    ----------
    curve : two columns
    s : (n,) arc lengths

    Returns
    -------
    (n, 2)
    """
    tangent = curve.tangent(s)
    return np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
