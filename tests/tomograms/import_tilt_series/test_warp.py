import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.star import read_star
from subtomo.formats.volumes import write_stack
from subtomo.formats.warp_xml import read_warp_xml
from subtomo.geometry.tilt_projection import project_points
from subtomo.model import TiltSeries

PIXEL_SIZE = 0.834 * 6  # 5760 x 4092 pixels of 0.834 Å are as wide as 960 x 682 of these
TOMOSTAR = "data_\nloop_\n_wrpMovieName\n_wrpAngleTilt\n_wrpAxisAngle\n_wrpDose\n"


def images(n: int, shape: tuple[int, int] = (4, 6)) -> np.ndarray:
    return np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None], (n, *shape))


def imported(folder: Path, *arguments: object) -> TiltSeries:
    words = [str(argument) for argument in arguments]
    assert run(["import", "tilt-series", *words, "-o", str(folder / "out"), "--quiet"]) == 0
    (entry,) = read_tomograms_star(folder / "out/tomograms.star")
    return entry.tilt_series


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A folder of WarpTools with averages of three movies of 6 x 4 pixels."""
    names = ["a_-20.0.tif", "b_0.0.tif", "c_20.0.tif"]
    (tmp_path / "tomostar").mkdir()
    rows = zip(names, (20.5, 0.5, -19.5), (6, 0, 3), strict=True)
    (tmp_path / "tomostar/TS_1.tomostar").write_text(
        TOMOSTAR + "".join(f"../frames/{name} {angle} -85 {dose}\n" for name, angle, dose in rows)
    )
    for i, name in enumerate(names):
        path = tmp_path / "frames/average" / Path(name).with_suffix(".mrc").name
        write_stack(path, images(3)[[i]], 2.5)
    return tmp_path / "tomostar/TS_1.tomostar"


# The whole way: Warp's file, RELION's tables, our projection; against Warp's own positions.
def test_points_land_where_warp_puts_them(shared_data: Path, tmp_path: Path) -> None:
    stack = np.broadcast_to(np.int8(0), (41, 682, 960))
    write_stack(tmp_path / "TS_1.mrc", stack, PIXEL_SIZE)
    shutil.copy(shared_data / "warp_metadata/TS_1.xml", tmp_path)
    found = imported(tmp_path, tmp_path / "TS_1.xml", "--tomogram-size", 700, 900, 200)
    blocks = read_star(shared_data / "warp_metadata/TS_1.star")
    points = blocks["points"].stacked([f"centeredCoordinate{axis}Angst" for axis in "XYZ"])
    mappings = blocks["mappings"]
    order = np.lexsort((mappings.integers("pointID"), mappings.integers("tiltID")))
    theirs = mappings.stacked([f"centeredCoordinate{axis}Angst" for axis in "XY"])[order]
    centre = np.array([700, 900, 200]) / 2 * PIXEL_SIZE
    ours = (project_points(found, points + centre) - [480, 341]) * PIXEL_SIZE
    error_px = np.abs(ours - theirs.reshape(41, 27, 2)) / 0.834
    assert error_px.max() < 5e-4
    assert found.handedness == 1
    assert found.ctf is not None
    np.testing.assert_allclose(found.ctf.scale, np.cos(np.radians(found.tilt_angles)), atol=1e-6)
    assert found.acquisition.amplitude_contrast == 0.1


def test_inverted_angles_and_the_files_own_microscope(shared_data: Path, tmp_path: Path) -> None:
    write_stack(tmp_path / "stacks/00254.st", images(41), 10.0)
    found = imported(
        tmp_path,
        *(shared_data / "warp_metadata/00254.xml", "--stacks", tmp_path / "stacks"),
        *("--thickness", 20, "--amplitude-contrast", 0.08),
    )
    theirs = read_warp_xml(shared_data / "warp_metadata/00254.xml")
    assert found.handedness == theirs.handedness == -1
    assert found.dose.tolist() == theirs.dose.tolist()
    assert found.tomogram_size_px == (6, 4, 2)
    assert found.acquisition.amplitude_contrast == 0.08
    assert found.acquisition.voltage == theirs.acquisition.voltage


def test_averages_beside_the_movies(series: Path, tmp_path: Path) -> None:
    found = imported(tmp_path, series, "--thickness", 50)
    assert found.tilt_angles.tolist() == [-20.5, -0.5, 19.5]
    assert found.images[:, 0, 0].tolist() == [0, 1, 2]
    assert found.dose.tolist() == [6, 0, 3]
    assert found.pixel_size == 2.5
    assert found.tomogram_size_px == (4, 6, 20)  # the axis lies along x
    assert found.handedness == -1  # RELION's default: a .tomostar file does not say


def test_a_folder_of_images_wins_and_dose_can_be_scaled(series: Path, tmp_path: Path) -> None:
    for i, name in enumerate(("a_-20.0", "b_0.0", "c_20.0")):
        write_stack(tmp_path / f"other/{name}.mrcs", images(13)[[10 + i]], 2.5)
    options = ("--images", tmp_path / "other", "--thickness", 50, "--dose-per-tilt", 1.5)
    found = imported(tmp_path, series, *options)
    assert found.images[:, 0, 0].tolist() == [10, 11, 12]
    assert found.dose.tolist() == [3, 0, 1.5]


def test_the_xml_that_warptools_made_counts(series: Path, tmp_path: Path) -> None:
    (tmp_path / "warp_tiltseries").mkdir()
    (tmp_path / "warp_tiltseries/TS_1.xml").write_text(
        '<TiltSeries LevelAngleY="0.5" DataDirectory="../tomostar">'
        "<Angles>20\n0</Angles><Dose>6\n0</Dose>"
        "<AxisAngle>85\n85</AxisAngle><AxisOffsetX>1\n2</AxisOffsetX><AxisOffsetY>3\n4</AxisOffsetY>"
        "<MoviePath>../frames/a_-20.0.tif\n../frames/b_0.0.tif</MoviePath><CTF>"
        '<Param Name="PixelSize" Value="1.5"/><Param Name="Voltage" Value="200"/>'
        '<Param Name="Cs" Value="2.0"/><Param Name="Amplitude" Value="0.1"/></CTF></TiltSeries>'
    )
    found = imported(tmp_path, series, "--thickness", 50)
    assert found.tilt_angles.tolist() == [-20.5, -0.5]
    assert found.acquisition.voltage == 200
    assert found.shifts.tolist() == [[1, 3], [2, 4]]


def test_missing_images_are_named(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "frames/average/b_0.0.mrc").unlink()
    words = ["import", "tilt-series", str(series), "-o", str(tmp_path / "out")]
    assert run(words) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "TS_1.tomostar: no image of ../frames/b_0.0.tif and no stack called TS_1" in said
    write_stack(series.with_suffix(".st"), images(2), 2.5)
    assert run(words) == 2
    assert "TS_1.st: 2 images, but" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


# RELION's columns of the deformation are for all rows of the table.
def test_a_series_that_does_not_move_beside_one_that_does(series: Path, tmp_path: Path) -> None:
    node = '<Node X="0" Y="0" Z="0" Value="5"/>'
    grid = f'<GridMovementX Width="1" Height="1" Depth="1">{node}</GridMovementX>'
    (tmp_path / "moved").mkdir()
    text = (
        f"<TiltSeries><Angles>0</Angles><Dose>0</Dose><AxisAngle>0</AxisAngle>{grid}"
        "<AxisOffsetX>0</AxisOffsetX><AxisOffsetY>0</AxisOffsetY><MoviePath>m.tif</MoviePath><CTF>"
        '<Param Name="PixelSize" Value="1"/><Param Name="Voltage" Value="200"/>'
        '<Param Name="Cs" Value="2.0"/><Param Name="Amplitude" Value="0.1"/></CTF></TiltSeries>'
    )
    (tmp_path / "moved/M.xml").write_text(text)
    write_stack(tmp_path / "moved/M.st", images(1), 2.5)
    words = ["import", "tilt-series", str(tmp_path / "moved"), str(series), "--quiet"]
    assert run([*words, "--thickness", "50", "-o", str(tmp_path / "out")]) == 0
    moved, still = (e.tilt_series for e in read_tomograms_star(tmp_path / "out/tomograms.star"))
    table = read_star(tmp_path / "out/tomograms.star")["global"]
    assert table.text("rlnTomoDeformationType").tolist() == ["spline", "linear"]
    point = np.array([[3.0, 4.0, 5.0]])
    rigid = replace(moved, deformation=None)
    shift = project_points(moved, point) - project_points(rigid, point)
    np.testing.assert_allclose(shift, [[[-5 / 2.5, 0]]], atol=1e-9)
    rigid = replace(still, deformation=None)
    np.testing.assert_array_equal(project_points(still, point), project_points(rigid, point))
