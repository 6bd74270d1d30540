"""What tables of particles do not say of their tomograms, from files, folders and tables."""

from collections.abc import Sequence
from pathlib import Path

from subtomo.formats.relion_tomograms import TomogramEntry, read_tomograms_star
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_list import is_tomogram_list
from subtomo.sources.tomograms import open_tomograms, table_of


def tomogram_context(paths: Sequence[Path], *, pixel_size: float | None = None) -> TableContext:
    """Gather sizes, pixel sizes and origins of tomograms; no voxel is read.

    Parameters
    ----------
    paths : volume files, folders of them, or tables of tomograms
        Of tables whose tomograms are not reconstructed only the frames are known, which RELION
        needs; the reconstructions of the others are opened.
    pixel_size : Å; wins over the headers', with a warning if they disagree

    Raises
    ------
    MissingFileError, FormatError, DataError
        If a file does not exist, cannot be read, or does not say a pixel size.
    SettingsError
        If two tomograms have the same name.
    """
    tables = [path for path in map(table_of, paths) if path is not None]
    if any(is_tomogram_list(path) for path in tables):
        opened = TableContext.of(open_tomograms(paths, pixel_size=pixel_size))
        return TableContext(opened.grids, opened.frames, pixel_size)
    entries = [e for path in tables for e in read_tomograms_star(path, require_images=False)]
    if not any(_is_reconstructed(entry) for entry in entries):
        volumes = [path for path in paths if table_of(path) is None]
        frames = {e.name: e.frame for e in entries if e.tilt_series.tomogram_size_px is not None}
        if not volumes:
            return TableContext(frames=frames, pixel_size=pixel_size)
        opened = TableContext.of(open_tomograms(volumes, pixel_size=pixel_size))
        return TableContext(opened.grids, {**opened.frames, **frames}, pixel_size)
    opened = TableContext.of(open_tomograms(paths, pixel_size=pixel_size))
    return TableContext(opened.grids, opened.frames, pixel_size)


def _is_reconstructed(entry: TomogramEntry) -> bool:
    return entry.tomogram_path is not None and entry.tomogram_path.exists()
