"""Which program's STAR file of particles a file is, by the columns it names."""

import re
from pathlib import Path

from subtomo.formats.text_file import file_start

_TAG = re.compile(rb"^_(\w+)", re.MULTILINE)


def is_relion4(path: Path) -> bool:
    """Tell whether a file has coordinates in pixels of tilt series, and no centred ones."""
    tags = _tags(path)
    return b"rlnTomoName" in tags and b"rlnCenteredCoordinateXAngst" not in tags


def is_relion31(path: Path) -> bool:
    """Tell whether a file calls tomograms micrographs, and has optics groups."""
    tags = _tags(path)
    return _names_micrographs(tags) and b"rlnOpticsGroup" in tags


def is_warp(path: Path) -> bool:
    """Tell whether a file calls tomograms micrographs, and has no optics groups."""
    tags = _tags(path)
    return _names_micrographs(tags) and b"rlnOpticsGroup" not in tags


def _names_micrographs(tags: set[bytes]) -> bool:
    return {b"rlnMicrographName", b"rlnCoordinateX"} <= tags and b"rlnTomoName" not in tags


def _tags(path: Path) -> set[bytes]:
    """Give the names of the columns at the start of a file."""
    return set(_TAG.findall(file_start(path)))
