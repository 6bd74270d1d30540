"""The dose that the specimen had received before each image of a series."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SettingsError
from subtomo.formats.aretomo import AretomoTilts, read_aretomo_tlt
from subtomo.formats.mdoc import Mdoc, MdocSection, dose_before, match_sections
from subtomo.formats.tilt_order import read_tilt_order
from subtomo.tomograms.import_tilt_series.aligned import AlignedSeries
from subtomo.tomograms.import_tilt_series.files import SeriesFiles
from subtomo.tomograms.import_tilt_series.settings import ImportTiltSeriesSettings

FloatArray = NDArray[np.float64]
Source = Literal["list", "alignment", "mdoc", "tlt"]

_TLT = "_TLT.txt"  # of AreTomo


def dose_source(
    aligned: AlignedSeries,
    files: SeriesFiles,
    mdoc: Mdoc | None,
    settings: ImportTiltSeriesSettings,
) -> Source | None:
    """Name the first source that says the dose before each image.

    Parameters
    ----------
    aligned, files, mdoc : of the series
    settings : ``tilt_order`` wins, then Warp's own dose, the mdoc's, and that in AreTomo's
        ``_TLT.txt``

    Returns
    -------
    the source, or None where nothing says it
    """
    if settings.tilt_order is not None:
        return "list"
    if files.kind == "warp" and aligned.tilt_series.dose.any():
        return "alignment"
    if mdoc is not None and (settings.dose_per_tilt is not None or has_doses(mdoc)):
        return "mdoc"
    if files.kind == "aretomo" and files.beside(_TLT) is not None:
        return "tlt"
    return None


def find_dose(
    aligned: AlignedSeries,
    files: SeriesFiles,
    mdoc: Mdoc | None,
    settings: ImportTiltSeriesSettings,
) -> FloatArray | None:
    """Find the dose before each image, from its ``dose_source``.

    Parameters
    ----------
    aligned : the series
    files : of it
    mdoc : of it, or None
    settings : ``dose_per_tilt`` replaces the dose, not the order

    Returns
    -------
    (tilt,) e⁻/Å², or None where nothing says it

    Raises
    ------
    SettingsError
        If a dose is given, and nothing says the order.
    FormatError
        If a file does not match the tilts.
    """
    each = settings.dose_per_tilt
    own = aligned.tilt_series.dose
    source = dose_source(aligned, files, mdoc, settings)
    dose: FloatArray | None = None
    if source == "list" and settings.tilt_order is not None and each is not None:
        return dose_of_list(settings.tilt_order, aligned.stage_angles, each)
    if source == "alignment":
        return own if each is None else scaled_dose(own, each, files.alignment)
    if source == "mdoc" and mdoc is not None:
        return dose_of_mdoc(mdoc, aligned.stage_angles, each)
    if source == "tlt" and (path := files.beside(_TLT)) is not None:
        dose = dose_of_tlt(path, aligned.n_images, each)
    if dose is None and each is not None:
        raise SettingsError(
            f"tilt series {files.name}: --dose-per-tilt needs the order of acquisition; give "
            "--tilt-order, or the folder of the .mdoc files with --mdocs"
        )
    return None if dose is None else dose[aligned.sections]


def dose_of_mdoc(mdoc: Mdoc, stage_angles: FloatArray, dose_per_tilt: float | None) -> FloatArray:
    """Sum the doses of an mdoc in the order of its times.

    Parameters
    ----------
    mdoc
    stage_angles : (tilt,) degrees, by which images find their sections
    dose_per_tilt : e⁻/Å², instead of each section's ExposureDose; or None

    Returns
    -------
    (tilt,) e⁻/Å² before each image

    Raises
    ------
    FormatError
        If sections do not match tilts, or have no ExposureDose.
    """
    if dose_per_tilt is not None:
        dose = {"ExposureDose": str(dose_per_tilt)}
        sections = [replace(s, values={**s.values, **dose}) for s in mdoc.sections]
        mdoc = replace(mdoc, sections=sections)
    return dose_before(mdoc, match_sections(mdoc, stage_angles.tolist()))


def has_doses(mdoc: Mdoc) -> bool:
    """Whether an mdoc says the dose of every image; SerialEM writes 0 without calibration."""
    doses = [section.values.get("ExposureDose") for section in mdoc.sections]
    return all(doses) and any(section.number_of("ExposureDose") for section in mdoc.sections)


def dose_of_tlt(path: Path, n_images: int, dose_per_tilt: float | None) -> FloatArray | None:
    """Sum the doses in AreTomo's ``_TLT.txt`` in its order.

    Parameters
    ----------
    path : the file
    n_images : in the raw stack
    dose_per_tilt : e⁻/Å², instead of the file's; or None

    Returns
    -------
    (image,) e⁻/Å² before each image; None where neither the file nor the option says it

    Raises
    ------
    FormatError
        If the file is not of this stack.
    """
    tilts: AretomoTilts = read_aretomo_tlt(path)
    if tilts.order is None:
        return None
    if len(tilts.order) != n_images:
        raise FormatError(f"{path}: {len(tilts.order)} lines, but the stack has {n_images} images")
    if dose_per_tilt is not None:
        doses = np.full(n_images, dose_per_tilt)
    elif tilts.dose is not None and tilts.dose.any():
        doses = tilts.dose
    else:
        return None
    return _summed(doses, tilts.order)


def dose_of_list(path: Path, stage_angles: FloatArray, dose_per_tilt: float) -> FloatArray:
    """Sum the doses of a list of tilt angles in the order of acquisition.

    Returns
    -------
    (tilt,) e⁻/Å² before each image

    Raises
    ------
    FormatError
        If the list does not match the tilts.
    """
    sections = [
        MdocSection("ZValue", str(i), {"TiltAngle": str(angle)}, str(path))
        for i, angle in enumerate(read_tilt_order(path))
    ]
    return dose_of_mdoc(Mdoc({}, [], sections, str(path)), stage_angles, dose_per_tilt)


def scaled_dose(dose: FloatArray, dose_per_tilt: float, source: Path) -> FloatArray:
    """Scale doses so that the usual step from image to image is another one.

    Parameters
    ----------
    dose : (tilt,) e⁻/Å²
    dose_per_tilt : e⁻/Å², the median step of the result
    source : for messages

    Raises
    ------
    SettingsError
        If the doses are all the same.
    """
    steps = np.diff(np.unique(dose))
    if not len(steps):
        raise SettingsError(
            f"{source}: has no doses whose order --dose-per-tilt could take; give --tilt-order"
        )
    return np.asarray(dose * (dose_per_tilt / np.median(steps)))


def _summed(doses: FloatArray, order: NDArray[np.int64]) -> FloatArray:
    """Sum the doses of earlier images."""
    at = np.argsort(order, kind="stable")
    before = np.empty(len(doses))
    before[at] = np.cumsum(doses[at]) - doses[at]
    return before
