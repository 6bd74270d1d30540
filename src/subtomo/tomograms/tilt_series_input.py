"""The tilt series that are to be reconstructed, from tables and from stacks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from subtomo.errors import DataError, MissingFileError, SettingsError
from subtomo.formats.imod import read_imod_tilt_series
from subtomo.formats.relion_tomograms import TomogramEntry, read_tomograms_star
from subtomo.formats.volumes import STACK_SUFFIXES, volume_suffix
from subtomo.model import TiltSeries
from subtomo.tomograms.settings import ReconstructSettings
from subtomo.tomograms.tomogram_size import depth_from_thickness, size_from_images

_TABLE = "tomograms.star"


def open_tilt_series(settings: ReconstructSettings) -> list[TomogramEntry]:
    """Open tilt series: their images are read when they are used.

    Parameters
    ----------
    settings : which files, and what stacks do not say themselves

    Returns
    -------
    one entry a tilt series; the size of every tomogram is known

    Raises
    ------
    MissingFileError
        If a file does not exist.
    FormatError
        If a file cannot be read.
    SettingsError
        If a name comes twice, the thickness is unknown, or an option for stacks meets a table.
    DataError
        If a table lists no tilt series, or one without images.
    """
    sources: dict[str, Path] = {}
    entries = []
    for path, entry in _opened(settings):
        if entry.name in sources:
            raise SettingsError(
                f"{sources[entry.name]} and {path} both hold a tilt series {entry.name}; "
                "expected different names: rename one"
            )
        if entry.tilt_series.images is None:
            raise DataError(
                f"{path}: tilt series {entry.name} names no images; expected a column "
                "rlnMicrographName in its table"
            )
        sources[entry.name] = path
        series = _with_tomogram_size(entry.tilt_series, settings.thickness)
        entries.append(replace(entry, tilt_series=series))
    if not entries:
        raise DataError(f"{settings.tilt_series[0]}: lists no tilt series; expected at least one")
    return entries


def _opened(settings: ReconstructSettings) -> Iterator[tuple[Path, TomogramEntry]]:
    """Give each tilt series and the file it comes from."""
    for path in settings.tilt_series:
        if not path.exists():
            raise MissingFileError(
                f"{path}: no such file or folder; expected {_TABLE} or a stack of tilt images"
            )
        table = path / _TABLE if path.is_dir() else path
        if table.suffix.lower() == ".star":
            _refuse_stack_options(settings, path)
            for entry in read_tomograms_star(table):
                yield table, entry
            continue
        if volume_suffix(path).removesuffix(".gz") not in STACK_SUFFIXES:
            raise SettingsError(
                f"{path}: expected {_TABLE}, or a stack of tilt images that ends in "
                f"{', '.join(STACK_SUFFIXES)}"
            )
        series = read_imod_tilt_series(
            path,
            tlt=settings.tilt_angles,
            xf=settings.transforms,
            pixel_size=settings.image_pixel_size,
            tilt_axis_angle=settings.tilt_axis_angle,
        )
        yield path, TomogramEntry(series.name, series)


def _refuse_stack_options(settings: ReconstructSettings, table: Path) -> None:
    """Say that a table brings what an option would give."""
    for name in ("tilt_angles", "transforms", "tilt_axis_angle", "image_pixel_size"):
        if getattr(settings, name) is not None:
            raise SettingsError(
                f"--{name.replace('_', '-')} is for stacks, but {table} is a table with its own "
                "geometry; leave the option out"
            )


def _with_tomogram_size(series: TiltSeries, thickness: float | None) -> TiltSeries:
    """Give a series without one the size of its tomogram: the images', and the thickness."""
    if series.tomogram_size_px is not None or series.image_size_px is None:
        return series
    if thickness is None:
        raise SettingsError(
            f"tilt series {series.name} does not say how thick the tomogram is; "
            "give --thickness (Å)"
        )
    axis = float(series.tilt_axis_angles[len(series) // 2])
    depth = depth_from_thickness(thickness, series.pixel_size)
    return replace(series, tomogram_size_px=size_from_images(series.image_size_px, axis, depth))
