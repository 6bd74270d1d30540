"""Formats of one tomogram a file: tables of several are not poured into one."""

from pathlib import Path

import numpy as np

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.formats.tomogram_names import base_name, require_different_files
from subtomo.model import Particles

PLACE = "{tomogram}"
"""Stands for the tomogram in the name of a file that is written for each."""


def by_tomogram(path: Path, particles: Particles, title: str) -> dict[Path, Particles]:
    """Give the files that a table becomes in a format of one tomogram a file.

    Parameters
    ----------
    path : with ``{tomogram}`` in its name where there are several
    particles : the table
    title : of the format, for the message

    Returns
    -------
    the particles of each file; where there are none one empty file, or no file of a tomogram

    Raises
    ------
    SettingsError
        If there are several tomograms and one name.
    DataError
        If files of two tomograms would have one name.
    """
    names = np.unique(particles.tomogram).tolist()
    if PLACE in path.name:
        files = require_different_files(names, base_name)
        return {
            path.with_name(path.name.replace(PLACE, file)): particles.of_tomogram(name)
            for name, file in files.items()
        }
    if len(names) > 1:
        raise SettingsError(
            f"{path}: {title} holds one tomogram a file, and the table has {len(names)} "
            f"({some_of(names)}): put {PLACE} into the name, and a file is written for each"
        )
    return {path: particles}
