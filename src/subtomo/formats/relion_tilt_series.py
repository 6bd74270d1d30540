"""One tilt series in RELION's columns: a row a tilt."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.columns import typed_column
from subtomo.formats.defocus_unit import EXPECTED_DEFOCUS, looks_like_micrometres
from subtomo.formats.near_rotation import EXPECTED, first_not_near_rotation
from subtomo.formats.star import StarTable
from subtomo.formats.star_vectors import exact_vectors, vectors_of_length
from subtomo.model import Acquisition, Deformation, TiltCtf, TiltSeries
from subtomo.model.deformation import DeformationKind

FloatArray = NDArray[np.float64]

IMAGE_NAME = "rlnMicrographName"
_DOSE = "rlnMicrographPreExposure"
_ANGLES = ("rlnTomoXTilt", "rlnTomoYTilt", "rlnTomoZRot")
_SHIFTS = ("rlnTomoXShiftAngst", "rlnTomoYShiftAngst")
_PROJECTIONS = tuple(f"rlnTomoProj{row}" for row in "XYZW")
_LAST_ROW = (0, 0, 0, 1)  # of a projection matrix
COEFFICIENTS = "rlnTomoDeformationCoefficients"
_CTF = {
    "defocus_u": ("rlnDefocusU", None),
    "defocus_v": ("rlnDefocusV", None),
    "defocus_angle": ("rlnDefocusAngle", None),
    "phase_shift": ("rlnPhaseShift", 0.0),
    "bfactor": ("rlnCtfBfactor", 0.0),
    "scale": ("rlnCtfScalefactor", 1.0),
}
_DEFOCUS = tuple(tag for tag, default in _CTF.values() if default is None)
_KNOWN = {
    *(IMAGE_NAME, _DOSE, *_ANGLES, *_SHIFTS, *_PROJECTIONS),
    *(tag for tag, _ in _CTF.values()),
}


@dataclass(frozen=True)
class DeformationSettings:
    """What kind of deformation the coefficients of a tilt series describe.

    Parameters
    ----------
    kind, grid : as in ``Deformation``
    """

    kind: DeformationKind
    grid: tuple[int, int]


@dataclass(frozen=True)
class SeriesSettings:
    """What RELION keeps once a tilt series: a row of ``data_global``.

    Parameters
    ----------
    name : of the tomogram
    pixel_size : Å, of the tilt images
    acquisition : the microscope
    handedness : +1 or -1
    defocus_slope : factor on the depth in the defocus
    dose_bfactor : Å² per e⁻/Å², or 0
    tomogram_size_px : (x, y, z), or None where not given
    """

    name: str
    pixel_size: float
    acquisition: Acquisition
    handedness: int
    defocus_slope: float
    dose_bfactor: float
    tomogram_size_px: tuple[int, int, int] | None


def tilt_series_from_table(
    table: StarTable,
    settings: SeriesSettings,
    images: Any,
    image_names: tuple[str, ...],
    deformation: DeformationSettings | None = None,
) -> TiltSeries:
    """Make a tilt series of RELION's columns; tilts stay in the order of the table.

    Parameters
    ----------
    table : a row a tilt
    settings : what holds for all of them
    images : (tilt, y, x), or None
    image_names : (tilt,), or empty
    deformation : of the images, or None

    Raises
    ------
    StarError
        If the dose, the alignment or the deformation is missing, a value is not a number or has no
        meaning in its unit, or a projection matrix is none.
    """
    table.require([_DOSE])
    dose = table.stacked([_DOSE])[:, 0]
    table.refuse(_DOSE, dose < 0, "0 e⁻/Å² or more")
    image_size = None if images is None else (images.shape[2], images.shape[1])
    if table.has_all(_PROJECTIONS):
        geometry = _geometry_of_projections(_projections(table), settings, image_size)
    else:
        why = f"or {', '.join(_PROJECTIONS)}: is the tilt series aligned?"
        table.require([*_ANGLES[1:], *_SHIFTS], why=why)
        geometry = {
            "x_tilts": _tilt_angles(table, _ANGLES[0]),
            "tilt_angles": _tilt_angles(table, _ANGLES[1]),
            "tilt_axis_angles": table.stacked(_ANGLES[2:])[:, 0],
            "shifts": table.stacked(_SHIFTS),
        }
    return TiltSeries(
        **vars(settings),
        **geometry,
        dose=dose,
        ctf=_ctf(table),
        deformation=None if deformation is None else _deformation(table, deformation),
        image_size_px=image_size,
        images=images,
        image_names=image_names,
        extra={
            tag: typed_column(tag, table.text(tag))
            for tag in table.columns
            if tag not in _KNOWN and not (tag == COEFFICIENTS and deformation is not None)
        },
    )


def table_from_tilt_series(tilt_series: TiltSeries, image_names: tuple[str, ...]) -> StarTable:
    """Make RELION's columns of a tilt series.

    Explicit projections are written instead of angles and shifts: RELION would prefer them anyway.

    Parameters
    ----------
    tilt_series
    image_names : (tilt,) as they should stand in the file, or empty
    """
    columns: dict[str, NDArray[Any]] = {}
    if image_names:
        columns[IMAGE_NAME] = np.array(image_names)
    columns[_DOSE] = np.round(tilt_series.dose, 6)
    if tilt_series.projections is None:
        for tag, angles in zip(_ANGLES, _angles(tilt_series), strict=True):
            columns[tag] = np.round(angles, 6)
        columns |= dict(zip(_SHIFTS, np.round(tilt_series.shifts, 6).T, strict=True))
    else:
        for tag, rows in zip(_PROJECTIONS, np.moveaxis(tilt_series.projections, 1, 0), strict=True):
            columns[tag] = exact_vectors(rows)
    if tilt_series.ctf is not None:
        for field, (tag, _) in _CTF.items():
            columns[tag] = np.round(getattr(tilt_series.ctf, field), 6)
    if tilt_series.deformation is not None:
        columns[COEFFICIENTS] = exact_vectors(tilt_series.deformation.coefficients)
    return StarTable({**columns, **tilt_series.extra})


def _angles(tilt_series: TiltSeries) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give the angles about x, y and z."""
    x_tilts = tilt_series.x_tilts
    assert x_tilts is not None  # the model fills it
    return x_tilts, tilt_series.tilt_angles, tilt_series.tilt_axis_angles


def _tilt_angles(table: StarTable, tag: str) -> FloatArray:
    """Read angles of at most half a turn; 0 where there are none."""
    angles: FloatArray = table.stacked([tag], default=0)[:, 0]
    table.refuse(tag, np.abs(angles) > 180, "−180 to 180 degrees")
    return angles


def _ctf(table: StarTable) -> TiltCtf | None:
    """Read the CTF columns, if the defocus is there."""
    if not table.has_all(_DEFOCUS):
        return None
    for tag in _DEFOCUS[:2]:
        in_micrometres = looks_like_micrometres(table.stacked([tag])[:, 0])
        table.refuse(tag, in_micrometres, f"{EXPECTED_DEFOCUS}: this looks like µm")
    return TiltCtf(
        **{
            field: table.stacked([tag], default=default)[:, 0]
            for field, (tag, default) in _CTF.items()
        }
    )


def _deformation(table: StarTable, settings: DeformationSettings) -> Deformation:
    """Read the coefficients of each image's deformation."""
    table.require([COEFFICIENTS], why=f"the table of tomograms declares a {settings.kind} one")
    count = Deformation.coefficient_count(settings.kind, settings.grid)
    longer = settings.kind == "fourier"
    coefficients = vectors_of_length(table, COEFFICIENTS, count, at_least=longer)
    return Deformation(settings.kind, settings.grid, coefficients)


def _projections(table: StarTable) -> FloatArray:
    """Read the four rows of each matrix, written as ``[a,b,c,d]``."""
    matrices = np.stack([vectors_of_length(table, tag, 4) for tag in _PROJECTIONS], axis=1)
    last = _PROJECTIONS[3]
    wrong = np.flatnonzero((matrices[:, 3] != _LAST_ROW).any(axis=1))
    if len(wrong):
        raise StarError(
            f"{table.place(wrong[0])}: {last} is {table.text(last)[wrong[0]]}; expected [0,0,0,1]"
        )
    bad = first_not_near_rotation(matrices[:, :3, :3])
    if bad is not None:
        row, what = bad
        raise StarError(
            f"{table.place(row)}: {', '.join(_PROJECTIONS[:3])} make a matrix that {what}; "
            f"expected {EXPECTED}"
        )
    return matrices


def _geometry_of_projections(
    projections: FloatArray, settings: SeriesSettings, image_size: tuple[int, int] | None
) -> dict[str, Any]:
    """Take apart Rz(axis) · Ry(tilt) · Rx(x tilt), and the shifts where the sizes are known."""
    rotation = projections[:, :3, :3]
    cosine = np.hypot(rotation[:, 0, 0], rotation[:, 1, 0])
    shifts = np.zeros((len(projections), 2))
    if image_size is not None and settings.tomogram_size_px is not None:
        centre = np.array(settings.tomogram_size_px) // 2
        at = rotation[:, :2] @ centre + projections[:, :2, 3]
        shifts = (at - np.array(image_size) // 2) * settings.pixel_size
    return {
        "x_tilts": np.degrees(np.arctan2(rotation[:, 2, 1], rotation[:, 2, 2])),
        "tilt_angles": np.degrees(np.arctan2(-rotation[:, 2, 0], cosine)),
        "tilt_axis_angles": np.degrees(np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])),
        "shifts": shifts,
        "projections": projections,
    }
