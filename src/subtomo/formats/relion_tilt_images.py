"""Which images RELION's tables name for a tilt series, and where they are.

A tomogram has one stack (``rlnTomoTiltSeriesName``), whose slices are the tilts in the order of the
table, or each row names its image. A further column of the CryoET Data Portal's tools,
``tomoTiltSeriesURI``, says where the same images are as OME-Zarr; it counts where the others are
not there. What lies at an address such as ``s3://bucket/series.zarr`` is not opened here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from subtomo.errors import StarError
from subtomo.formats.paths import find_file, is_remote
from subtomo.formats.star import StarTable
from subtomo.formats.tilt_images import open_tilt_images, split_image_name

IMAGE_NAME = "rlnMicrographName"
TILT_SERIES_URI = "tomoTiltSeriesURI"
STACK = "rlnTomoTiltSeriesName"
STACK_SIZE = "rlnTomoFrameCount"
NONE = "None"  # RELION's word for an empty text


def tilt_image_names(
    table: StarTable, row: int, tilts: StarTable
) -> tuple[tuple[str, ...], Callable[[int], str]]:
    """Name the images of one tomogram as its tables do.

    Parameters
    ----------
    table, row : of the tomograms
    tilts : a row a tilt

    Returns
    -------
    names : (tilt,), or empty where the tables name none
    place : says for a message where a name stands

    Raises
    ------
    StarError
        If the number of images is not that of the rows.
    """
    if STACK not in table or table.columns[STACK][row] in (NONE, ""):
        if IMAGE_NAME in tilts:
            return tuple(tilts.text(IMAGE_NAME).tolist()), tilts.place
        if TILT_SERIES_URI in tilts:
            uris = tilts.text(TILT_SERIES_URI).tolist()
            return tuple(f"{i:06d}@{uri}" for i, uri in enumerate(uris, start=1)), tilts.place
        return (), tilts.place
    count = int(table.integers(STACK_SIZE)[row]) if STACK_SIZE in table else len(tilts)
    if count != len(tilts):
        raise StarError(
            f"{table.place(row)}: {STACK_SIZE} is {count}, but {table.columns['rlnTomoName'][row]} "
            f"has {len(tilts)} tilts"
        )
    names = tuple(f"{i:06d}@{table.columns[STACK][row]}" for i in range(1, count + 1))
    return names, lambda _: table.place(row)


def open_relion_images(
    path: Path,
    table: StarTable,
    row: int,
    tilts: StarTable,
    *,
    required: bool,
    relative_dir: Path | None,
) -> tuple[Any, tuple[str, ...]]:
    """Open the images of one tomogram.

    Parameters
    ----------
    path : of the table of tomograms, where relative names start
    table, row : of the tomograms
    tilts : a row a tilt
    required : a missing file is an error
    relative_dir : the only folder where relative names start, if given

    Returns
    -------
    images : (tilt, y, x); None where they are at an address, or missing and not required
    names : (tilt,) absolute, such as ``000003@/data/stack.mrcs`` or ``000003@s3://bucket/s.zarr``;
        as in the table if a file is missing

    Raises
    ------
    MissingFileError
        If a file does not exist and ``required``.
    StarError
        If a stack has fewer images than a row asks for, or some are at addresses and some not.
    ShapeError
        If the images differ in size.
    """
    names, place = tilt_image_names(table, row, tilts)
    if not names:
        return None, ()
    parts = [_split(name, place(i)) for i, name in enumerate(names)]
    if TILT_SERIES_URI in tilts and not _all_there(parts, path, relative_dir):
        uris = tilts.text(TILT_SERIES_URI).tolist()
        parts = [(index, uri) for (index, _), uri in zip(parts, uris, strict=True)]
        names = tuple(f"{index + 1:06d}@{uri}" for index, uri in parts)
        place = tilts.place
    remote = [is_remote(file) for _, file in parts]
    if all(remote):
        return None, tuple(f"{index + 1:06d}@{file}" for index, file in parts)
    if any(remote):
        raise StarError(
            f"{place(remote.index(True))}: image {names[remote.index(True)]} is at an address and "
            f"{names[remote.index(False)]} is not; expected one or the other in a tilt series"
        )
    return open_tilt_images(names, path, place, required=required, relative_dir=relative_dir)


def _split(name: str, place: str) -> tuple[int, str]:
    try:
        return split_image_name(name)
    except StarError as error:
        raise StarError(f"{place}: {error}") from None


def _all_there(parts: list[tuple[int, str]], path: Path, relative_dir: Path | None) -> bool:
    files = {file for _, file in parts}
    return all(is_remote(file) or find_file(file, path, relative_dir) is not None for file in files)
