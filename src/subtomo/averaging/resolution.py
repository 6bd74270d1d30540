"""The resolution of two half maps, and the table of their curves."""

from pathlib import Path

import numpy as np

from subtomo.formats.atomic import replacing
from subtomo.signal.fsc import FscCurves, resolution_at

THRESHOLD = 0.143
"""Of half maps: Rosenthal and Henderson, J. Mol. Biol. 333, 721-745 (2003)."""


def resolution_of(curves: FscCurves) -> float:
    """Resolution (Å) where the corrected curve falls below 0.143."""
    return resolution_at(curves.frequency, curves.corrected, THRESHOLD)


def write_curves(path: Path, curves: FscCurves) -> None:
    """Write the curves as CSV, a row a shell.

    Parameters
    ----------
    path : the file
    curves : to be written
    """
    lines = ["frequency,resolution,unmasked,masked,randomised,corrected"]
    for i, frequency in enumerate(curves.frequency):
        resolution = np.inf if frequency == 0 else 1 / frequency
        values = (curves.unmasked[i], curves.masked[i], curves.randomised[i], curves.corrected[i])
        cells = [f"{frequency:.6f}", f"{resolution:.3f}", *(f"{value:.5f}" for value in values)]
        lines.append(",".join(cells))
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def read_curves(path: Path) -> FscCurves:
    """Read the curves that :func:`write_curves` wrote; where phases were randomised is not in it.

    Parameters
    ----------
    path : the file
    """
    table = np.genfromtxt(path, delimiter=",", names=True)
    names = ("frequency", "unmasked", "masked", "randomised", "corrected")
    columns = {name: table[name] for name in names}
    return FscCurves(**columns, randomised_from=float("nan"))
