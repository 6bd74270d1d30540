"""Defocus of the images of a tilt series, as CTFFIND, AreTomo and IMOD's ctfplotter write it.

CTFFIND 4 and 5 (``NAME_ctf.txt``) and AreTomo (``NAME_CTF.txt``): a row an image of ``number,
defocus 1 and 2 (Å), azimuth (degrees), phase shift (radians), ...``. ctfplotter (``NAME.defocus``):
a row for some views, in nm; its first defocus is that along the short axis of the rings, at
``angle`` from x. Source: the programs' headers; IMOD's man page of ``ctfphaseflip``.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import FormatError, SubtomoWarning
from subtomo.formats.defocus_unit import EXPECTED_DEFOCUS, looks_like_micrometres
from subtomo.formats.paths import missing_file
from subtomo.model import TiltCtf

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_HAS_ASTIGMATISM, _AXIS_IN_RADIANS, _HAS_PHASE, _PHASE_IN_RADIANS = 1, 2, 4, 8
_HAS_CUT_ON = 32  # frequencies, which are not used
_CTFFIND_COLUMNS = 5  # that count
_CTFFIND_WIDTHS = range(7, 11)  # 7 of CTFFIND 4, 8 of AreTomo 3, 10 of CTFFIND 5
_MOST_DEFOCUS = 200_000  # Å
_UNIT_OF = {".defocus": ", in the file nm"}
_LEAST_RATIO = 0.1  # of defocus 2 to defocus 1; one bad fit may have less, not all rows


def read_defocus(path: str | Path, n: int, sections: IntArray | None = None) -> TiltCtf:
    """Read the defocus of the images of a stack.

    Parameters
    ----------
    path : ``.defocus`` of ctfplotter, else a text file of CTFFIND or AreTomo
    n : images in the stack
    sections : (tilt,) index of the images that count; all if None

    Returns
    -------
    TiltCtf of these images; B factor 0, scale 1

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it has not a row an image (CTFFIND, AreTomo), or views beyond the stack or none near an
        end of it (ctfplotter), a row has another number of values than the format, or a defocus is
        impossible.

    Warns
    -----
    SubtomoWarning
        If ctfplotter's rows leave images out, whose defocus is taken from the rows around.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "a file of defocus") from None
    rows = [(i, line) for i, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    if not rows:
        raise FormatError(f"{path}: no values; expected the defocus of {n} images")
    table = [_numbers(path, number, line) for number, line in rows]
    sections = np.arange(n) if sections is None else sections
    if path.suffix == ".defocus":
        defocus_u, defocus_v, angle, phase = _ctfplotter(path, table, n, sections).T
    else:
        defocus_u, defocus_v, angle, phase = _ctffind(path, table, n)[sections].T
    for what, values in (("defocus 1", defocus_u), ("defocus 2", defocus_v)):
        if not np.all(np.isfinite(values)):
            raise FormatError(f"{path}: a {what} is not finite; expected Å or nm")
        bad = values[(values < 0) | (values > _MOST_DEFOCUS)]
        if len(bad):
            raise FormatError(f"{path}: a {what} is {bad[0]:g} Å; expected 0 to {_MOST_DEFOCUS} Å")
        low = np.flatnonzero(looks_like_micrometres(values))
        if len(low):
            raise FormatError(
                f"{path}: {what} of image {sections[low[0]] + 1} is {values[low[0]]:g} Å; expected "
                f"{EXPECTED_DEFOCUS}{_UNIT_OF.get(path.suffix, '')}: the file looks like µm"
            )
    for what, values in (("an angle of the astigmatism", angle), ("a phase shift", phase)):
        if not np.all(np.isfinite(values)):
            raise FormatError(f"{path}: {what} is not finite; expected a number")
    return TiltCtf(
        defocus_u=defocus_u,
        defocus_v=defocus_v,
        defocus_angle=angle,
        phase_shift=phase,
        bfactor=np.zeros(len(sections)),
        scale=np.ones(len(sections)),
    )


def _ctffind(path: Path, table: Sequence[Sequence[float]], n: int) -> FloatArray:
    """Sort the rows by their number: (n, 4) of Å, Å, degrees, degrees."""
    widths = sorted({len(row) for row in table})
    wrong = [width for width in widths if width not in _CTFFIND_WIDTHS]
    if wrong:
        raise FormatError(
            f"{path}: a row of {wrong[0]} values; expected number, defocus 1, defocus 2, azimuth, "
            "phase shift, correlation, resolution, and up to three more"
        )
    if len(widths) > 1:
        raise FormatError(
            f"{path}: rows of {widths[0]} and of {widths[-1]} values; expected all of one length: "
            "a value is missing or too many"
        )
    values = np.array([row[:_CTFFIND_COLUMNS] for row in table])
    values = values[np.argsort(values[:, 0], kind="stable")]
    if len(values) != n or not np.array_equal(values[:, 0] - values[0, 0], np.arange(n)):
        raise FormatError(
            f"{path}: {len(values)} rows; expected one for each of the {n} images of the stack, "
            "numbered in its order"
        )
    if np.all(values[:, 2] < _LEAST_RATIO * values[:, 1]):
        raise FormatError(
            f"{path}: in every row defocus 2 is less than a tenth of defocus 1, first "
            f"{values[0, 2]:g} of {values[0, 1]:g} Å; expected two of about the same: a column is "
            "missing"
        )
    return np.column_stack([values[:, 1:4], np.degrees(values[:, 4])])


def _ctfplotter(
    path: Path, table: Sequence[Sequence[float]], n: int, sections: IntArray
) -> FloatArray:
    """Interpolate between the middles of the rows' views: (tilt, 4) of Å, Å, degrees, degrees."""
    flags, rows = _ctfplotter_rows(path, table)
    width = 5 + 2 * bool(flags & _HAS_ASTIGMATISM) + bool(flags & _HAS_PHASE)
    declared = width + bool(flags & _HAS_CUT_ON)
    wrong = [len(row) for row in rows if len(row) != declared]
    if wrong:
        raise FormatError(
            f"{path}: a row of {wrong[0]} values; expected {declared}, which its flags declare"
        )
    values = np.array([row[:width] for row in rows])
    if values[:, 0].min() < 1 or values[:, 1].max() > n:
        raise FormatError(
            f"{path}: views {values[:, 0].min():g} to {values[:, 1].max():g}, but the stack has "
            f"images 1 to {n}"
        )
    _check_covered(path, values[:, :2], sections + 1)
    middle = values[:, :2].mean(axis=1)
    values = values[np.argsort(middle, kind="stable")]
    result = np.zeros((len(rows), 4))
    result[:, 0] = result[:, 1] = values[:, 4] * 10
    if flags & _HAS_ASTIGMATISM:
        result[:, 1] = values[:, 5] * 10
        result[:, 2] = np.degrees(values[:, 6]) if flags & _AXIS_IN_RADIANS else values[:, 6]
    if flags & _HAS_PHASE:
        phase = values[:, -1]
        result[:, 3] = np.degrees(phase) if flags & _PHASE_IN_RADIANS else phase
    return _at_views(np.sort(middle), result, sections + 1)


def _check_covered(path: Path, ranges: FloatArray, views: IntArray) -> None:
    """Refuse rows that end well before the views do; tell how many views are between them.

    Parameters
    ----------
    path : for messages
    ranges : (row, 2) first and last view of each row
    views : (tilt,) those that count, from 1
    """
    first, last = ranges.min(), ranges.max()
    beyond = max(first - views.min(), views.max() - last)
    if beyond > (ranges[:, 1] - ranges[:, 0]).max() + 1:
        raise FormatError(
            f"{path}: rows for views {first:g} to {last:g}, but the stack has images "
            f"{views.min()} to {views.max()}; expected rows for all: is the file whole?"
        )
    inside = (views[:, None] >= ranges[:, 0]) & (views[:, None] <= ranges[:, 1])
    n_left_out = int((~inside.any(axis=1)).sum())
    if n_left_out:
        warnings.warn(
            f"{path}: no row for {n_left_out} of {count_of(len(views), 'view')}; their defocus is "
            "taken from the rows around",
            SubtomoWarning,
            stacklevel=4,
        )


def _ctfplotter_rows(
    path: Path, table: Sequence[Sequence[float]]
) -> tuple[int, Sequence[Sequence[float]]]:
    """Take off what tells the version: a first line with flags, or a sixth value in the first."""
    first = table[0]
    if len(first) >= 6 and first[-1] == 3 and first[1] == first[2] == 0 and len(table) > 1:
        return int(first[0]), table[1:]
    if len(first) == 6 and first[5] == 2:
        return 0, [first[:5], *table[1:]]
    raise FormatError(
        f"{path}: neither version 2 nor 3 of ctfplotter's files; save it again with a present IMOD"
    )


def _at_views(middle: FloatArray, values: FloatArray, views: IntArray) -> FloatArray:
    """Interpolate linearly at views, astigmatism as a vector; constant beyond the ends."""
    mean, half = (values[:, 0] + values[:, 1]) / 2, (values[:, 0] - values[:, 1]) / 2
    turn = half * np.exp(2j * np.radians(values[:, 2]))
    column = [np.interp(views, middle, part) for part in (mean, turn.real, turn.imag, values[:, 3])]
    astigmatism = column[1] + 1j * column[2]
    return np.column_stack(
        [
            column[0] + np.abs(astigmatism),
            column[0] - np.abs(astigmatism),
            np.degrees(np.angle(astigmatism)) / 2,
            column[3],
        ]
    )


def _numbers(path: Path, number: int, line: str) -> list[float]:
    try:
        return [float(text) for text in line.split()]
    except ValueError:
        raise FormatError(f"{path}, line {number}: {line.strip()!r}; expected numbers") from None
