"""Tilt series of Warp and WarpTools before alignment: the .tomostar file of one series.

Columns count as in Warp's .xml files, see ``warp_xml``: the tilt angle has the other sign.
"""

from pathlib import Path

import numpy as np

from subtomo.errors import StarError
from subtomo.formats.naming_file import naming_file
from subtomo.formats.star import read_star
from subtomo.model import TiltSeries

_MOVIE, _ANGLE, _DOSE = "wrpMovieName", "wrpAngleTilt", "wrpDose"
_AXIS = "wrpAxisAngle"
_OFFSETS = ("wrpAxisOffsetX", "wrpAxisOffsetY")


def read_tomostar(
    path: str | Path,
    *,
    pixel_size: float,
    image_size_px: tuple[int, int] | None = None,
    tomogram_size_px: tuple[int, int, int] | None = None,
) -> TiltSeries:
    """Read a tilt series from a .tomostar file.

    Parameters
    ----------
    path : the file
    pixel_size : Å of the tilt images
    image_size_px : (x, y)
    tomogram_size_px : (x, y, z) in pixels of the tilt images

    Returns
    -------
    TiltSeries without images and CTF; ``image_names`` are the movies' paths as in the file

    Raises
    ------
    MissingFileError
        If the file does not exist.
    StarError
        If a column is missing, or a value is not a number.
    DataError
        If a dose is negative.
    """
    table = next((t for t in read_star(path).values() if _ANGLE in t), None)
    if table is None:
        raise StarError(f"{path}: no column {_ANGLE}; expected Warp's .tomostar file")
    table.require([_MOVIE, _ANGLE, _DOSE])
    if not len(table):
        raise StarError(f"{path}: no rows; expected one a tilt")
    with naming_file(path):
        return TiltSeries(
            name=Path(path).stem,
            pixel_size=pixel_size,
            tilt_angles=-table.stacked([_ANGLE])[:, 0],
            tilt_axis_angles=table.stacked([_AXIS], default=0)[:, 0],
            shifts=np.column_stack([table.stacked([tag], default=0) for tag in _OFFSETS]),
            dose=table.stacked([_DOSE])[:, 0],
            image_size_px=image_size_px,
            tomogram_size_px=tomogram_size_px,
            image_names=tuple(table.text(_MOVIE).tolist()),
        )
