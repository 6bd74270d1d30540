"""STAR files with RELION's own layout and number formats.

A table that RELION writes and one that is written here from the same values are the same text.

Source: RELION 5, commit 73f0a3c0: numbers in 12 places, ``%12.6f``, negative ones ``%12.5f``, with
``e`` in place of ``f`` where they are below 0.001 or above 100000; text in 10; elements of vectors
``%g``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.atomic import replacing
from subtomo.formats.star import StarTable, quoted
from subtomo.formats.star_vectors import parse_vector

_VERSION = "# version 50001"
_SMALLEST, _LARGEST = 1e-3, 1e5  # that are written without exponent
_TEXT_ENDS = ("Name", "File", "Image", "Movie")
_REAL_ENDS = (
    *("Angst", "Angle", "PixelSize", "Rot", "Tilt", "Psi", "Prior", "PriorRot", "Binning"),
    *("Aberration", "Voltage", "Contrast", "PhaseShift", "Bfactor", "Scalefactor", "Defocus"),
    *("DefocusU", "DefocusV", "MaxResolution", "FigureOfMerit", "CoordinateX", "CoordinateY"),
    *("CoordinateZ", "OriginX", "OriginY", "OriginZ", "Exposure", "Contribution", "Correction"),
    *("ProbDistribution", "MagMat00", "MagMat01", "MagMat10", "MagMat11", "BeamTiltX"),
    *("BeamTiltY", "ElectronDose", "TrackLength", "Hand", "Slope", "DetectorPixelSize"),
)
"""Ends of tags whose values are real in RELION, even where all of them are written as integers."""
_INTEGERS = {
    *("rlnOpticsGroup", "rlnRandomSubset", "rlnClassNumber", "rlnGroupNumber", "rlnImageSize"),
    *("rlnImageDimensionality", "rlnCtfDataAreCtfPremultiplied", "rlnTomoSubTomosAre2DStacks"),
    *("rlnBeamTiltClass", "rlnHelicalTubeID", "rlnTomoManifoldIndex", "rlnParticleNumber"),
}
"""Tags whose values are whole in RELION, even where other programs write them with decimals."""


def write_relion_star(path: str | Path, blocks: Mapping[str, StarTable]) -> None:
    """Write blocks in order, as RELION does.

    Parameters
    ----------
    path : file, replaced in one step
    blocks : tables by block name
        Integers and truth values are written as integers, floats in RELION's format. Text is
        written as it is, or if it is that of numbers or vectors in a column of RELION's, as RELION
        would write these.

    Raises
    ------
    StarError
        If a value cannot be written: it holds a line break, or both kinds of quotes before spaces.
    DiskFullError, OutputError
        If the file cannot be written.
    """
    text = "".join(_block(str(path), name, table) for name, table in blocks.items())
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="surrogateescape"))


def _block(path: str, name: str, table: StarTable) -> str:
    """Write one block."""
    columns = {
        tag: _column(tag, np.asarray(column), f"{path}, block {name}, {tag}")
        for tag, column in table.columns.items()
    }
    lines = ["", _VERSION, "", f"data_{name}", ""]
    if table.is_loop:
        lines += ["loop_ ", *(f"_{tag} #{i} " for i, tag in enumerate(columns, start=1))]
        lines += [f"{' '.join(row)} " for row in zip(*columns.values(), strict=True)]
    else:
        width = max(map(len, columns), default=0) + 13
        lines += [f"{'_' + tag:<{width}}{column[0]}" for tag, column in columns.items()]
    return "\n".join([*lines, " ", ""])


def _column(tag: str, column: NDArray[Any], where: str) -> list[str]:
    """Write one column in RELION's widths."""
    if column.dtype.kind in "biu":
        return [f"{value:12d}" for value in column.tolist()]
    if column.dtype.kind == "f":
        return _reals(column)
    if tag.startswith("rln") and not tag.endswith(_TEXT_ENDS):
        typed = _numbers(tag, column)
        if typed is not None:
            return _column(tag, typed, where)
        column = _vectors(column)
    return [f"{text:>10}" for text in quoted(column, where)]


def _reals(values: NDArray[np.floating]) -> list[str]:
    """Write real numbers in 12 places."""
    values = values.astype(np.float64) + 0.0  # no negative zero
    size = np.abs(values)
    is_plain = ~(((size > 0) & (size < _SMALLEST)) | (size > _LARGEST))
    forms = np.array([["%12.6e", "%12.6f"], ["%12.5e", "%12.5f"]])
    chosen = forms[(values < 0).astype(np.intp), is_plain.astype(np.intp)]
    return ("\n".join(chosen.tolist()) % tuple(values.tolist())).split("\n") if len(values) else []


def _numbers(tag: str, column: NDArray[np.str_]) -> NDArray[Any] | None:
    """Turn text into integers, or reals by the tag or the values; None where it is not numbers."""
    try:
        values = column.astype(np.float64)
    except ValueError:
        return None
    if tag in _INTEGERS and np.all(np.abs(values) < 2**53) and np.all(values == np.rint(values)):
        return values.astype(np.int64)
    if tag.endswith(_REAL_ENDS) or not len(column):
        return values
    try:
        return column.astype(np.int64)
    except ValueError:
        return values


def _vectors(column: NDArray[np.str_]) -> NDArray[np.str_]:
    """Write the elements of vectors as RELION does; other text stays."""
    if not len(column) or not np.all(np.char.startswith(column, "[")):
        return column
    try:
        return np.array(
            [f"[{','.join(f'{v:g}' for v in parse_vector(text))}]" for text in column.tolist()]
        )
    except ValueError:
        return column
