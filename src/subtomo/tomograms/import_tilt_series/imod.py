"""A tilt series that IMOD aligned."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from subtomo.errors import DataError, FormatError, MissingFileError, SubtomoWarning
from subtomo.formats.imod import read_imod_tilt_series, read_tlt
from subtomo.formats.imod_tilt_com import TiltCom, read_tilt_com
from subtomo.formats.naming_file import naming_file
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.model import TiltSeries
from subtomo.tomograms.import_tilt_series.aligned import AlignedSeries
from subtomo.tomograms.import_tilt_series.files import SeriesFiles

_TILT_COM = "tilt.com"


def read_imod(files: SeriesFiles, stack: Path, pixel_size: float | None) -> AlignedSeries:
    """Read a tilt series with its .tlt, else its .rawtlt, as etomo cut its tomogram.

    Parameters
    ----------
    files : of the series
    stack : the raw images
    pixel_size : Å, or None for the stack's header's

    Raises
    ------
    MissingFileError
        If there are no tilt angles.
    FormatError
        If the files do not have one line an image.

    Warns
    -----
    SubtomoWarning
        If the tomogram depends on what is left out, such as local alignments.
    """
    angles = files.beside(".tlt", ".rawtlt")
    if angles is None:
        raise MissingFileError(
            f"{files.alignment}: no tilt angles beside it; expected {files.name}.tlt or "
            f"{files.name}.rawtlt"
        )
    series = read_imod_tilt_series(
        stack,
        tlt=angles,
        xf=files.alignment,
        pixel_size=pixel_size,
        name=files.name,
        use_mdoc=False,
    )
    path = files.alignment.parent / _TILT_COM
    with naming_file(path):
        aligned = as_cut_out(series, _tilt_com(path, files.name))
    raw = files.beside(".rawtlt")
    stage = series.tilt_angles if raw is None else read_tlt(raw)
    if len(stage) != len(series):
        raise FormatError(f"{raw}: {len(stage)} lines, but {stack} has {len(series)} images")
    return replace(aligned, stage_angles=stage[aligned.sections])


def as_cut_out(series: TiltSeries, tilt_com: TiltCom) -> AlignedSeries:
    """Apply what a ``tilt.com`` says: angles, views left out, and where the tomogram is.

    Parameters
    ----------
    series : a whole stack
    tilt_com : see ``imod_tilt_com`` for the signs

    Raises
    ------
    DataError
        If no view is left.
    """
    n = len(series)
    used = ~np.isin(np.arange(1, n + 1), tilt_com.excluded)
    if not used.any():
        raise DataError(f"excludes all {n} views of tilt series {series.name}; expected some left")
    turned = replace(
        series,
        tilt_angles=series.tilt_angles + tilt_com.angle_offset,
        x_tilts=np.full(n, tilt_com.x_axis_tilt),
    )
    x, z = tilt_com.shift_px
    centre = np.array([-x, 0, z]) * series.pixel_size  # of the tomogram, from the tilt axis
    shifts = series.shifts + tilt_rotations(turned)[:, :2] @ centre
    return AlignedSeries(
        tilt_series=replace(turned, shifts=shifts).select(used),
        stage_angles=series.tilt_angles[used],
        sections=np.flatnonzero(used),
        n_images=n,
        tomogram_depth_px=tilt_com.thickness_px,
    )


def _tilt_com(path: Path, name: str) -> TiltCom:
    """Read a ``tilt.com``, if it is there and of this series; else an empty one."""
    tilt_com = read_tilt_com(path) if path.is_file() else TiltCom()
    if not tilt_com.is_of(name):
        return TiltCom()
    if tilt_com.left_out:
        warnings.warn(
            f"{path}: {', '.join(tilt_com.left_out)} left out; positions on the images are off by "
            "as much",
            SubtomoWarning,
            stacklevel=3,
        )
    return tilt_com
