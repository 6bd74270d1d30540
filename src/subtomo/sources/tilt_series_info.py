"""What the metadata of tilt series are, in words."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.aretomo import read_aln
from subtomo.formats.imod import alignment_from_xf, read_tlt, read_xf
from subtomo.formats.mdoc import read_mdoc
from subtomo.formats.warp_xml import read_warp_xml
from subtomo.model import TiltSeries

Rows = list[tuple[str, str]]


def describe_tilt_series(tilt_series: TiltSeries) -> Rows:
    """Describe the geometry of a tilt series.

    Parameters
    ----------
    tilt_series : with or without its images

    Returns
    -------
    list of (label, value)
    """
    rows = [
        _tilts(tilt_series.tilt_angles),
        ("tilt axis", _range(tilt_series.tilt_axis_angles, "°")),
        ("pixel size", f"{tilt_series.pixel_size:g} Å"),
        ("dose before", _range(tilt_series.dose, " e⁻/Å²")),
    ]
    if tilt_series.image_size_px is not None:
        x, y = tilt_series.image_size_px
        rows.append(("images", f"{x} x {y} pixels (x, y)"))
    if tilt_series.ctf is not None:
        rows.append(("defocus", _range(tilt_series.ctf.defocus_u, " Å")))
    return rows


def describe_tlt(path: Path) -> Rows:
    """Describe the tilt angles in a file of IMOD."""
    return [("format", "tilt angles (IMOD)"), _tilts(read_tlt(path))]


def describe_xf(path: Path) -> Rows:
    """Describe the transforms in a file of IMOD."""
    transforms = read_xf(path)
    axes, shifts_px = alignment_from_xf(transforms, pixel_size=1.0)
    return [
        ("format", "transforms of images (IMOD)"),
        ("images", str(len(transforms))),
        ("tilt axis", _range(axes, "°")),
        ("longest shift", f"{np.linalg.norm(shifts_px, axis=1).max():g} pixels"),
    ]


def describe_mdoc(path: Path) -> Rows:
    """Describe an .mdoc file."""
    mdoc = read_mdoc(path)
    rows = [("format", "mdoc (SerialEM)"), ("images", str(len(mdoc.sections)))]
    keys = {"TiltAngle": "°", "PixelSpacing": " Å", "ExposureDose": " e⁻/Å²"}
    for key, unit in keys.items():
        if all(key in section.values for section in mdoc.sections):
            values = np.array([section.number_of(key) for section in mdoc.sections])
            rows.append((key, _range(values, unit)))
    axis, voltage = mdoc.tilt_axis_angle, mdoc.voltage
    rows.append(("tilt axis", "not given" if axis is None else f"{axis:g}°"))
    rows.append(("voltage", "not given" if voltage is None else f"{voltage:g} kV"))
    return rows + [("title", title) for title in mdoc.titles]


def describe_aln(path: Path) -> Rows:
    """Describe an alignment of AreTomo."""
    alignment = read_aln(path)
    x, y, n = alignment.raw_size
    dark = ", ".join(str(section) for section in alignment.dark_sections) or "none"
    return [
        ("format", "alignment (AreTomo)"),
        ("raw stack", f"{n} images of {x} x {y} pixels (x, y)"),
        _tilts(alignment.tilt_angles),
        ("tilt axis", _range(alignment.tilt_axis_angles, "°")),
        ("longest shift", f"{np.linalg.norm(alignment.shifts_px, axis=1).max():g} pixels"),
        ("left out", f"{dark} (counted from 0)" if dark != "none" else dark),
    ]


def describe_warp_xml(path: Path) -> Rows:
    """Describe a tilt series of Warp."""
    return [("format", "tilt series (Warp)"), *describe_tilt_series(read_warp_xml(path))]


def _tilts(angles: NDArray[np.float64]) -> tuple[str, str]:
    """Count tilts and give their range."""
    return "tilts", f"{len(angles)}, from {angles.min():.5g}° to {angles.max():.5g}°"


def _range(values: NDArray[np.float64], unit: str) -> str:
    """Write the range of a column."""
    low, high = f"{values.min():.5g}", f"{values.max():.5g}"
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
