"""IMOD's ``tilt.com``: how a tomogram was cut out of an aligned tilt series.

Sizes and shifts in it are in pixels of the unbinned images. In RELION's terms the x tilt is
XAXISTILT, and a point of the tomogram lies ``(−SHIFT x, 0, SHIFT z)`` further from the tilt axis
than from the tomogram's centre, once the tomogram is turned so that z is its third axis (``trimvol
-rx``). Source: IMOD's man page of ``tilt``; for the signs its source, ``tilt.f90``, where a voxel
(x, y, z) from the centre, z down, is at ``x cos β + (z cos α + y sin α) sin β, y cos α − z sin α``
with β = −(tilt angle + OFFSET), α = −XAXISTILT.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from subtomo.errors import FormatError
from subtomo.formats.paths import missing_file

_LEFT_OUT = ("LOCALFILE", "ZFACTORFILE", "XTILTFILE")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?$")


@dataclass(frozen=True)
class TiltCom:
    """What a tilt.com says of the geometry; zeros and None where it says nothing.

    Parameters
    ----------
    thickness_px : of the tomogram, or None
    angle_offset : degrees, to be added to all tilt angles
    x_axis_tilt : degrees, as in the file
    shift_px : (x, z) as in the file
    excluded : views left out, counted from 1
    tilt_file, projections : names of the files it worked on, or None
    left_out : entries with an effect on positions that are not read
    """

    thickness_px: int | None = None
    angle_offset: float = 0.0
    x_axis_tilt: float = 0.0
    shift_px: tuple[float, float] = (0.0, 0.0)
    excluded: tuple[int, ...] = ()
    tilt_file: str | None = None
    projections: str | None = None
    left_out: tuple[str, ...] = ()

    def is_of(self, name: str) -> bool:
        """Tell whether it belongs to the series of that name, by the files it names."""
        named = [Path(file).stem for file in (self.tilt_file, self.projections) if file]
        return not named or any(re.fullmatch(rf"{re.escape(name)}(_ali)?", stem) for stem in named)


def read_tilt_com(path: str | Path) -> TiltCom:
    """Read a tilt.com.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it holds no parameters of the program tilt, a value is not a number, or
        THICKNESS is less than 1.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "IMOD's tilt.com") from None
    entries: dict[str, str] = {}
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if key and key[0] not in "#$":
            entries[key] = value.strip()
    if not {"TILTFILE", "THICKNESS"} & entries.keys():
        raise FormatError(f"{path}: neither TILTFILE nor THICKNESS; expected IMOD's tilt.com")
    excluded = [entries[key] for key in ("EXCLUDELIST", "EXCLUDELIST2") if key in entries]
    thickness = _numbers(path, entries, "THICKNESS", 1)
    if thickness and not 1 <= thickness[0] < math.inf:
        raise FormatError(f"{path}: THICKNESS is {thickness[0]:g}; expected 1 pixel or more")
    shift = [*_numbers(path, entries, "SHIFT", 2), 0.0, 0.0]
    return TiltCom(
        thickness_px=round(thickness[0]) if thickness else None,
        angle_offset=sum(_numbers(path, entries, "OFFSET", 1)),
        x_axis_tilt=sum(_numbers(path, entries, "XAXISTILT", 1)),
        shift_px=(shift[0], shift[1]),
        excluded=tuple(sorted({view for text in excluded for view in _views(path, text)})),
        tilt_file=entries.get("TILTFILE"),
        projections=entries.get("InputProjections"),
        left_out=(
            *(key for key in _LEFT_OUT if key in entries),
            *(["OFFSET in x"] if any(_numbers(path, entries, "OFFSET", 2)[1:]) else []),
        ),
    )


def _numbers(path: Path, entries: dict[str, str], key: str, most: int) -> list[float]:
    """Read the first numbers of an entry; none where it is missing."""
    texts = entries.get(key, "").replace(",", " ").split()
    try:
        return [float(text) for text in texts[:most]]
    except ValueError:
        raise FormatError(f"{path}: {key} is {entries[key]!r}; expected numbers") from None


def _views(path: Path, text: str) -> list[int]:
    """List the views of ``1,3-5``."""
    views: list[int] = []
    for part in text.replace(",", " ").split():
        match = _RANGE.match(part)
        if match is None:
            raise FormatError(f"{path}: EXCLUDELIST is {text!r}; expected views such as 1,2,38-41")
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        views += range(first, last + 1)
    return views
