"""What will be imported: every header read and checked before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from subtomo.counts import some_of
from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.formats.acquisition_file import (
    AcquiredTilts,
    AxisTilts,
    read_acquisition_file,
)
from subtomo.formats.tomogram_names import base_name, match_tomogram_names
from subtomo.formats.volumes import read_volume, volume_suffix
from subtomo.model import Acquisition, TomogramFrame, VoxelGrid
from subtomo.tomograms.import_tomograms.finding import find_tomograms
from subtomo.tomograms.import_tomograms.origins import Point, doubt, origin_of
from subtomo.tomograms.import_tomograms.settings import ImportTomogramsSettings, Origin


@dataclass(frozen=True)
class TomogramImport:
    """One tomogram, ready to be written.

    Parameters
    ----------
    name : of the tomogram
    source : its volume
    grid : its voxels, where they are to be
    frame : the full-resolution tomogram
    tilts : how it was tilted, or None
    """

    name: str
    source: Path
    grid: VoxelGrid
    frame: TomogramFrame
    tilts: AcquiredTilts | None = None

    @property
    def file_name(self) -> str:
        """Name of the volume in the output folder."""
        return f"{self.name}{volume_suffix(self.source)}"

    @property
    def doubt(self) -> str | None:
        """What is odd about where it lies."""
        return doubt(self.grid, self.frame)


def plan_import(settings: ImportTomogramsSettings) -> list[TomogramImport]:
    """Find the tomograms and read their headers.

    Raises
    ------
    SubtomoError
        If a file is missing or no volume, its pixel size is unknown, or no row says how it was
        tilted.

    Warns
    -----
    SubtomoWarning
        If a header says another pixel size than was given.
    """
    found = find_tomograms(
        settings.tomograms, pattern=settings.pattern, excluded=(settings.exclude or "").split()
    )
    tilts = tilts_of(found, settings)
    return [
        place_tomogram(
            name,
            path,
            pixel_size=settings.pixel_size,
            origin=settings.origin_at or settings.origin,
            binning=settings.binning,
            full_size=settings.full_size,
            tilts=tilts.get(name),
        )
        for name, path in found.items()
    ]


def acquisition_of(settings: ImportTomogramsSettings) -> Acquisition:
    """Give the microscope."""
    return Acquisition(settings.voltage, settings.spherical_aberration, settings.amplitude_contrast)


def tilts_of(
    found: Mapping[str, Path], settings: ImportTomogramsSettings
) -> dict[str, AcquiredTilts]:
    """Give how each tomogram was tilted, by name; empty where nothing is said.

    Raises
    ------
    SettingsError
        If the acquisition file has no row of a tomogram, or two.
    """
    if settings.tilt_range is not None:
        typed = _typed(settings)
        return dict.fromkeys(found, typed)
    if settings.acquisition is None:
        return {}
    rows = read_acquisition_file(settings.acquisition)
    of_names = match_tomogram_names(found, rows)
    of_files = match_tomogram_names([path.name for path in found.values()], rows)
    chosen = {name: of_files.get(path.name, of_names.get(name)) for name, path in found.items()}
    for name, path in found.items():
        one, other = of_files.get(path.name), of_names.get(name)
        if one is not None and other is not None and one != other:
            raise SettingsError(
                f"{settings.acquisition}: rows {one} and {other} are both of tomogram {name}; "
                "expected one: remove the other"
            )
    lacking = [name for name, row in chosen.items() if row is None]
    if lacking:
        raise SettingsError(
            f"{settings.acquisition}: no row for tomogram {some_of(lacking)}; found rows for "
            f"{some_of(rows)}: add it, or leave the tomogram out with --exclude"
        )
    return {name: rows[row] for name, row in chosen.items() if row is not None}


def _typed(settings: ImportTomogramsSettings) -> AcquiredTilts:
    """Give the tilts of the options."""
    assert settings.tilt_range is not None
    step, axis = settings.tilt_step, settings.tilt_axis_angle
    first = AxisTilts(*settings.tilt_range, step, axis)
    if settings.second_tilt_range is None:
        return AcquiredTilts(first)
    second_axis = settings.second_tilt_axis_angle
    second = AxisTilts(
        *settings.second_tilt_range,
        settings.second_tilt_step or step,
        axis + 90 if second_axis is None else second_axis,
    )
    return AcquiredTilts(first, second)


def place_tomogram(
    name: str,
    path: Path,
    *,
    pixel_size: float | None = None,
    origin: Origin | Point = "auto",
    binning: float = 1.0,
    full_size: tuple[int, int, int] | None = None,
    tilts: AcquiredTilts | None = None,
) -> TomogramImport:
    """Read the header of one tomogram and say where it is.

    Parameters
    ----------
    name : of the tomogram
    path : of the volume
    pixel_size : Å; wins over the header's
    origin : a choice, or the first voxel (x, y, z) Å
    binning : pixel size over that of full resolution
    full_size : (x, y, z) of the full-resolution tomogram; None: that of the volume times binning
    tilts : how it was tilted, or None

    Raises
    ------
    SubtomoError
        If the file is no volume, its pixel size or origin is not known, or no file can be called
        as the tomogram.

    Warns
    -----
    SubtomoWarning
        If the header says another pixel size than was given.
    """
    if base_name(name) in ("", ".", ".."):
        raise DataError(f"{path}: would be called {name!r}; expected a name for files")
    volume = read_volume(path, pixel_size=pixel_size)
    if volume.shape[0] == 1:
        raise ShapeError(f"{path}: is one image; expected a volume of several sections")
    grid = volume.grid
    assert grid.size_px is not None  # of a volume
    x, y, z = (max(1, round(n * binning)) for n in grid.size_px)
    frame = TomogramFrame(full_size or (x, y, z), grid.pixel_size / binning)
    first = origin_of(origin, path, grid, frame) if isinstance(origin, str) else origin
    placed = VoxelGrid(grid.pixel_size, grid.size_px, first)
    return TomogramImport(name, path, placed, frame, tilts)
