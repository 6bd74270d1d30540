"""Alignments of AreTomo, versions 1 to 3: .aln files.

A row is ``SEC ROT GMAG TX TY SMEAN SFIT SCALE BASE TILT``; tilts are sorted by angle, images that
were too dark are left out and listed as ``# DarkFrame = frame section tilt``. ROT, TX, TY (in
pixels of the raw stack) and TILT are in RELION's sense: AreTomo writes the IMOD transform
A = R(−ROT), d = −A · (TX, TY) beside. SEC counts from 0 up to version 2, from 1 in version 3.
AlphaOffset, where given, is part of TILT already. Source: AreTomo3's CSaveAlignFile.cpp and
ImodUtil/CSaveXF.cpp (BSD-3-Clause).
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.imod import dose_and_acquisition
from subtomo.formats.mdoc import read_mdoc
from subtomo.formats.paths import missing_file
from subtomo.formats.tilt_images import images_of_stack
from subtomo.model import TiltSeries

_HEADER = re.compile(r"#\s*(\w+)\s*=\s*(.*)")
_COLUMNS = ("SEC", "ROT", "GMAG", "TX", "TY", "SMEAN", "SFIT", "SCALE", "BASE", "TILT")
_LOCAL = "# Local Alignment"
_MOST_SECTIONS = 100_000  # beyond it a number is damaged


@dataclass(frozen=True)
class AretomoAlignment:
    """What an .aln file says.

    Parameters
    ----------
    raw_size : (x, y, tilt) of the raw stack, in pixels
    sections : (tilt,) index of each image in the raw stack, from 0
    tilt_axis_angles : (tilt,) degrees
    shifts_px : (tilt, 2), columns x, y
    tilt_angles : (tilt,) degrees
    dark_sections : index of the images left out, from 0
    angle_offset : degrees, what is in ``tilt_angles`` beyond the stage's angles (AlphaOffset)
    n_patches : patches with local alignments of their own
    """

    raw_size: tuple[int, int, int]
    sections: NDArray[np.int64]
    tilt_axis_angles: NDArray[np.float64]
    shifts_px: NDArray[np.float64]
    tilt_angles: NDArray[np.float64]
    dark_sections: NDArray[np.int64]
    angle_offset: float = 0.0
    n_patches: int = 0


def read_aln(path: str | Path) -> AretomoAlignment:
    """Read the global alignment of an .aln file; local alignments are not used.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a row has not ten numbers, a tilt angle is impossible, another needed value is not
        finite, a section is there twice, or the header lacks RawSize.
    """
    path = Path(path)
    header, dark, rows = _read_lines(path)
    size = [int(value) for value in header.get("RawSize", "").split() if value.isdecimal()]
    if len(size) != 3:
        raise FormatError(f"{path}: no '# RawSize = x y n' in the header; expected an .aln file")
    if not rows:
        raise FormatError(f"{path}: no rows of {' '.join(_COLUMNS)}")
    table = np.array(rows)
    tilts = table[:, 9]
    bad = np.flatnonzero(~(np.abs(tilts) <= 180))
    if len(bad):
        raise FormatError(
            f"{path}: section {int(table[bad[0], 0])} has TILT {tilts[bad[0]]:g}; expected "
            "degrees: align again with AreTomo's -AngFile"
        )
    _check_finite(path, table[:, [0, 1, 3, 4]])
    sections = table[:, 0].astype(np.int64)
    _check_once(path, [*sections.tolist(), *dark])
    dark_sections = np.array(dark, dtype=np.int64)
    first = int(min([*sections.tolist(), *dark]))
    if first not in (0, 1):
        raise FormatError(
            f"{path}: the first section is {first}; expected 0 or 1 among SEC and DarkFrame"
        )
    return AretomoAlignment(
        raw_size=(size[0], size[1], size[2]),
        sections=sections - first,
        tilt_axis_angles=table[:, 1],
        shifts_px=table[:, 3:5],
        tilt_angles=tilts,
        dark_sections=dark_sections - first,
        angle_offset=_header_number(path, header, "AlphaOffset"),
        n_patches=int(_header_number(path, header, "NumPatches")),
    )


def read_aretomo_tilt_series(
    aln: str | Path,
    *,
    stack: str | Path | None = None,
    mdoc: str | Path | None = None,
    pixel_size: float | None = None,
    tomogram_size_px: tuple[int, int, int] | None = None,
    name: str | None = None,
) -> TiltSeries:
    """Read a tilt series that AreTomo aligned; images that it left out are left out.

    Parameters
    ----------
    aln : the alignment
    stack : the raw images; without it there is only the geometry
    mdoc : dose and voltage
    pixel_size : Å; wins over the stack's header; needed without a stack
    tomogram_size_px : (x, y, z) of the tomogram in pixels of the stack
    name : of the tilt series; the .aln file's without its suffix if None

    Returns
    -------
    TiltSeries without CTF; the dose is 0 where no mdoc gives it; ``extra["section"]`` is the index
    of each image in the raw stack

    Raises
    ------
    SettingsError
        If neither a stack nor a pixel size is given.
    FormatError
        If the stack has another size than the alignment says.
    """
    aln = Path(aln)
    alignment = read_aln(aln)
    images = None
    names: tuple[str, ...] = ()
    if stack is not None:
        images, pixel_size, names = images_of_stack(
            stack, alignment.sections.tolist(), pixel_size=pixel_size
        )
        found = (images.shape[2], images.shape[1])
        if found != alignment.raw_size[:2]:
            raise FormatError(
                f"{stack}: images of {found[0]} x {found[1]} pixels, but {aln} says "
                f"{alignment.raw_size[0]} x {alignment.raw_size[1]}; expected its raw stack"
            )
    if pixel_size is None:
        raise SettingsError(f"{aln}: shifts are in pixels: give the stack or pixel_size")
    described = None if mdoc is None else read_mdoc(mdoc)
    return TiltSeries(
        name=name or aln.stem,
        pixel_size=pixel_size,
        tilt_angles=alignment.tilt_angles,
        tilt_axis_angles=alignment.tilt_axis_angles,
        shifts=alignment.shifts_px * pixel_size,
        images=images,
        image_names=names,
        image_size_px=alignment.raw_size[:2],
        tomogram_size_px=tomogram_size_px,
        extra={"section": alignment.sections},
        **dose_and_acquisition(described, alignment.tilt_angles - alignment.angle_offset),
    )


@dataclass(frozen=True)
class AretomoTilts:
    """What a ``NAME_TLT.txt`` of AreTomo 3 says of the images of a raw stack.

    Parameters
    ----------
    stage_angles : (image,) degrees
    order : (image,) place of each in the order of acquisition, or None
    dose : (image,) e⁻/Å² of each, or None
    """

    stage_angles: NDArray[np.float64]
    order: NDArray[np.int64] | None
    dose: NDArray[np.float64] | None


def read_aretomo_tlt(path: str | Path) -> AretomoTilts:
    """Read a ``NAME_TLT.txt``: tilt angle, and perhaps order from 1 and dose, an image a line.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If the lines are not of one, two or three numbers all alike, or the order is none.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "AreTomo's _TLT.txt") from None
    try:
        table = np.array([[float(text) for text in line.split()] for line in lines if line.strip()])
    except ValueError as error:  # a word, or lines of different lengths
        raise FormatError(f"{path}: {error}; expected tilt angle, order and dose a line") from None
    if table.ndim != 2 or not 1 <= table.shape[1] <= 3 or not np.all(np.isfinite(table)):
        raise FormatError(f"{path}: expected lines of tilt angle, order and dose")
    if np.any(table[:, 2:] < 0):
        raise FormatError(f"{path}: a dose of {table[:, 2].min():g}; expected 0 e⁻/Å² or more")
    order = table[:, 1] if table.shape[1] > 1 else None
    if order is not None and sorted(order.tolist()) != list(range(1, len(table) + 1)):
        raise FormatError(f"{path}: second column is no order from 1 to {len(table)}")
    return AretomoTilts(
        stage_angles=table[:, 0],
        order=None if order is None else order.astype(np.int64),
        dose=table[:, 2] if table.shape[1] > 2 else None,
    )


def _check_finite(path: Path, values: NDArray[np.float64]) -> None:
    """Refuse rows (tilt, 4) of SEC, ROT, TX, TY that are no numbers."""
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        raise FormatError(
            f"{path}: section {int(values[bad[0], 0])} has a ROT, TX or TY that is not finite; "
            "expected degrees and pixels"
        )


def _check_once(path: Path, sections: list[int]) -> None:
    """Refuse an image that is listed twice, among the rows or the dark frames."""
    twice = [section for section, count in Counter(sections).items() if count > 1]
    if twice:
        raise FormatError(
            f"{path}: section {twice[0]} is there twice; expected each image once, as SEC or as "
            "DarkFrame"
        )


def _header_number(path: Path, header: dict[str, str], key: str) -> float:
    """Read a number of the header; 0 where there is none."""
    text = header.get(key, "0")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FormatError(f"{path}: # {key} = {text}; expected a number")
    return number


def _section(text: str) -> int:
    """Read the number of a section."""
    number = int(text)
    if not 0 <= number < _MOST_SECTIONS:
        raise ValueError
    return number


def _read_lines(path: Path) -> tuple[dict[str, str], list[int], list[list[float]]]:
    """Split the file into header values, dark sections and rows of the global alignment."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "an .aln file") from None
    header: dict[str, str] = {}
    dark: list[int] = []
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith(_LOCAL):
            break
        match = _HEADER.match(line)
        try:
            if match and match.group(1) == "DarkFrame":
                dark.append(_section(match.group(2).split()[1]))
            elif match:
                header[match.group(1)] = match.group(2)
            elif line.strip() and not line.startswith("#"):
                rows.append([float(value) for value in line.split()])
                if len(rows[-1]) != len(_COLUMNS):
                    raise ValueError
                _section(line.split()[0])
        except (ValueError, IndexError):
            raise FormatError(
                f"{path}, line {number}: {line.strip()!r}; expected {' '.join(_COLUMNS)}"
            ) from None
    return header, dark, rows
