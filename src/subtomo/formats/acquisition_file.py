"""Files that say how tomograms were tilted: a row for each.

``File_name angleMin angleMax step tiltAxisAngle``, as Scipion's import of tomograms reads them, and
the same four numbers again where there is a second tilt axis.

Source: https://github.com/scipion-em/scipion-em-tomo, import of tomograms, acquisition from file.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.text_file import read_text

LEAST_TILT_STEP = 0.01
"""Degrees; tilt series have some tens of tilts."""

_NUMBERS = (4, 8)


@dataclass(frozen=True)
class AxisTilts:
    """Tilts about one axis.

    Parameters
    ----------
    lowest, highest : degrees
    step : degrees between tilts, nominal
    axis_angle : degrees, of the axis in the images from the vertical, counter-clockwise
    """

    lowest: float
    highest: float
    step: float
    axis_angle: float

    @property
    def angles(self) -> NDArray[np.float64]:
        """(n,) degrees, evenly from the lowest to the highest, as near to the step as these let."""
        n_steps = max(1, round((self.highest - self.lowest) / self.step))
        return np.linspace(self.lowest, self.highest, n_steps + 1)


@dataclass(frozen=True)
class AcquiredTilts:
    """Tilts of a tomogram, about one axis or two."""

    first: AxisTilts
    second: AxisTilts | None = None


def read_acquisition_file(path: Path) -> dict[str, AcquiredTilts]:
    """Read how tomograms were tilted.

    Parameters
    ----------
    path : text; columns separated by blanks, tabs or commas; ``#`` starts a comment

    Returns
    -------
    tilts by file name, as it is written

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If a row is not a name and four or eight numbers, the angles are none, or a name comes
        twice.
    """
    text = read_text(path, "rows of tilt angles")
    found: dict[str, AcquiredTilts] = {}
    for at, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line or (not found and line.lower().startswith("file_name")):
            continue
        name, tilts = _row(line, f"{path}, line {at}")
        if name in found:
            raise FormatError(f"{path}, line {at}: {name} comes twice")
        found[name] = tilts
    if not found:
        raise FormatError(f"{path}: holds no row; expected a file name and its tilt angles")
    return found


def _row(line: str, place: str) -> tuple[str, AcquiredTilts]:
    """Take a row apart; the name may hold blanks."""
    words = [word.strip() for word in (line.split(",") if "," in line else line.split())]
    numbers: list[float] = []
    while words and len(numbers) < max(_NUMBERS):
        try:
            numbers.insert(0, float(words[-1]))
        except ValueError:
            break
        words.pop()
    if not words or len(numbers) not in _NUMBERS:
        raise FormatError(
            f"{place}: is {line[:60]!r}; expected a file name and lowest angle, highest angle, "
            "step, axis angle, of one axis or two (4 or 8 numbers)"
        )
    axes = [_axis(numbers[i : i + 4], place) for i in range(0, len(numbers), 4)]
    return " ".join(words), AcquiredTilts(*axes)


def _axis(numbers: list[float], place: str) -> AxisTilts:
    lowest, highest, step, axis_angle = numbers
    is_step = LEAST_TILT_STEP <= step <= 90
    if not (-90 <= lowest < highest <= 90 and is_step and abs(axis_angle) <= 360):
        listed = ", ".join(f"{number:g}" for number in numbers)
        raise FormatError(
            f"{place}: tilts {listed}; expected two increasing angles from -90 to 90, a step "
            f"from {LEAST_TILT_STEP:g} to 90 and an axis angle from -360 to 360 degrees"
        )
    return AxisTilts(lowest, highest, step, axis_angle)
