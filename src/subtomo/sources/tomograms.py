"""Tomograms from files, folders and tables of tomograms."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from subtomo.errors import DataError, MissingFileError, SettingsError, SubtomoWarning
from subtomo.formats.relion_tomograms import TomogramEntry, read_tomograms_star
from subtomo.formats.tomogram_list import is_tomogram_list, read_tomogram_list
from subtomo.formats.volumes import VOLUME_SUFFIXES, has_our_origin, read_volume, volume_suffix
from subtomo.model import Tomogram, TomogramFrame, Volume

TABLE_NAME = "tomograms.star"
"""The table that stands for its folder."""


def open_tomograms(
    paths: Sequence[Path | str], *, pixel_size: float | None = None
) -> list[Tomogram]:
    """Open tomograms: their voxels are read when they are used, where the format allows.

    Parameters
    ----------
    paths : volume files, OME-Zarr images, folders of them, or tables of tomograms
        A folder stands for the ``tomograms.star`` in it or else for its volumes, by name.
    pixel_size : Å; wins over the headers', with a warning if they disagree

    Returns
    -------
    list of Tomogram
        Named as in the table, or by the file name without its suffixes. Those of a table have
        their tilt series. A volume that this package wrote has the origin that its header says;
        another one has its first voxel at 0, and in a table its centre (size / 2) at the centre of
        the full-resolution tomogram, as IMOD, AreTomo and RELION reconstruct. A table of
        ``subtomo import tomograms`` says origins and pixel sizes itself.

    Raises
    ------
    MissingFileError
        If a file does not exist, or a folder holds no tomogram.
    SettingsError
        If two tomograms have the same name, or none was given.
    FormatError, DataError
        If a file cannot be read, its pixel size is unknown, or a table lists no tomogram.
    """
    if not paths:
        raise SettingsError("no tomogram was given; expected volume files, a folder or a table")
    sources: dict[str, Path] = {}
    tomograms = []
    for place, tomogram in _opened([Path(path) for path in paths], pixel_size):
        if tomogram.name in sources:
            raise SettingsError(
                f"{sources[tomogram.name]} and {place} are both called {tomogram.name}; expected "
                "different names, since particles refer to them: rename one"
            )
        sources[tomogram.name] = place
        tomograms.append(tomogram)
    if not tomograms:
        raise DataError(f"{paths[0]}: lists no tomogram; expected at least one")
    return tomograms


def open_tomogram(paths: Sequence[Path], name: str, *, pixel_size: float | None = None) -> Tomogram:
    """Open one of the tomograms that :func:`open_tomograms` gives, and no header of the others.

    Parameters
    ----------
    paths, pixel_size : as it takes them
    name : of the tomogram
    """
    return next(tomogram for _, tomogram in _opened(paths, pixel_size, name))


def tomogram_files(paths: Sequence[Path]) -> list[Path]:
    """List the files that :func:`open_tomograms` reads: tables, and the volumes that they name.

    Parameters
    ----------
    paths : as it takes them
    """
    files = []
    for path in paths:
        table = table_of(path)
        if table is None:
            files += _volumes_of(path)
            continue
        if is_tomogram_list(table):
            volumes = [one.path for one in read_tomogram_list(table)]
        else:
            entries = read_tomograms_star(table, require_images=False)
            volumes = [entry.tomogram_path for entry in entries if entry.tomogram_path is not None]
        files += [table, *volumes]
    return files


def table_of(path: Path) -> Path | None:
    """Give the table of tomograms that a path is or, as a folder, holds; None: neither."""
    if path.is_dir():
        return path / TABLE_NAME if (path / TABLE_NAME).is_file() else None
    return path if path.suffix.lower() == ".star" else None


def tomogram_name(path: Path | str) -> str:
    """Give the name of a tomogram from that of its file, suffixes removed.

    Parameters
    ----------
    path : such as ``TS_01_10.00Apx.mrc.gz``, which gives ``TS_01_10.00Apx``
        A level of an OME-Zarr image has the image's name.
    """
    path = Path(path)
    if not volume_suffix(path) and volume_suffix(path.parent) == ".zarr":
        path = path.parent
    return path.name[: len(path.name) - len(volume_suffix(path))]


def find_volumes(folder: Path | str) -> list[Path]:
    """List the volumes in a folder, by name; hidden and unfinished files are left out.

    Parameters
    ----------
    folder : the folder

    Raises
    ------
    MissingFileError
        If there are none.
    """
    folder = Path(folder)
    found = sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".")
        and volume_suffix(path).removesuffix(".gz") in VOLUME_SUFFIXES
    )
    if not found:
        table = f"beside {TABLE_NAME}" if (folder / TABLE_NAME).exists() else f"{TABLE_NAME} or"
        raise MissingFileError(
            f"{folder}: no volume in this folder; expected {table} files that end in "
            f"{', '.join(VOLUME_SUFFIXES)}"
        )
    return found


def _opened(
    paths: Iterable[Path], pixel_size: float | None, only: str | None = None
) -> Iterator[tuple[Path, Tomogram]]:
    """Give each tomogram, or the only one called so, and the file that it comes from."""
    for path in paths:
        if not path.exists():
            raise MissingFileError(
                f"{path}: no such file or folder; expected a volume, a folder of volumes or "
                f"{TABLE_NAME}"
            )
        table = table_of(path)
        if table is not None:
            yield from _of_table(table, pixel_size, only)
            continue
        for file in _volumes_of(path):
            name = tomogram_name(file)
            if only in (None, name):
                yield file, Tomogram(name, read_volume(file, pixel_size=pixel_size))


def _volumes_of(path: Path) -> list[Path]:
    """List the volumes of a folder; a file, an OME-Zarr image or a level of one is itself one."""
    is_one = not path.is_dir() or volume_suffix(path) or volume_suffix(path.parent)
    return [path] if is_one else find_volumes(path)


def _of_table(
    table: Path, pixel_size: float | None, only: str | None
) -> Iterator[tuple[Path, Tomogram]]:
    """Open the tomograms of a table."""
    if is_tomogram_list(table):
        for one in read_tomogram_list(table):
            if only not in (None, one.name):
                continue
            path = _existing(table, one.name, one.path)
            size = one.pixel_size if pixel_size is None else pixel_size
            volume = _placed(path, size, one.origin, is_told=pixel_size is None)
            yield path, Tomogram(one.name, volume, full_frame=one.frame)
        return
    for entry in read_tomograms_star(table, require_images=False):
        if only not in (None, entry.name):
            continue
        path = _reconstruction(table, entry)
        given = pixel_size
        if given is None and entry.binning is not None:
            given = entry.binning * entry.tilt_series.pixel_size
        if entry.origin is not None and given is not None:
            volume = _placed(path, given, entry.origin, is_told=pixel_size is None)
            yield path, Tomogram(entry.name, volume, entry.tilt_series)
            continue
        volume = read_volume(path, pixel_size=given)
        if entry.tilt_series.tomogram_size_px is not None and not has_our_origin(path):
            volume = _centred(volume, entry.frame)
        yield path, Tomogram(entry.name, volume, entry.tilt_series)


def _reconstruction(table: Path, entry: TomogramEntry) -> Path:
    """Give the file of an entry's volume."""
    if entry.tomogram_path is None:
        raise DataError(
            f"{table}: tomogram {entry.name} has no rlnTomoReconstructedTomogram; reconstruct it "
            "with subtomo tomogram reconstruct, or give the volume files themselves"
        )
    return _existing(table, entry.name, entry.tomogram_path)


def _existing(table: Path, name: str, path: Path) -> Path:
    """Give the file of a volume, which must be there."""
    if not path.exists():
        raise MissingFileError(
            f"{table}: rlnTomoReconstructedTomogram of {name} is {path}, which does not exist"
        )
    return path


def _placed(
    path: Path, pixel_size: float, origin: tuple[float, float, float], *, is_told: bool
) -> Volume:
    """Open a volume that its table places; what its header says instead was told at the import."""
    with warnings.catch_warnings():
        if is_told:
            warnings.simplefilter("ignore", SubtomoWarning)
        return read_volume(path, pixel_size=pixel_size, origin=origin)


def _centred(volume: Volume, frame: TomogramFrame) -> Volume:
    """Place a volume so that its centre, size / 2, is the frame's."""
    x, y, z = (
        centre - n / 2 * volume.pixel_size
        for centre, n in zip(frame.centre, volume.shape[::-1], strict=True)
    )
    return Volume(volume.data, volume.pixel_size, (x, y, z))
