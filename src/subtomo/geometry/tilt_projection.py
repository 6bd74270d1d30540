"""Where a point of the tomogram falls on each tilt image, and how deep it lies."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.geometry.deformation import deformation_shifts
from subtomo.model import TiltSeries

FloatArray = NDArray[np.float64]


def projection_matrices(tilt_series: TiltSeries) -> FloatArray:
    """Build the matrices from tomogram pixels to image pixels, both of full resolution.

    Parameters
    ----------
    tilt_series
        With ``projections``, which are returned as they are; else the angles, shifts, and the
        sizes of image and tomogram count.

    Returns
    -------
    (tilt, 4, 4)
        Acting on columns (x, y, z, 1) in pixels, pixel centres at integers; rows 0 and 1 give x
        and y on the image, row 2 the height along the beam.

    Raises
    ------
    DataError
        If the size of the images or of the tomogram is not known.

    Notes
    -----
    P = T(nx//2 + xs/a, ny//2 + ys/a, 0) · Rz(axis) · Ry(tilt) · Rx(x tilt) · T(−size//2).
    Source: RELION 5, commit 73f0a3c0; its ``rlnTomoProj`` rows are those of P.
    """
    if tilt_series.projections is not None:
        return tilt_series.projections
    width, height = _known_size(tilt_series, "image_size_px")
    size = np.array(_known_size(tilt_series, "tomogram_size_px"))
    matrices = np.zeros((len(tilt_series), 4, 4))
    matrices[:, :3, :3] = tilt_rotations(tilt_series)
    matrices[:, :3, 3] = -matrices[:, :3, :3] @ (size // 2)
    matrices[:, :2, 3] += np.array([width // 2, height // 2])
    matrices[:, :2, 3] += tilt_series.shifts / tilt_series.pixel_size
    matrices[:, 3, 3] = 1
    return matrices


def tilt_rotations(tilt_series: TiltSeries) -> FloatArray:
    """Build the rotations from the tomogram to the images; no size need be known.

    Parameters
    ----------
    tilt_series
        With ``projections``, whose rotations are returned; else the angles count.

    Returns
    -------
    (tilt, 3, 3)
        Acting on columns x, y, z; row 2 gives the height along the beam.
    """
    if tilt_series.projections is not None:
        return tilt_series.projections[:, :3, :3]
    x_tilts = np.zeros(len(tilt_series)) if tilt_series.x_tilts is None else tilt_series.x_tilts
    rotations: FloatArray = (
        _turns("z", tilt_series.tilt_axis_angles)
        @ _turns("y", tilt_series.tilt_angles)
        @ _turns("x", x_tilts)
    )
    return rotations


def project_points(tilt_series: TiltSeries, positions: ArrayLike) -> FloatArray:
    """Project points to the tilt images, with the deformation of the images where there is one.

    Parameters
    ----------
    tilt_series
    positions : (m, 3) Å, columns x, y, z; or (tilt, m, 3) where they move from tilt to tilt

    Returns
    -------
    (tilt, m, 2) image pixels, columns x, y

    Raises
    ------
    DataError
        If the size of the images or of the tomogram is not known.
    ShapeError
        If the positions have not three columns.
    """
    points = _points(positions, len(tilt_series)) / tilt_series.pixel_size
    matrices = projection_matrices(tilt_series)
    projected = np.asarray(points @ matrices[:, :2, :3].mT + matrices[:, None, :2, 3])
    if tilt_series.deformation is None:
        return projected
    image_size = _known_size(tilt_series, "image_size_px")
    return projected + deformation_shifts(tilt_series.deformation, projected, image_size)


def visible_tilts(
    points: FloatArray, image_size_px: tuple[int, int], margin_px: float
) -> NDArray[np.bool_]:
    """Tell on which images points lie inside, away from the borders.

    Parameters
    ----------
    points : (tilt, m, 2) image pixels, columns x, y
    image_size_px : (x, y)
    margin_px : least distance from a border, exclusive

    Returns
    -------
    (tilt, m) bool
    """
    inside = (points > margin_px) & (points < np.array(image_size_px) - margin_px)
    return np.asarray(inside.all(axis=-1))


def depths(tilt_series: TiltSeries, positions: ArrayLike) -> FloatArray:
    """Measure heights of points along the beam, from the centre of the tomogram.

    Parameters
    ----------
    tilt_series
    positions : (m, 3) Å, columns x, y, z

    Returns
    -------
    (tilt, m) Å
        Defocus there = defocus + handedness · defocus slope · depth.

    Raises
    ------
    DataError
        If the size of the tomogram is not known.
    ShapeError
        If the positions have not three columns.

    Notes
    -----
    The centre is size/2 as real numbers, unlike the rotation centre size//2 of the matrices.
    Source: RELION 5, commit 73f0a3c0.
    """
    size = np.array(_known_size(tilt_series, "tomogram_size_px"))
    from_centre = _points(positions) - size / 2 * tilt_series.pixel_size
    return np.asarray(tilt_rotations(tilt_series)[:, 2] @ from_centre.T)


def _turns(axis: str, angles_deg: FloatArray) -> FloatArray:
    """Active right-handed rotations (n, 3, 3) about one axis."""
    c, s = np.cos(np.radians(angles_deg)), np.sin(np.radians(angles_deg))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrices = np.tile(np.eye(3), (len(c), 1, 1))
    matrices[:, i, i] = matrices[:, j, j] = c
    matrices[:, i, j], matrices[:, j, i] = -s, s
    return matrices


def _known_size(tilt_series: TiltSeries, field: str) -> Any:
    """Return a size in pixels that must be there."""
    size = getattr(tilt_series, field)
    if size is None:
        what = field.removesuffix("_size_px")
        raise DataError(
            f"tilt series {tilt_series.name}: the size of the {what} is not known, which says "
            "where points project"
        )
    return size


def _points(positions: ArrayLike, n_tilts: int | None = None) -> FloatArray:
    """Points as an array of three columns; with ``n_tilts``, one set a tilt is accepted too."""
    points = np.asarray(positions, dtype=np.float64)
    is_moving = n_tilts is not None and points.ndim == 3 and len(points) == n_tilts
    if points.shape[-1:] != (3,) or not (points.ndim == 2 or is_moving):
        raise ShapeError(f"positions have shape {points.shape}; expected (m, 3): x, y, z in Å")
    return points
