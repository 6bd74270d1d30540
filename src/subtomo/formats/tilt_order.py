"""The order in which tilt angles were acquired: a list that goes with a scheme of tilts."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.paths import missing_file


def read_tilt_order(path: str | Path) -> NDArray[np.float64]:
    """Read tilt angles in the order of their acquisition.

    Parameters
    ----------
    path : a tilt angle a line, alone or last after a number and a comma or blank, as in the order
        lists of RELION 4's import; lines without a number, such as a header, are skipped at the top

    Returns
    -------
    (image,) degrees

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a line is not such numbers, or there is none.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "tilt angles, one a line") from None
    angles: list[float] = []
    for number, line in enumerate(lines, start=1):
        try:
            values = [float(text) for text in line.replace(",", " ").split()]
        except ValueError:
            values = [np.nan]
        if len(values) > 2 or not np.all(np.abs(values[-1:]) <= 180):
            if not angles and number == 1:
                continue
            raise FormatError(
                f"{path}, line {number}: {line.strip()!r}; expected a tilt angle, or its place in "
                "the order and a tilt angle"
            )
        angles += values[-1:]
    if not angles:
        raise FormatError(f"{path}: is empty; expected tilt angles, one a line")
    return np.array(angles)
