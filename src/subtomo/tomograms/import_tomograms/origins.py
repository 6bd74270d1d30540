"""Where the first voxel of an imported tomogram is in the full-resolution tomogram."""

from pathlib import Path

import numpy as np

from subtomo.errors import SettingsError
from subtomo.formats.volumes import origin_in_file
from subtomo.model import TomogramFrame, VoxelGrid
from subtomo.tomograms.import_tomograms.settings import Origin

Point = tuple[float, float, float]


def origin_of(choice: Origin, path: Path, found: VoxelGrid, frame: TomogramFrame) -> Point:
    """Give the place of the first voxel, (x, y, z) Å.

    Parameters
    ----------
    choice : as in the settings
    path : of the volume
    found : its voxels, with the origin of files whose origin can be trusted
    frame : the full-resolution tomogram

    Raises
    ------
    SettingsError
        If the header's origin is asked for and the file has none.
    """
    if choice == "auto":
        return found.origin
    if choice == "first-voxel":
        return (0.0, 0.0, 0.0)
    if choice == "block-mean":
        half = (found.pixel_size - frame.pixel_size) / 2
        return (half, half, half)
    if choice == "centre":
        assert found.size_px is not None  # of a volume
        x, y, z = (
            centre - n / 2 * found.pixel_size
            for centre, n in zip(frame.centre, found.size_px, strict=True)
        )
        return (x, y, z)
    origin = origin_in_file(path)
    if origin is None:
        raise SettingsError(
            f"{path}: --origin header, but files of this format say no origin; choose another, or "
            "give --origin-at"
        )
    return origin


def doubt(grid: VoxelGrid, frame: TomogramFrame) -> str | None:
    """Say what is odd about where a tomogram lies, in words; None where nothing is.

    Parameters
    ----------
    grid : the imported voxels
    frame : the full-resolution tomogram, whose first voxel is at 0
    """
    assert grid.size_px is not None
    size, full = np.array(grid.size_px), np.array(frame.size_px)
    first = np.array(grid.origin)
    last = first + (size - 1) * grid.pixel_size
    reach = grid.pixel_size  # voxels of a coarser grid reach beyond by less than one of them
    is_inside = (first >= -reach).all() and (last <= (full - 1) * frame.pixel_size + reach).all()
    if is_inside:
        return None
    where = ", ".join(f"{value:g}" for value in grid.origin)
    if np.allclose(first, -size / 2 * grid.pixel_size, atol=grid.pixel_size):
        return (
            f"its first voxel is at {where} Å, half its size before 0: this counts from the "
            "centre; choose --origin centre, unless coordinates count so too"
        )
    return (
        f"its first voxel is at {where} Å, so that it reaches beyond the full-resolution tomogram "
        f"of {' x '.join(map(str, frame.size_px))} voxels of {frame.pixel_size:g} Å; if it is a "
        "part of a larger one, give --full-size"
    )
