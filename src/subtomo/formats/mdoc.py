"""Microscope metadata in SerialEM's .mdoc files, also those that Tomo5 writes."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.atomic import replacing
from subtomo.formats.paths import missing_file

_TITLE = re.compile(r"\[T\s*=\s*(.*?)\s*\]$")
_SECTION = re.compile(r"\[(\w+)\s*=\s*(.*?)\s*\]$")
_TILT_AXIS = re.compile(r"tilt ?axis ?angle\s*=\s*(-?[\d.]+)", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"(\d+)-(\w+)-(\d+)\s+(\d+):(\d+):(\d+)(?:\.\d+)?")


@dataclass(frozen=True)
class MdocSection:
    """One image of an .mdoc file; every key is kept as text.

    Parameters
    ----------
    kind : ``ZValue`` or ``FrameSet``
    number : of the section, as in the file
    values : by key, in the order of the file
    source : file and section, for messages
    """

    kind: str
    number: str
    values: dict[str, str]
    source: str = "mdoc"

    def number_of(self, key: str) -> float:
        """Give a key's value as a number.

        Raises
        ------
        FormatError
            If the key is missing or its value is not a finite number.
        """
        if key not in self.values:
            raise FormatError(f"{self.source}: no {key}; found {', '.join(self.values)}")
        try:
            number = float(self.values[key])
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise FormatError(f"{self.source}: {key} is {self.values[key]!r}; expected a number")
        return number

    @property
    def file_name(self) -> str:
        """The movie's file name without its folder, also where the path is Windows'."""
        return PureWindowsPath(self.values.get("SubFramePath", "")).name

    @property
    def acquired(self) -> datetime | None:
        """When the image was taken; None where the file does not say it.

        Read from ``27-Aug-2024  09:08:07``, ``27-Aug-24 09:08:07`` or ``2024-08-27 09:08:07``.

        Raises
        ------
        FormatError
            If the date is written otherwise.
        """
        text = self.values.get("DateTime", "")
        if not text:
            return None
        try:
            return _read_date(text)
        except (ValueError, OverflowError):
            raise FormatError(
                f"{self.source}: DateTime is {text!r}; expected such as 27-Aug-2024 09:08:07 or "
                "2024-08-27 09:08:07"
            ) from None


@dataclass(frozen=True)
class Mdoc:
    """An .mdoc file.

    Parameters
    ----------
    header : global keys
    titles : texts of the ``[T = ...]`` lines
    sections : one an image, in the order of the file
    source : the file, for messages
    """

    header: dict[str, str]
    titles: list[str] = field(default_factory=list)
    sections: list[MdocSection] = field(default_factory=list)
    source: str = "mdoc"

    @property
    def tilt_axis_angle(self) -> float | None:
        """Degrees, from the titles or the sections' RotationAngle; None where neither says it."""
        for title in self.titles:
            if match := _TILT_AXIS.search(title):
                return float(match.group(1))
        if self.sections and "TiltAxisAngle" in self.sections[0].values:
            return self.sections[0].number_of("TiltAxisAngle")
        return None

    @property
    def pixel_size(self) -> float | None:
        """Å, or None where the file does not say it."""
        return self._number("PixelSpacing")

    @property
    def voltage(self) -> float | None:
        """The voltage in kV, or None where the file does not say it."""
        return self._number("Voltage")

    def _number(self, key: str) -> float | None:
        """Give a number of the header, or of the first section where the header lacks it."""
        text = self.header.get(key)
        if text is not None:
            return MdocSection("", "", {key: text}, self.source).number_of(key)
        if self.sections and key in self.sections[0].values:
            return self.sections[0].number_of(key)
        return None


def _read_date(text: str) -> datetime:
    match = _DATE.match(text)
    if match is None:
        raise ValueError
    first, middle, last = match.groups()[:3]
    hour, minute, second = map(int, match.groups()[3:])
    month = _MONTHS.index(middle[:3].title()) + 1 if middle.isalpha() else int(middle)
    year, day = (int(first), int(last)) if len(first) == 4 else (int(last), int(first))
    return datetime(year + 2000 * (year < 100), month, day, hour, minute, second)


def read_mdoc(path: str | Path) -> Mdoc:
    """Read an .mdoc file, every key of it.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a line is neither ``key = value`` nor ``[section = value]``, or there is no section.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "an .mdoc file") from None
    header: dict[str, str] = {}
    titles: list[str] = []
    sections: list[MdocSection] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if match := _TITLE.match(line):
            titles.append(match.group(1))
        elif match := _SECTION.match(line):
            kind, value = match.groups()
            sections.append(MdocSection(kind, value, {}, f"{path}, [{kind} = {value}]"))
        elif "=" in line:
            key, _, value = line.partition("=")
            (sections[-1].values if sections else header)[key.strip()] = value.strip()
        elif line:
            raise FormatError(f"{path}, line {number}: found {line!r}; expected key = value")
    if not sections:
        raise FormatError(f"{path}: no [ZValue = ...] section; expected an .mdoc file")
    return Mdoc(header, titles, sections, str(path))


def write_mdoc(path: str | Path, mdoc: Mdoc) -> None:
    """Write an .mdoc file, replaced in one step."""
    lines = [f"{key} = {value}" for key, value in mdoc.header.items()]
    for title in mdoc.titles:
        lines += ["", f"[T = {title}]"]
    for section in mdoc.sections:
        lines += ["", f"[{section.kind} = {section.number}]"]
        lines += [f"{key} = {value}" for key, value in section.values.items()]
    with replacing(path) as temporary:
        temporary.write_bytes("\n".join([*lines, ""]).encode("utf-8", errors="surrogateescape"))


def match_sections(mdoc: Mdoc, tilt_angles: Sequence[float]) -> list[MdocSection]:
    """Give the section of each tilt, told by the angle: stacks and mdocs are sorted differently.

    With as many sections as tilts the n-th smallest angles belong together, whatever the offset
    between stage and refined angles; with more sections, the nearest one is taken.

    Parameters
    ----------
    mdoc
    tilt_angles : (tilt,) degrees

    Raises
    ------
    FormatError
        If there are fewer sections than tilts, or two tilts would take the same section.
    """
    stage = np.array([section.number_of("TiltAngle") for section in mdoc.sections])
    angles = np.asarray(tilt_angles, dtype=np.float64)
    if len(stage) == len(angles):
        chosen = np.empty(len(angles), dtype=np.intp)
        chosen[np.argsort(angles, kind="stable")] = np.argsort(stage, kind="stable")
    else:
        chosen = np.abs(stage[None] - angles[:, None]).argmin(axis=1)
    if len(set(chosen.tolist())) < len(angles):
        raise FormatError(
            f"{mdoc.source}: {len(stage)} sections do not match {len(angles)} tilts by their "
            "TiltAngle; expected one section a tilt"
        )
    return [mdoc.sections[i] for i in chosen.tolist()]


def dose_before(mdoc: Mdoc, sections: Sequence[MdocSection]) -> NDArray[np.float64]:
    """Sum the dose that the specimen had received before each of some images.

    All images of the file count, in the order of their times (of the sections where times are
    missing).

    Parameters
    ----------
    mdoc
    sections : (tilt,) some of its sections

    Returns
    -------
    (tilt,) e⁻/Å²

    Raises
    ------
    FormatError
        If a section has no ExposureDose, or a negative one.
    """
    dose = np.array([section.number_of("ExposureDose") for section in mdoc.sections])
    negative = np.flatnonzero(dose < 0)
    if len(negative):
        raise FormatError(
            f"{mdoc.sections[negative[0]].source}: ExposureDose is {dose[negative[0]]:g}; expected "
            "0 e⁻/Å² or more"
        )
    times = [section.acquired for section in mdoc.sections]
    known = [time.timestamp() for time in times if time is not None]
    order = np.argsort(known, kind="stable") if len(known) == len(times) else np.arange(len(times))
    before = np.empty(len(dose))
    before[order] = np.cumsum(dose[order]) - dose[order]
    place = {id(section): i for i, section in enumerate(mdoc.sections)}
    return before[[place[id(section)] for section in sections]]
