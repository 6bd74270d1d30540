"""What will be imported: every series read, completed and checked before anything is written."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from subtomo.errors import MissingFileError, SettingsError
from subtomo.formats.defocus_files import read_defocus
from subtomo.formats.mdoc import read_mdoc
from subtomo.formats.naming_file import naming_file
from subtomo.formats.relion_tomograms import TomogramEntry
from subtomo.model import Acquisition, Deformation, TiltCtf, TiltSeries
from subtomo.tomograms.import_tilt_series.aligned import AlignedSeries
from subtomo.tomograms.import_tilt_series.aretomo import read_aretomo
from subtomo.tomograms.import_tilt_series.doses import dose_source, find_dose
from subtomo.tomograms.import_tilt_series.files import SeriesFiles, find_series
from subtomo.tomograms.import_tilt_series.given_folders import check_given_folders
from subtomo.tomograms.import_tilt_series.imod import read_imod
from subtomo.tomograms.import_tilt_series.series_import import SeriesImport
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings
from subtomo.tomograms.import_tilt_series.warp import read_warp
from subtomo.tomograms.tomogram_size import depth_from_thickness, size_from_images

_RELION_HANDEDNESS = -1  # what RELION 5's import assumes
_OPTICS_GROUP = "rlnOpticsGroupName"
_UNITS = {"voltage": " kV", "spherical_aberration": " mm"}


def plan_import(settings: ImportTiltSeriesSettings) -> list[SeriesImport]:
    """Read every series.

    Raises
    ------
    SubtomoError
        If a file is missing or not what it should be, an option is needed that was not given, or
        one was given that changes nothing.

    Warns
    -----
    SubtomoWarning
        If a folder given lacks a file of some series.
    """
    imports = [_import(files, settings) for files in find_series(settings)]
    check_given_folders(settings, imports)
    return imports


def entries_of(imports: Sequence[SeriesImport]) -> list[TomogramEntry]:
    """Make the rows of the table.

    Series of the same optics share an optics group. Where one series is deformed, the others get
    a deformation that moves nothing: RELION's columns are for all rows.
    """
    groups: dict[tuple[float, Acquisition], str] = {}
    all_series = [one.tilt_series for one in imports]
    is_deformed = any(series.deformation is not None for series in all_series)
    entries = []
    for series in all_series:
        optics = (series.pixel_size, series.acquisition)
        group = groups.setdefault(optics, f"opticsGroup{len(groups) + 1}")
        if is_deformed and series.deformation is None:
            still = Deformation("linear", (0, 0), np.zeros((len(series), 3)))
            series = replace(series, deformation=still)
        entries.append(TomogramEntry(series.name, series, extra={_OPTICS_GROUP: group}))
    return entries


def _import(files: SeriesFiles, settings: ImportTiltSeriesSettings) -> SeriesImport:
    """Read one series and complete it."""
    mdoc = None if files.mdoc is None else read_mdoc(files.mdoc)
    aligned = _read(files, settings)
    dose = find_dose(aligned, files, mdoc, settings)
    voltage = None if mdoc is None or aligned.knows_optics else mdoc.voltage
    with naming_file(files.mdoc or files.alignment):
        series, assumed = _with_acquisition(aligned, voltage, settings)
    if dose is None:
        assumed.append("dose 0")
    series = replace(
        series,
        dose=series.dose if dose is None else dose,
        ctf=_ctf(aligned, files, is_given=settings.defocus is not None),
        tomogram_size_px=settings.tomogram_size or _tomogram_size(aligned, settings),
    )
    uses_mdoc = dose_source(aligned, files, mdoc, settings) == "mdoc" or (
        voltage is not None and settings.voltage is None
    )
    return SeriesImport(series, files, tuple(assumed), uses_mdoc)


def _read(files: SeriesFiles, settings: ImportTiltSeriesSettings) -> AlignedSeries:
    """Read the alignment, with the images."""
    if files.kind == "warp":
        return read_warp(files, settings.images, settings.pixel_size)
    if files.stack is None:
        raise MissingFileError(
            f"{files.alignment}: no stack called {files.name} in "
            f"{settings.stacks or files.alignment.parent}; give the folder of the raw stacks with "
            "--stacks"
        )
    read = read_imod if files.kind == "imod" else read_aretomo
    return read(files, files.stack, settings.pixel_size)


def _with_acquisition(
    aligned: AlignedSeries, voltage: float | None, settings: ImportTiltSeriesSettings
) -> tuple[TiltSeries, list[str]]:
    """Complete the microscope and the handedness; say what was assumed."""
    series = aligned.tilt_series
    found: dict[str, Any] = {"voltage": voltage}
    if aligned.knows_optics:
        found = vars(series.acquisition) | {"handedness": series.handedness}
    defaults = vars(Acquisition()) | {"handedness": _RELION_HANDEDNESS}
    values, assumed = {}, []
    for name, default in defaults.items():
        stated = [v for v in (getattr(settings, name), found.get(name)) if v is not None]
        values[name] = stated[0] if stated else default
        if not stated:
            assumed.append(f"{name.replace('_', ' ')} {default:g}{_UNITS.get(name, '')}")
    handedness = int(values.pop("handedness"))
    return replace(series, acquisition=Acquisition(**values), handedness=handedness), assumed


def _ctf(aligned: AlignedSeries, files: SeriesFiles, *, is_given: bool) -> TiltCtf | None:
    """Read the defocus, of a file that is given, else Warp's own; scale it as RELION does."""
    series = aligned.tilt_series
    ctf = series.ctf
    if files.defocus is not None and (ctf is None or is_given):
        ctf = read_defocus(files.defocus, aligned.n_images, aligned.sections)
    scale = np.cos(np.radians(series.tilt_angles))
    return None if ctf is None else replace(ctf, scale=scale)


def _tomogram_size(
    aligned: AlignedSeries, settings: ImportTiltSeriesSettings
) -> tuple[int, int, int]:
    """Give the size of a tomogram that no option states."""
    series = aligned.tilt_series
    depth = aligned.tomogram_depth_px
    if settings.thickness is not None:
        depth = depth_from_thickness(settings.thickness, series.pixel_size)
    if depth is None:
        raise SettingsError(
            f"tilt series {series.name} does not say how thick the tomogram is; give --thickness "
            "(Å) or --tomogram-size"
        )
    assert series.image_size_px is not None  # the images are open
    axis = float(series.tilt_axis_angles[len(series) // 2])
    return size_from_images(series.image_size_px, axis, depth)
