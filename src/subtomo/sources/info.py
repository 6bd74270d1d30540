"""What a file is, in words, for every format that is read."""

from collections.abc import Callable, Mapping
from pathlib import Path

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.volumes import volume_suffix
from subtomo.sources.particle_info import describe_particles, particle_format
from subtomo.sources.table_info import describe_csv, describe_star
from subtomo.sources.tilt_series_info import (
    describe_aln,
    describe_mdoc,
    describe_tlt,
    describe_warp_xml,
    describe_xf,
)
from subtomo.sources.tomograms import TABLE_NAME, find_volumes
from subtomo.sources.volume_info import describe_volume

Rows = list[tuple[str, str]]

DESCRIBERS: Mapping[str, Callable[[Path], Rows]] = {
    ".aln": describe_aln,
    ".csv": describe_csv,
    ".mdoc": describe_mdoc,
    ".rawtlt": describe_tlt,
    ".star": describe_star,
    ".tlt": describe_tlt,
    ".xf": describe_xf,
    ".xml": describe_warp_xml,
}
"""By suffix; volumes and stacks of images have more than one suffix and are told apart before."""


def describe(path: Path | str) -> Rows:
    """Describe a file: what it holds, how large, and what is assumed in reading it.

    Parameters
    ----------
    path : a volume, a stack of images, a table, metadata of a tilt series, or a folder of volumes

    Returns
    -------
    list of (label, value)
        Both empty where a line is left free.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is of no known format, or not what its suffix says.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder")
    rows = [("file", str(path))]
    if path.is_file():
        rows.append(("bytes", f"{path.stat().st_size:,}"))
    table = particle_format(path, without=DESCRIBERS)
    if table is not None:
        return rows + describe_particles(path, table)
    if volume_suffix(path) or (path.is_dir() and volume_suffix(path.parent)):
        return rows + describe_volume(path)
    if path.is_dir():
        return rows + _describe_folder(path)
    describer = DESCRIBERS.get(path.suffix.lower())
    if describer is None:
        raise FormatError(
            f"{path}: no format has the suffix {path.suffix!r}; expected a volume, a stack of "
            f"images or one of {', '.join(DESCRIBERS)}"
        )
    return rows + describer(path)


def _describe_folder(path: Path) -> Rows:
    """Describe a folder: by its table of tomograms, or by listing its volumes."""
    if (path / TABLE_NAME).is_file():
        return [("table", TABLE_NAME), *describe_star(path / TABLE_NAME)]
    volumes = find_volumes(path)
    return [("volumes", str(len(volumes))), *(("volume", file.name) for file in volumes)]
