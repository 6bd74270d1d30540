import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import DataError, FormatError, MissingFileError, SubtomoWarning
from subtomo.formats.star import read_star
from subtomo.formats.warp_xml import read_warp_xml
from subtomo.geometry.tilt_projection import depths, project_points
from subtomo.model import TiltSeries

IMAGE_SIZE = (5760, 4092)  # of warpylib's test of these very numbers
TOMOGRAM_SIZE = (4000, 5700, 1000)

SMALL = """<?xml version="1.0"?>
<TiltSeries AreAnglesInverted="True" LevelAngleX="1" LevelAngleY="-2">
  <Angles>10\n-20</Angles><Dose>3\n0</Dose><UseTilt>True\nFalse</UseTilt>
  <AxisAngle>85\n86</AxisAngle><AxisOffsetX>1\n2</AxisOffsetX><AxisOffsetY>3\n4</AxisOffsetY>
  <MoviePath>a.tif\nb c.tif</MoviePath>
  <CTF><Param Name="PixelSize" Value="1.5"/><Param Name="Voltage" Value="200"/>
    <Param Name="Cs" Value="2.0"/><Param Name="Amplitude" Value="0.1"/></CTF>
  <GridCTF Width="1" Height="1" Depth="1"><Node X="0" Y="0" Z="0" Value="3"/></GridCTF>
</TiltSeries>"""


def write(folder: Path, text: str) -> Path:
    (folder / "TS_1.xml").write_text(text)
    return folder / "TS_1.xml"


@pytest.fixture
def apoferritin(shared_data: Path) -> TiltSeries:
    with pytest.warns(SubtomoWarning, match=r"left out: MagnificationCorrection \(1.0062196, "):
        return read_warp_xml(
            shared_data / "warp_metadata/TS_1.xml",
            image_size_px=IMAGE_SIZE,
            tomogram_size_px=TOMOGRAM_SIZE,
        )


@pytest.fixture
def reference(shared_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points (27, 3), Warp's positions (41, 27, 2) and defocus u, v (41, 27) of them, in Å."""
    blocks = read_star(shared_data / "warp_metadata/TS_1.star")
    points = blocks["points"].stacked([f"centeredCoordinate{axis}Angst" for axis in "XYZ"])
    mappings = blocks["mappings"]
    order = np.lexsort((mappings.integers("pointID"), mappings.integers("tiltID")))
    columns = [*(f"centeredCoordinate{axis}Angst" for axis in "XY"), "defocusU", "defocusV"]
    values = mappings.stacked(columns)[order].reshape(41, 27, 4)
    return points, values[..., :2], values[..., 2], values[..., 3]


# Warp's defocus of 27 points in 41 tilts: the defocus, the tilt angles, both level angles and the
# sign along the beam must all be right for this.
def test_the_defocus_of_points_is_warps(apoferritin: TiltSeries, reference: tuple) -> None:
    points, _, defocus_u, defocus_v = reference
    centre = np.array(TOMOGRAM_SIZE) / 2 * apoferritin.pixel_size
    height = apoferritin.handedness * depths(apoferritin, points + centre)
    assert apoferritin.ctf is not None
    assert np.ptp(height) > 1000
    np.testing.assert_allclose(apoferritin.ctf.defocus_u[:, None] + height, defocus_u, atol=0.02)
    np.testing.assert_allclose(apoferritin.ctf.defocus_v[:, None] + height, defocus_v, atol=0.02)


# Warp's positions have four decimals (Å) and are computed with single precision.
def test_points_project_where_warp_projects_them(apoferritin: TiltSeries, reference: tuple) -> None:
    points, positions, _, _ = reference
    centre = np.array(TOMOGRAM_SIZE) / 2 * apoferritin.pixel_size
    expected = positions / apoferritin.pixel_size + np.array(IMAGE_SIZE) / 2
    error = np.abs(project_points(apoferritin, points + centre) - expected)
    assert error.max() < 5e-4
    rigid = replace(apoferritin, deformation=None)
    assert np.abs(project_points(rigid, points + centre) - expected).max() > 15


def test_values_of_the_series(apoferritin: TiltSeries) -> None:
    assert (apoferritin.name, apoferritin.pixel_size, len(apoferritin)) == ("TS_1", 0.834, 41)
    assert apoferritin.acquisition.amplitude_contrast == 0.1
    assert apoferritin.acquisition.spherical_aberration == pytest.approx(3.27283, abs=1e-5)
    assert apoferritin.ctf is not None
    assert apoferritin.ctf.defocus_angle[0] == pytest.approx(26.262, abs=1e-3)
    assert apoferritin.dose[:3].tolist() == [120, 117, 108]
    assert apoferritin.shifts[0].tolist() == [12.05431, -51.868156]
    assert apoferritin.image_names[0].endswith("00041_-40.0_Jul31_11.05.12.tif")


def test_inverted_defocus_and_no_warning(shared_data: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series = read_warp_xml(shared_data / "warp_metadata/00254.xml")
    assert series.handedness == -1
    assert series.ctf is not None
    assert series.deformation is None


def test_a_series_without_ctf_fit(shared_data: Path) -> None:
    path = shared_data / "warp_metadata/xf_import_00254.xml"
    series = read_warp_xml(path, pixel_size=10.0)
    assert series.ctf is None
    assert series.pixel_size == 10.0


def test_tilts_not_used_are_left_out(tmp_path: Path) -> None:
    series = read_warp_xml(write(tmp_path, SMALL))
    assert series.tilt_angles.tolist() == [-8]  # -(10 - 2)
    assert series.x_tilts is not None
    assert series.x_tilts.tolist() == [1]
    assert series.tilt_axis_angles.tolist() == [85]
    assert series.shifts.tolist() == [[1, 3]]
    assert series.image_names == ("a.tif",)
    assert series.handedness == -1
    assert series.ctf is not None
    assert series.ctf.defocus_u.tolist() == [30000]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not xml", "TS_1.xml: not XML"),
        ("<Movie/>", "holds <Movie>; expected <TiltSeries>"),
        ("<TiltSeries/>", "no <Angles>"),
        (SMALL.replace("<Dose>3\n0", "<Dose>3"), "<Dose> has 1 values, <Angles> 2"),
        (SMALL.replace("<Dose>3\n0", "<Dose>3\nx"), "<Dose>.*'x'"),
        (SMALL.replace("<Dose>3\n0", "<Dose>3\nnan"), "<Dose> holds NaN or infinite"),
        (SMALL.replace("True\nFalse", "False\nFalse"), "UseTilt"),
        (SMALL.replace('Value="200"', 'Value="high"'), "Voltage is 'high'; expected a number"),
        (
            SMALL.replace('Width="1"', 'Width="2"').replace(
                "</GridCTF>", '<Node X="1" Z="1" Value="3"/></GridCTF>'
            ),
            "<GridCTF> has 2 nodes; expected one, or one a tilt",
        ),
        (SMALL.replace('Value="3"', 'Value="0.003"'), "GridCTF is 0.003 µm at tilt 1; expected µm"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_warp_xml(write(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('Value="200"', 'Value="0"', "voltage is 0 kV; expected 10 to 3000 kV"),
        ("<Dose>3", "<Dose>-3", "tilt series TS_1: the dose of tilt 1 is -3; expected 0"),
    ],
)
def test_what_the_model_refuses_names_the_file(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(DataError, match=rf"TS_1\.xml: {message}"):
        read_warp_xml(write(tmp_path, SMALL.replace(old, new)))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.xml"):
        read_warp_xml(tmp_path / "none.xml")
