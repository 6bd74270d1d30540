"""A tilt series in RELION's sense from the portal's rows.

Units and signs are those found on simulated data that went through the portal's tables: offsets of
sections are in pixels of the tilt series, whatever the schema says, and take the specimen to the
image.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of, some_of
from subtomo.errors import DataError, SubtomoWarning
from subtomo.formats.defocus_unit import EXPECTED_DEFOCUS, looks_like_micrometres
from subtomo.formats.relion_tilt_images import TILT_SERIES_URI
from subtomo.model import Acquisition, TiltCtf, TiltSeries
from subtomo.sources.portal.dose import dose_before_exposure, exposure_of
from subtomo.sources.portal.records import Row, SeriesRecords
from subtomo.sources.portal.registration import check_registration
from subtomo.sources.portal.settings import PortalAccess
from subtomo.sources.portal.tomogram_rows import TomogramRows, image_addresses

FloatArray = NDArray[np.float64]
MAX_RESOLUTION = "rlnCtfMaxResolution"
_LEAST_VOLTAGE = 10_000  # V; less is a voltage in kV
_MOST_SKEW = 1e-2
_AXIS_TOLERANCE = 5.0  # degrees, between a nominal tilt axis and an aligned one


def portal_tilt_series(
    rows: TomogramRows,
    records: SeriesRecords,
    access: PortalAccess,
    *,
    need_ctf: bool,
    prefer_mrc: bool = False,
) -> TiltSeries:
    """Make the tilt series of a tomogram; no file is looked at.

    Parameters
    ----------
    rows : which
    records : of the portal
    access : says what the portal does not
    need_ctf : whether a tilt series without CTF is an error
    prefer_mrc : name the MRC file rather than the OME-Zarr image, where there are both

    Returns
    -------
    Its images are named by their addresses; ``extra`` holds ``tomoTiltSeriesURI``, and
    ``rlnCtfMaxResolution`` where all sections have it. Sections without alignment are left out.

    Raises
    ------
    DataError
        If something that is needed is missing or makes no sense.
    """
    series = rows.tilt_series
    sections, aligned = _joined(rows, records)
    check_registration(rows, aligned, sections)
    pixel_size = _positive(series.pixel_spacing, "pixel_spacing", "Å")
    address, uri = image_addresses(series, access.endpoint_url, prefer_mrc=prefer_mrc)
    indices = [section.z_index for section in aligned]
    ctf = _ctf(sections, f"tilt series {series.id}", need_ctf=need_ctf)
    extra: dict[str, NDArray[Any]] = {TILT_SERIES_URI: np.full(len(aligned), uri)}
    resolutions = [section.max_resolution for section in sections if section is not None]
    if len(resolutions) == len(aligned) and None not in resolutions:
        extra[MAX_RESOLUTION] = np.array(resolutions, dtype=np.float64)
    shifts = np.array([[s.x_offset, s.y_offset] for s in aligned], dtype=np.float64)
    return TiltSeries(
        name=rows.name,
        pixel_size=pixel_size,
        tilt_angles=_column(aligned, "tilt_angle"),
        tilt_axis_angles=_axis_angles(rows, aligned),
        shifts=shifts * pixel_size,
        dose=_dose(rows, records, indices, need_dose=need_ctf),
        x_tilts=np.array([s.volume_x_rotation or 0.0 for s in aligned], dtype=np.float64),
        ctf=ctf,
        acquisition=_acquisition(series, access.amplitude_contrast),
        handedness=access.handedness,
        tomogram_size_px=_size_in_pixels(rows, pixel_size),
        image_names=tuple(f"{index + 1:06d}@{address}" for index in indices),
        extra=extra,
    )


def _joined(rows: TomogramRows, records: SeriesRecords) -> tuple[list[Row | None], list[Row]]:
    """Give the aligned sections and what else is said of each of them."""
    aligned = records.aligned_sections.get(rows.alignment.id, [])
    if not aligned:
        raise DataError(f"alignment {rows.alignment.id} says nothing of its sections")
    sections = {row.z_index: row for row in records.sections.get(rows.tilt_series.id, [])}
    numbers = [row.z_index for row in aligned]
    if len(set(numbers)) < len(numbers):
        raise DataError(f"alignment {rows.alignment.id} lists a section twice")
    unknown = [number for number in numbers if number not in sections]
    if sections and unknown:
        warnings.warn(
            f"{rows.name}: left out: {count_of(len(unknown), 'section')} ({some_of(unknown)}) of "
            f"alignment {rows.alignment.id} that tilt series {rows.tilt_series.id} does not have",
            SubtomoWarning,
            stacklevel=3,
        )
        aligned = [row for row in aligned if row.z_index in sections]
        if not aligned:
            raise DataError(
                f"alignment {rows.alignment.id} and tilt series {rows.tilt_series.id} have no "
                "section in common"
            )
    return [sections.get(row.z_index) for row in aligned], aligned


def _axis_angles(rows: TomogramRows, aligned: Sequence[Row]) -> FloatArray:
    """Give the angle of the tilt axis on each image, and see whether its sense is likely."""
    rotations = np.array([_in_plane_rotation(rows, row) for row in aligned], dtype=np.float64)
    angles: FloatArray = np.degrees(np.arctan2(rotations[:, 1, 0], rotations[:, 0, 0]))
    nominal = rows.tilt_series.tilt_axis
    if nominal is not None:
        _check_axis(rows, float(angles[len(angles) // 2]), float(nominal))
    return angles


def _in_plane_rotation(rows: TomogramRows, section: Row) -> FloatArray:
    """Read the rotation of an image, 2 x 2."""
    given = section.in_plane_rotation
    try:
        matrix: FloatArray = np.array(given, dtype=np.float64)
    except (ValueError, TypeError):  # a row of another length, or something that is no number
        matrix = np.empty(0)
    if (
        matrix.shape != (2, 2)
        or not np.allclose(matrix @ matrix.T, np.eye(2), rtol=0, atol=_MOST_SKEW)
        or np.linalg.det(matrix) < 0
    ):
        raise DataError(
            f"in_plane_rotation {given} of section {section.z_index} of alignment "
            f"{rows.alignment.id} is no rotation; expected 2 x 2 numbers"
        )
    return matrix


def _check_axis(rows: TomogramRows, angle: float, nominal: float) -> None:
    """Compare with the nominal tilt axis: IMOD's transforms were once stored the other way."""
    as_is, turned = axis_difference(angle, nominal), axis_difference(-angle, nominal)
    if as_is <= _AXIS_TOLERANCE:
        return
    text = (
        f"{rows.name}: the tilt axis of alignment {rows.alignment.id} is at {angle:.1f}°, the tilt "
        f"series says {nominal:.1f}°"
    )
    if turned < as_is:
        text += (
            "; the other way round it would fit: the alignment may have been taken over without "
            "inverting it (IMOD's .xf), and particles would then not be where they are cut"
        )
    warnings.warn(text, SubtomoWarning, stacklevel=4)


def axis_difference(angle: float, other: float) -> float:
    """Give the angle between two axes, 0 to 90 degrees."""
    return abs((angle - other + 90) % 180 - 90)


def _dose(
    rows: TomogramRows, records: SeriesRecords, indices: Sequence[int], *, need_dose: bool
) -> FloatArray:
    """Give the dose before each of the sections, from the frames of all."""
    sections = records.sections.get(rows.tilt_series.id, [])
    frames = [records.frames.get(section.frame_id) for section in sections]
    missing = [s.z_index for s, frame in zip(sections, frames, strict=True) if frame is None]
    needed_and_missing = set(missing) & set(indices)
    try:
        if not sections or needed_and_missing:
            which = f"of sections {some_of(sorted(needed_and_missing))}" if sections else "of any"
            raise DataError(f"no frame tells the dose {which}")
        known = [(s, frame) for s, frame in zip(sections, frames, strict=True) if frame is not None]
        dose, remark = dose_before_exposure(
            [exposure_of(frame) for _, frame in known], rows.tilt_series.total_flux
        )
    except DataError as error:
        if need_dose:
            raise DataError(f"tilt series {rows.tilt_series.id}: {error}") from None
        warnings.warn(f"{rows.name}: {error}; taken for 0", SubtomoWarning, stacklevel=3)
        return np.zeros(len(indices))
    if remark:
        warnings.warn(f"{rows.name}: {remark}", SubtomoWarning, stacklevel=3)
    of_index = {s.z_index: value for (s, _), value in zip(known, dose.tolist(), strict=True)}
    return np.array([of_index[index] for index in indices])


def _ctf(sections: Sequence[Row | None], name: str, *, need_ctf: bool) -> TiltCtf | None:
    """Read the CTF of the sections; None where one lacks it, or has it in another unit."""
    known = [s for s in sections if s is not None and s.major_defocus is not None]
    if len(known) < len(sections):
        if need_ctf:
            raise DataError(
                f"{name} has no CTF for {len(sections) - len(known)} of {len(sections)} sections; "
                "--no-ctf takes it as it is"
            )
        return None
    no_astigmatism = [s for s in known if s.minor_defocus is None or s.astigmatic_angle is None]
    if no_astigmatism:
        warnings.warn(
            f"{name}: no astigmatism is told for {count_of(len(no_astigmatism), 'section')}; none "
            "is assumed",
            SubtomoWarning,
            stacklevel=3,
        )
    major = _column(known, "major_defocus")
    minor = np.where(
        np.isnan(_column(known, "minor_defocus")), major, _column(known, "minor_defocus")
    )
    low = np.flatnonzero(looks_like_micrometres(major) | looks_like_micrometres(minor))
    if len(low):
        if need_ctf:
            raise DataError(
                f"{name}: the defocus of its section {known[low[0]].z_index} is "
                f"{major[low[0]]:g}, {minor[low[0]]:g}; expected {EXPECTED_DEFOCUS}: this looks "
                "like µm; --no-ctf takes the images as they are"
            )
        return None
    without_axis = np.array([s.astigmatic_angle is None for s in known])
    mean = (major + minor) / 2
    return TiltCtf(
        defocus_u=np.where(without_axis, mean, major),
        defocus_v=np.where(without_axis, mean, minor),
        defocus_angle=np.array([s.astigmatic_angle or 0.0 for s in known], dtype=np.float64),
        phase_shift=np.degrees([s.phase_shift or 0.0 for s in known]),
        bfactor=np.zeros(len(known)),
        scale=np.ones(len(known)),
    )


def _acquisition(series: Row, amplitude_contrast: float) -> Acquisition:
    voltage = _positive(series.acceleration_voltage, "acceleration_voltage", "V")
    if voltage < _LEAST_VOLTAGE:
        raise DataError(
            f"tilt series {series.id} has an acceleration_voltage of {voltage:g} V; expected volts "
            "such as 300000"
        )
    aberration = series.spherical_aberration_constant
    if aberration is None:
        raise DataError(f"tilt series {series.id} has no spherical_aberration_constant")
    return Acquisition(voltage / 1000, float(aberration), amplitude_contrast)


def _size_in_pixels(rows: TomogramRows, pixel_size: float) -> tuple[int, int, int]:
    """Give the size of the tomogram in pixels of the tilt series, even so that its centre stays."""
    spacing = _positive(rows.tomogram.voxel_spacing, "voxel_spacing", "Å")
    x, y, z = (max(2, 2 * round(n * spacing / pixel_size / 2)) for n in rows.size.tolist())
    return x, y, z


def _positive(value: float | None, name: str, unit: str) -> float:
    if value is None or not (math.isfinite(value) and value > 0):
        raise DataError(f"{name} is {value}; expected a positive number ({unit})")
    return float(value)


def _column(rows: Sequence[Row], name: str) -> FloatArray:
    """Give a field of all rows; what is missing becomes NaN, which the model refuses."""
    values = [getattr(row, name) for row in rows]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
