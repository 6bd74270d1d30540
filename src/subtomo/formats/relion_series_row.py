"""What RELION's table of tomograms says once of a tilt series, read and written."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import StarError
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_tilt_images import NONE
from subtomo.formats.relion_tilt_series import DeformationSettings, SeriesSettings
from subtomo.formats.star import StarTable
from subtomo.model import Acquisition, TiltSeries
from subtomo.model.deformation import DeformationKind

NAME = "rlnTomoName"
_HAND = "rlnTomoHand"
_SLOPE = "rlnTomoDefocusSlope"
_DOSE_BFACTOR = "rlnCtfBfactorPerElectronDose"
_DEFORMATION = "rlnTomoDeformationType"
_DEFORMATION_GRID = ("rlnTomoDeformationGridSizeX", "rlnTomoDeformationGridSizeY")
_DEFORMATION_KINDS: dict[str, DeformationKind] = {
    "linear": "linear",
    "spline": "spline",
    "Fourier": "fourier",
}
TOMOGRAM_SIZE = tuple(f"rlnTomoSize{axis}" for axis in "XYZ")
_ACQUISITION = ("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")
NEEDED_TAGS = (TILT_SERIES_PIXEL_SIZE, _HAND, *_ACQUISITION)
SERIES_TAGS = (
    *(*NEEDED_TAGS, _SLOPE, *TOMOGRAM_SIZE),
    *(_DOSE_BFACTOR, _DEFORMATION, *_DEFORMATION_GRID),
)


def series_settings(table: StarTable, row: int) -> SeriesSettings:
    """Read a row.

    Raises
    ------
    StarError
        If a value is not what it should be.
    """
    hand = table.numbers(_HAND)[row]
    if hand not in (-1, 1):
        raise StarError(f"{table.place(row)}: {_HAND} is {hand:g}; expected 1 or -1")
    pixel_sizes = table.stacked([TILT_SERIES_PIXEL_SIZE])[:, 0]
    table.refuse(TILT_SERIES_PIXEL_SIZE, pixel_sizes <= 0, "more than 0 Å")
    voltage, cs, amplitude_contrast = table.stacked(_ACQUISITION)[row].tolist()
    size = None
    if table.has_all(TOMOGRAM_SIZE):
        x, y, z = (int(table.integers(tag)[row]) for tag in TOMOGRAM_SIZE)
        if min(x, y, z) < 1:
            raise StarError(
                f"{table.place(row)}: {', '.join(TOMOGRAM_SIZE)} are {x}, {y}, {z}; expected "
                "positive numbers of pixels"
            )
        size = (x, y, z)
    return SeriesSettings(
        name=str(table.columns[NAME][row]),
        pixel_size=float(pixel_sizes[row]),
        acquisition=Acquisition(voltage, cs, amplitude_contrast),
        handedness=int(hand),
        defocus_slope=float(table.stacked([_SLOPE], default=1)[row, 0]),
        dose_bfactor=float(table.stacked([_DOSE_BFACTOR], default=0)[row, 0]),
        tomogram_size_px=size,
    )


def deformation_settings(table: StarTable, row: int) -> DeformationSettings | None:
    """Read what kind of deformation a row declares; the word None stands for none.

    Raises
    ------
    StarError
        If RELION knows no such kind.
    """
    if _DEFORMATION_GRID[0] not in table and _DEFORMATION not in table:
        return None
    table.require([_DEFORMATION, *_DEFORMATION_GRID])
    found = str(table.columns[_DEFORMATION][row])
    if found == NONE:
        return None
    kinds = {name.lower(): kind for name, kind in _DEFORMATION_KINDS.items()}
    if found.lower() not in kinds:
        raise StarError(
            f"{table.place(row)}: {_DEFORMATION} is {found}; expected one of "
            f"{', '.join(_DEFORMATION_KINDS)}"
        )
    x, y = (int(table.integers(tag)[row]) for tag in _DEFORMATION_GRID)
    return DeformationSettings(kinds[found.lower()], (x, y))


def series_columns(series: Sequence[TiltSeries]) -> dict[str, NDArray[Any]]:
    """Give the columns of several tilt series; sizes where all have one."""
    columns: dict[str, NDArray[Any]] = {
        _ACQUISITION[0]: np.array([one.acquisition.voltage for one in series]),
        _ACQUISITION[1]: np.array([one.acquisition.spherical_aberration for one in series]),
        _ACQUISITION[2]: np.array([one.acquisition.amplitude_contrast for one in series]),
        TILT_SERIES_PIXEL_SIZE: np.array([one.pixel_size for one in series]),
        _HAND: np.array([float(one.handedness) for one in series]),
        _SLOPE: np.array([one.defocus_slope for one in series]),
    }
    sizes = [one.tomogram_size_px for one in series]
    if all(size is not None for size in sizes):
        xyz = np.array(sizes, dtype=np.int64).reshape(-1, 3).T
        columns |= dict(zip(TOMOGRAM_SIZE, xyz, strict=True))
    if any(one.dose_bfactor for one in series):
        columns[_DOSE_BFACTOR] = np.array([one.dose_bfactor for one in series])
    if any(one.deformation is not None for one in series):
        columns |= _deformation_columns(series)
    return columns


def _deformation_columns(series: Sequence[TiltSeries]) -> dict[str, NDArray[Any]]:
    """Say which deformation each tilt series has."""
    names = {kind: name for name, kind in _DEFORMATION_KINDS.items()}
    found = [one.deformation for one in series]
    grids = np.array([(0, 0) if one is None else one.grid for one in found], dtype=np.int64)
    return {
        **dict(zip(_DEFORMATION_GRID, grids.T, strict=True)),
        _DEFORMATION: np.array([NONE if one is None else names[one.kind] for one in found]),
    }
