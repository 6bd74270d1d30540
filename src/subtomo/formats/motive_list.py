"""Motive lists in EM files (TOM toolbox, AV3, novaSTA, cryoCAT): 20 numbers a particle.

Numbers, from 1: 1 score, 4 the particle, 5 its tomogram, 6 its object, 8 to 10 x, y, z and 11 to 13
the shifts in voxels of the tomogram, 17 phi, 18 psi and 19 theta in degrees, 20 the class. The
others are kept as ``motl.NUMBER``. Position = (x, y, z) + shifts; R = Rz(psi) · Rx(theta) · Rz(phi)
takes the reference to the tomogram.

Source: the table of columns in cryoCAT (turonova/cryoCAT, tests of its converters), and STOPGAP's
sg_motl_stopgap_to_dynamo, which gives the signs of the angles.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.em import read_em, write_em
from subtomo.formats.em_header import read_em_header
from subtomo.formats.numbered_particles import (
    NumberedParticles,
    with_map_beside,
    with_shifts,
    write_map_beside,
)
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_table import TextTable
from subtomo.model import Particles

FloatArray = NDArray[np.float64]

PREFIX = "motl."
_N_COLUMNS = 20
_LARGEST_WHOLE = 2.0**24  # whole numbers below are told apart in float32
_SCORE, _NUMBER, _TOMOGRAM, _OBJECT, _CLASS = 0, 3, 4, 5, 19
_COORDINATES, _SHIFTS = slice(7, 10), slice(10, 13)
_PHI_PSI_THETA = slice(16, 19)
_KEPT = (1, 2, _NUMBER, 6, 13, 14, 15)


def is_motive_list(path: Path) -> bool:
    """Tell whether an EM file is a list of particles rather than a volume."""
    try:
        shape = read_em_header(path).shape
    except FormatError:
        return False
    return shape[2] == _N_COLUMNS and 1 in shape[:2]


def read_motive_list(path: Path, context: TableContext) -> Particles:
    """Read a motive list.

    Parameters
    ----------
    path : ``.em`` of 20 x n x 1 numbers
    context : names and voxels of the tomograms

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not an EM file of that size, or a needed number is not finite or not whole.
    SettingsError
        If the voxels of a tomogram are not known.
    """
    data, header = read_em(path)
    z, y, x = header.shape
    if x != _N_COLUMNS or 1 not in (y, z):
        raise FormatError(
            f"{path}: {x} x {y} x {z} numbers; expected 20 x n x 1, a motive list; is it a volume?"
        )
    with np.errstate(invalid="ignore"):  # NaN are looked for below
        rows = np.asarray(data, dtype=np.float64).reshape(-1, _N_COLUMNS)
    needed = np.delete(rows, _KEPT, axis=1)
    bad = np.flatnonzero(~np.isfinite(needed).all(axis=1))
    if len(bad):
        raise FormatError(
            f"{path}, particle {bad[0] + 1}: {int((~np.isfinite(needed[bad[0]])).sum())} of its "
            "numbers are not finite; expected a score, a position and angles"
        )
    phi, psi, theta = rows[:, _PHI_PSI_THETA].T
    return NumberedParticles(
        tomogram=_whole(rows, _TOMOGRAM, "tomogram", path),
        coordinates=rows[:, _COORDINATES] + rows[:, _SHIFTS],
        angles=-np.stack([psi, theta, phi], axis=1) + 0.0,
        group=_whole(rows, _CLASS, "class", path),
        instance=_whole(rows, _OBJECT, "object", path),
        score=rows[:, _SCORE],
        extra={
            f"{PREFIX}{column + 1}": rows[:, column].copy()
            for column in _KEPT
            if np.any(rows[:, column] != 0)
        },
    ).particles(path, with_map_beside(path, context))


def write_motive_list(path: Path, particles: Particles, context: TableContext) -> None:
    """Write a motive list of float32 numbers; whole voxels and shifts apart.

    Parameters
    ----------
    path : ``.em``, replaced in one step
    particles : classes and instances that are no whole numbers are counted from 1
    context : numbers and voxels of the tomograms

    Raises
    ------
    SettingsError
        If the voxels of a tomogram are not known.
    """
    numbered = NumberedParticles.of(particles, path, context)
    n = len(particles)
    rows = np.zeros((n, _N_COLUMNS))
    kept = TextTable(particles.extra, source="particles")
    for column in _KEPT:
        name = f"{PREFIX}{column + 1}"
        rows[:, column] = kept.numbers(name) if name in kept else 0
    if len(np.unique(rows[:, _NUMBER])) < n:
        rows[:, _NUMBER] = np.arange(1, n + 1)
    rows[:, _SCORE] = numbered.score
    rows[:, _TOMOGRAM] = numbered.tomogram
    rows[:, _OBJECT] = numbered.instance
    rows[:, _COORDINATES], rows[:, _SHIFTS] = with_shifts(numbered.coordinates)
    rows[:, _PHI_PSI_THETA] = phi_psi_theta(numbered.angles)
    rows[:, _CLASS] = numbered.group
    write_map_beside(path, particles, context)
    write_em(path, rows.astype(np.float32)[None])


def keeps_column(name: str) -> bool:
    """Tell whether a further column of particles has a place in a motive list."""
    return name in {f"{PREFIX}{column + 1}" for column in _KEPT}


def phi_psi_theta(angles: FloatArray) -> FloatArray:
    """Turn Dynamo's angles (n, 3) into phi, psi, theta with theta from 0 to 180; all 0 stay so.

    Rz(-tdrot) · Rx(-tilt) · Rz(-narot) = Rz(180 - tdrot) · Rx(tilt) · Rz(180 - narot).
    """
    tdrot, tilt, narot = angles.T
    turned = np.stack([_wrapped(180 - narot), _wrapped(180 - tdrot), tilt], axis=1)
    return np.where((angles != 0).any(axis=1)[:, None], turned, 0.0)


def _wrapped(degrees: FloatArray) -> FloatArray:
    """Angles in (-180, 180]."""
    return 180.0 - np.mod(180.0 - degrees, 360.0)


def _whole(rows: FloatArray, column: int, what: str, path: Path) -> NDArray[np.int64]:
    """Give a column of whole numbers."""
    values = rows[:, column]
    bad = np.flatnonzero((values != np.rint(values)) | (np.abs(values) > _LARGEST_WHOLE))
    if len(bad):
        raise FormatError(
            f"{path}, particle {bad[0] + 1}: its {what} (number {column + 1}) is "
            f"{values[bad[0]]:g}; expected a whole number"
        )
    return np.asarray(values, dtype=np.int64)
