"""The tilt series of a tomogram of which only the tilt angles are known."""

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.acquisition_file import AcquiredTilts, AxisTilts
from subtomo.model import Acquisition, TiltSeries, TomogramFrame

_RELION_HANDEDNESS = -1  # what RELION 5's import assumes; without a defocus it says nothing

FloatArray = NDArray[np.float64]


def tilt_series_of(
    name: str, tilts: AcquiredTilts, frame: TomogramFrame, acquisition: Acquisition
) -> TiltSeries:
    """Make a tilt series without images: its angles, which say what the tomogram lacks.

    Parameters
    ----------
    name : of the tomogram
    tilts : about one axis or two; the tomogram's y lies along the first
    frame : the full-resolution tomogram
    acquisition : the microscope

    Returns
    -------
    TiltSeries
        Without shifts, dose and CTF, which are not known.
    """
    x, y, z = _angles(tilts.first, 0.0)
    if tilts.second is not None:
        between = tilts.second.axis_angle - tilts.first.axis_angle
        more = _angles(tilts.second, between)
        x, y, z = (np.concatenate(pair) for pair in zip((x, y, z), more, strict=True))
    return TiltSeries(
        name=name,
        pixel_size=frame.pixel_size,
        tilt_angles=y,
        tilt_axis_angles=z,
        x_tilts=x,
        shifts=np.zeros((len(y), 2)),
        dose=np.zeros(len(y)),
        acquisition=acquisition,
        handedness=_RELION_HANDEDNESS,
        tomogram_size_px=frame.size_px,
    )


def _angles(tilts: AxisTilts, between_deg: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give the turns about x, y and z of each tilt, degrees.

    Parameters
    ----------
    tilts : about an axis in the plane of the tomogram
    between_deg : of that axis from the tomogram's y, counter-clockwise

    Notes
    -----
    Rz(axis) Ry(t) Rz(-between) is written as Rz(z) Ry(y) Rx(x): its last row is
    (-sin t cos b, -sin t sin b, cos t) = (-sin y, cos y sin x, cos y cos x).
    """
    t = np.radians(tilts.angles)
    b, axis = np.radians(between_deg), np.radians(tilts.axis_angle)
    y = np.arcsin(np.sin(t) * np.cos(b))
    x = np.arctan2(-np.sin(t) * np.sin(b), np.cos(t))
    # the first column, which says the turn about z
    down = np.sin(axis) * np.cos(t) * np.cos(b) - np.cos(axis) * np.sin(b)
    right = np.cos(axis) * np.cos(t) * np.cos(b) + np.sin(axis) * np.sin(b)
    x, y, z = (np.round(np.degrees(a), 9) + 0.0 for a in (x, y, np.arctan2(down, right)))
    return x, y, z
