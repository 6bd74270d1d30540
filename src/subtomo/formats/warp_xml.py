"""Tilt series of Warp and WarpTools: the .xml file of one series.

Warp's geometry in RELION's terms: axis angle and shift (Å) as they stand, tilt angle = −(angle +
LevelAngleY), x tilt = LevelAngleX. Warp counts tilt angles against RELION and IMOD, which is why
WarpTools inverts them at import. ``AreAnglesInverted`` only says that the defocus gradient is the
other way round: handedness −1. Source: Warp's own projections of known points in the test data of
warpylib (MIT): its defocus gradients agree to 3e-6, its positions to 4e-4 pixels.

Defocus (µm): u, v = (GridCTF ± GridCTFDefocusDelta / 2); phase shift in π. The movement of the
images (Å, to be subtracted) becomes a spline deformation, see ``warp_grids``. Warp does not use
MagnificationCorrection for positions either: it stretches the particles' images.
"""

import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, SubtomoWarning
from subtomo.formats.defocus_unit import looks_like_micrometres
from subtomo.formats.naming_file import naming_file
from subtomo.formats.paths import missing_file
from subtomo.formats.warp_grids import movement_deformation, node_values, number_of, per_tilt
from subtomo.model import Acquisition, TiltCtf, TiltSeries

FloatArray = NDArray[np.float64]

_WARP_GRIDS = ("GridVolumeWarpX", "GridVolumeWarpY", "GridVolumeWarpZ")


def read_warp_xml(
    path: str | Path,
    *,
    pixel_size: float | None = None,
    image_size_px: tuple[int, int] | None = None,
    tomogram_size_px: tuple[int, int, int] | None = None,
) -> TiltSeries:
    """Read a tilt series from Warp's .xml file; tilts that Warp does not use are left out.

    Parameters
    ----------
    path : the file
    pixel_size : Å of the tilt images; the file's own (of its CTF) if None
    image_size_px : (x, y)
    tomogram_size_px : (x, y, z) in pixels of the tilt images

    Returns
    -------
    TiltSeries without images; ``image_names`` are the movies' paths as in the file

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not XML, not a tilt series, or its lists differ in length or hold
        values that are not finite.
    DataError
        If a value has no physical meaning.

    Warns
    -----
    SubtomoWarning
        If the file has a deformation of the volume or a magnification matrix, which are left out.
    """
    path = Path(path)
    root = _root(path)
    angles = _numbers(path, root, "Angles")
    n = len(angles)
    used = np.array(_texts(root, "UseTilt", n, "True")) == "True"
    if len(used) != n or not used.any():
        raise FormatError(f"{path}: UseTilt names {used.sum()} of {n} tilts; expected one or more")
    axis = _numbers(path, root, "AxisAngle", n)
    offsets = [_numbers(path, root, f"AxisOffset{xy}", n) for xy in "XY"]
    constants = {p.get("Name"): p.get("Value", "") for p in root.iterfind("CTF/Param")}
    _warn_left_out(path, root)
    if pixel_size is None:
        pixel_size = _constant(path, constants, "PixelSize")
    with naming_file(path):
        series = TiltSeries(
            name=path.stem,
            pixel_size=pixel_size,
            tilt_angles=-(angles + number_of(path, root, "LevelAngleY")),
            tilt_axis_angles=axis,
            x_tilts=np.full(n, number_of(path, root, "LevelAngleX")),
            shifts=np.stack(offsets, axis=1),
            dose=_numbers(path, root, "Dose", n),
            ctf=_ctf(path, root, n),
            acquisition=Acquisition(
                voltage=_constant(path, constants, "Voltage"),
                spherical_aberration=_constant(path, constants, "Cs"),
                amplitude_contrast=_constant(path, constants, "Amplitude"),
            ),
            handedness=-1 if root.get("AreAnglesInverted") == "True" else 1,
            deformation=movement_deformation(path, root, n, pixel_size),
            image_size_px=image_size_px,
            tomogram_size_px=tomogram_size_px,
            image_names=tuple(_texts(root, "MoviePath", n, "")),
        )
    return series.select(used)


def _root(path: Path) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "Warp's .xml file") from None
    except (ElementTree.ParseError, LookupError) as error:  # an unknown encoding
        raise FormatError(f"{path}: not XML ({error}); expected Warp's .xml file") from None
    if root.tag != "TiltSeries":
        raise FormatError(f"{path}: holds <{root.tag}>; expected <TiltSeries> of Warp")
    return root


def _texts(root: ElementTree.Element, tag: str, n: int, default: str) -> list[str]:
    """Give the lines of an element, one a tilt."""
    text = root.findtext(tag)
    return [default] * n if text is None else [line.strip() for line in text.strip().split("\n")]


def _numbers(
    path: Path, root: ElementTree.Element, tag: str, expected: int | None = None
) -> FloatArray:
    """Read one number a tilt."""
    text = root.findtext(tag)
    if text is None:
        raise FormatError(f"{path}: no <{tag}>; expected one number a tilt")
    try:
        values = np.array([float(value) for value in text.split()])
    except ValueError as error:
        raise FormatError(f"{path}: <{tag}>: {error}") from None
    if not np.all(np.isfinite(values)):
        raise FormatError(f"{path}: <{tag}> holds NaN or infinite values; expected finite numbers")
    if expected not in (None, len(values)):
        raise FormatError(f"{path}: <{tag}> has {len(values)} values, <Angles> {expected}")
    return values


def _constant(path: Path, constants: dict[str | None, str], name: str) -> float:
    try:
        return float(constants[name])
    except (KeyError, ValueError):
        raise FormatError(
            f"{path}: <CTF> {name} is {constants.get(name)!r}; expected a number"
        ) from None


def _ctf(path: Path, root: ElementTree.Element, n: int) -> TiltCtf | None:
    """Read the CTF of each tilt; None where Warp has not fitted it."""
    defocus = per_tilt(path, root, "GridCTF", n) * 1e4
    if not defocus.any():
        return None
    low = np.flatnonzero(looks_like_micrometres(defocus))
    if len(low):
        raise FormatError(
            f"{path}: GridCTF is {defocus[low[0]] / 1e4:g} µm at tilt {low[0] + 1}; expected µm, "
            "such as 2.57: this looks like another unit"
        )
    delta = per_tilt(path, root, "GridCTFDefocusDelta", n) * 1e4
    return TiltCtf(
        defocus_u=defocus + delta / 2,
        defocus_v=defocus - delta / 2,
        defocus_angle=per_tilt(path, root, "GridCTFDefocusAngle", n),
        phase_shift=per_tilt(path, root, "GridCTFPhase", n) * 180,
        bfactor=np.zeros(n),
        scale=np.ones(n),
    )


def _warn_left_out(path: Path, root: ElementTree.Element) -> None:
    """Say what of Warp's model a tilt series here cannot hold."""
    left_out = []
    if any(node_values(path, root, tag).any() for tag in _WARP_GRIDS):
        left_out.append("GridVolumeWarp: positions on the images are off by as much")
    matrix = root.get("MagnificationCorrection", "1, 0, 0, 1")
    if [value.strip() for value in matrix.split(",")] != ["1", "0", "0", "1"]:
        left_out.append(f"MagnificationCorrection ({matrix}): particles stay stretched")
    if left_out:
        warnings.warn(f"{path}: left out: {'; '.join(left_out)}", SubtomoWarning, stacklevel=3)
