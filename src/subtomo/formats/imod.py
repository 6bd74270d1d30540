"""Tilt series of IMOD: the stack, its tilt angles (.tlt, .rawtlt) and its transforms (.xf).

An .xf row ``A11 A12 A21 A22 DX DY`` takes a point of the raw image, measured from the centre, to
the aligned one, in which the tilt axis is vertical: aligned = A · raw + d. The other way round it
is RELION's sense: tilt axis angle = atan2(A12, A11), shift = −A⁻¹ · d · pixel size.
Tilt angles are taken as they stand (RELION's YTilt). Source: IMOD's man page of ``newstack``;
RELION 5's import; signs of axis and shift agree with Warp's import of the same file (Warp's tilt
angles have the opposite sign, see ``warp_xml``).
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingFileError, SubtomoWarning
from subtomo.formats.mdoc import Mdoc, dose_before, match_sections, read_mdoc
from subtomo.formats.naming_file import naming_file
from subtomo.formats.near_rotation import EXPECTED, first_not_near_rotation
from subtomo.formats.paths import missing_file
from subtomo.formats.tilt_images import images_of_stack
from subtomo.model import Acquisition, TiltSeries

FloatArray = NDArray[np.float64]

_SCALE_TOLERANCE = 0.02  # of a magnification that may be ignored without a word


def read_tlt(path: str | Path) -> FloatArray:
    """Read tilt angles, one a line.

    Returns
    -------
    (tilt,) degrees

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a line is not one number between −180 and 180.
    """
    angles = _read_numbers(Path(path), 1, "a tilt angle")[:, 0]
    bad = angles[np.abs(angles) > 180]
    if len(bad):
        raise FormatError(f"{path}: a tilt angle is {bad[0]:g}; expected −180 to 180 degrees")
    return angles


def read_xf(path: str | Path) -> FloatArray:
    """Read transforms, one a line.

    Returns
    -------
    (tilt, 2, 3), rows (A11, A12, DX) and (A21, A22, DY), in pixels of the raw stack

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If a line does not hold six numbers, or a transform mirrors the image or scales it
        strangely.

    Warns
    -----
    SubtomoWarning
        If a transform scales or stretches by more than 2 %, which ``alignment_from_xf`` leaves out.
    """
    values = _read_numbers(Path(path), 6, "A11 A12 A21 A22 DX DY")
    transforms = values[:, [0, 1, 4, 2, 3, 5]].reshape(-1, 2, 3)
    bad = first_not_near_rotation(transforms[:, :, :2])
    if bad is not None:
        index, what = bad
        raise FormatError(f"{path}: transform {index + 1} {what} the image; expected {EXPECTED}")
    scales = np.linalg.svd(transforms[:, :, :2], compute_uv=False)
    n_scaled = int((np.abs(scales - 1) > _SCALE_TOLERANCE).any(axis=1).sum())
    if n_scaled:
        warnings.warn(
            f"{path}: {n_scaled} of {len(transforms)} transforms change the scale by more than "
            "2 %; their rotation and shift are kept, the scale is left out",
            SubtomoWarning,
            stacklevel=2,
        )
    return transforms


def alignment_from_xf(transforms: FloatArray, pixel_size: float) -> tuple[FloatArray, FloatArray]:
    """Turn transforms into RELION's tilt axis angles and shifts; scales are left out.

    Parameters
    ----------
    transforms : (tilt, 2, 3) as ``read_xf`` gives them
    pixel_size : Å

    Returns
    -------
    tilt_axis_angles : (tilt,) degrees
    shifts : (tilt, 2) Å
    """
    matrices, shifts = transforms[:, :, :2], transforms[:, :, 2:]
    sine = matrices[:, 0, 1] - matrices[:, 1, 0]
    axis = np.degrees(np.arctan2(sine, matrices[:, 0, 0] + matrices[:, 1, 1]))
    offsets = -np.linalg.solve(matrices, shifts)[:, :, 0] * pixel_size
    return np.asarray(axis, dtype=np.float64), np.asarray(offsets, dtype=np.float64)


def read_imod_tilt_series(
    stack: str | Path,
    *,
    tlt: str | Path | None = None,
    xf: str | Path | None = None,
    mdoc: str | Path | None = None,
    pixel_size: float | None = None,
    tilt_axis_angle: float | None = None,
    tomogram_size_px: tuple[int, int, int] | None = None,
    name: str | None = None,
    use_mdoc: bool = True,
) -> TiltSeries:
    """Read a tilt series of IMOD.

    Parameters
    ----------
    stack : the raw images
    tlt : tilt angles; ``NAME.tlt``, else ``NAME.rawtlt`` beside the stack if None
    xf : transforms; ``NAME.xf`` beside the stack if None; none there means an aligned stack
    mdoc : dose, voltage and tilt axis; ``NAME.st.mdoc`` or ``NAME.mdoc`` beside it if None
    pixel_size : Å; wins over the stack's header
    tilt_axis_angle : degrees, for a stack without .xf; the mdoc's if None, 0 if that has none
    tomogram_size_px : (x, y, z) of the tomogram in pixels of the stack
    name : of the tilt series; the stack's without its suffix if None
    use_mdoc : whether an .mdoc counts

    Returns
    -------
    TiltSeries without CTF; the dose is 0 where no mdoc gives it

    Raises
    ------
    MissingFileError
        If a file does not exist.
    FormatError
        If the files do not have one line an image.
    """
    stack = Path(stack)
    images, pixel_size, image_names = images_of_stack(stack, pixel_size=pixel_size)
    n = images.shape[0]
    angles = read_tlt(tlt or _tilt_angles_beside(stack))
    _expect_tilts(tlt or "tilt angles", len(angles), stack, n)
    transforms = xf or _found(stack, ".xf")
    metadata = mdoc or _found(stack, f"{stack.suffix}.mdoc", ".mdoc")
    described = read_mdoc(metadata) if metadata is not None and use_mdoc else None
    if transforms is not None:
        read = read_xf(transforms)
        _expect_tilts(transforms, len(read), stack, n)
        axis, shifts = alignment_from_xf(read, pixel_size)
    else:
        if tilt_axis_angle is None and described is not None:
            tilt_axis_angle = described.tilt_axis_angle
        axis, shifts = np.full(n, tilt_axis_angle or 0.0), np.zeros((n, 2))
    return TiltSeries(
        name=name or stack.stem,
        pixel_size=pixel_size,
        tilt_angles=angles,
        tilt_axis_angles=axis,
        shifts=shifts,
        images=images,
        image_names=image_names,
        tomogram_size_px=tomogram_size_px,
        **dose_and_acquisition(described, angles),
    )


def dose_and_acquisition(mdoc: Mdoc | None, tilt_angles: FloatArray) -> dict[str, Any]:
    """Give what an mdoc adds to a tilt series: ``dose`` and ``acquisition``.

    Parameters
    ----------
    mdoc : or None: dose 0, the model's default microscope
    tilt_angles : (tilt,) degrees
    """
    if mdoc is None:
        return {"dose": np.zeros(len(tilt_angles))}
    dose = dose_before(mdoc, match_sections(mdoc, tilt_angles.tolist()))
    with naming_file(mdoc.source):
        acquisition = Acquisition() if mdoc.voltage is None else Acquisition(voltage=mdoc.voltage)
    return {"dose": dose, "acquisition": acquisition}


def _read_numbers(path: Path, width: int, what: str) -> FloatArray:
    """Read a table of numbers, ``width`` a line; blank lines are skipped."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, f"{what} a line") from None
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(value) for value in line.split()]
        except ValueError:
            row = []
        if line.strip() and (len(row) != width or not np.all(np.isfinite(row))):
            raise FormatError(f"{path}, line {number}: {line.strip()!r}; expected {what}")
        if row:
            rows.append(row)
    if not rows:
        raise FormatError(f"{path}: is empty; expected {what} a line")
    return np.array(rows)


def _found(stack: Path, *suffixes: str) -> Path | None:
    """Find a file that is called as the stack, with another suffix."""
    for suffix in suffixes:
        if (path := stack.with_suffix(suffix)).is_file():
            return path
    return None


def _tilt_angles_beside(stack: Path) -> Path:
    path = _found(stack, ".tlt", ".rawtlt")
    if path is None:
        raise MissingFileError(
            f"{stack}: no tilt angles beside it; expected {stack.stem}.tlt or {stack.stem}.rawtlt, "
            "or another file given with --tilt-angles"
        )
    return path


def _expect_tilts(path: str | Path, found: int, stack: Path, expected: int) -> None:
    if found != expected:
        raise FormatError(f"{path}: {found} lines, but {stack} has {expected} images")
