from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError, SubtomoWarning
from subtomo.formats.imod import alignment_from_xf, read_imod_tilt_series, read_tlt, read_xf
from subtomo.formats.volumes import write_stack
from subtomo.formats.warp_xml import read_warp_xml

MDOC = (
    "Voltage = 200\n[T = Tilt axis angle = 12.5, binning = 1]\n"
    "[ZValue = 0]\nTiltAngle = 0\nExposureDose = 2\n"
    "[ZValue = 1]\nTiltAngle = 20\nExposureDose = 2\n"
    "[ZValue = 2]\nTiltAngle = -20\nExposureDose = 2\n"
)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    images = np.arange(3 * 4 * 6, dtype=np.float32).reshape(3, 4, 6)
    write_stack(tmp_path / "TS_1.st", images, 2.5)
    (tmp_path / "TS_1.rawtlt").write_text("-20\n0\n 20.0\n\n")
    return tmp_path / "TS_1.st"


# Warp imported these two files at 10 Å; it counts tilt angles against IMOD only when it inverts.
def test_axis_and_shifts_are_those_of_warps_import(shared_data: Path) -> None:
    folder = shared_data / "warp_metadata"
    theirs = read_warp_xml(folder / "xf_import_00254.xml", pixel_size=10.0)
    axis, shifts = alignment_from_xf(read_xf(folder / "xf_import_00254.xf"), 10.0)
    assert np.abs(theirs.shifts).max() > 280
    np.testing.assert_allclose(axis, theirs.tilt_axis_angles, atol=1e-5)
    np.testing.assert_allclose(shifts, theirs.shifts, atol=1e-3)
    angles = read_tlt(folder / "xf_import_00254.tlt")
    np.testing.assert_array_equal(angles, -theirs.tilt_angles)


def test_a_point_goes_where_the_transform_takes_it() -> None:
    # A quarter turn: raw (x, y) is aligned (y, -x) + (3, 5), all from the centre.
    axis, shifts = alignment_from_xf(np.array([[[0.0, 1.0, 3.0], [-1.0, 0.0, 5.0]]]), 2.0)
    np.testing.assert_allclose(axis, [90.0])
    np.testing.assert_allclose(shifts, [[5.0 * 2, -3.0 * 2]])  # the raw point whose image is 0


def test_a_transform_that_scales_warns(tmp_path: Path) -> None:
    (tmp_path / "a.xf").write_text("1.1 0 0 1.1 2 0\n1 0 0 1.01 0 0\n")
    with pytest.warns(SubtomoWarning, match=r"a\.xf: 1 of 2 transforms change the scale"):
        axis, shifts = alignment_from_xf(read_xf(tmp_path / "a.xf"), 1.0)
    np.testing.assert_allclose(axis, [0, 0])
    np.testing.assert_allclose(shifts, [[-2 / 1.1, 0], [0, 0]])


@pytest.mark.parametrize(
    ("transform", "what"),
    [
        ("1 1 1 1", "scales by 0.00 to 2.00"),  # a line
        ("-1 0 0 1", "mirrors"),
        ("0 1 1 0", "mirrors"),
        ("3 0 0 3", "scales by 3.00 to 3.00"),
        ("0.7 0 0 1", "scales by 0.70 to 1.00"),
        ("1 0 -1 1", "scales by 0.62 to 1.62"),  # a shear
    ],
)
def test_a_transform_that_is_no_alignment_is_refused(
    tmp_path: Path, transform: str, what: str
) -> None:
    (tmp_path / "a.xf").write_text(f"1 0 0 1 0 0\n{transform} 0 0\n")
    with pytest.raises(FormatError, match=rf"a\.xf: transform 2 {what} the image; expected a rot"):
        read_xf(tmp_path / "a.xf")


def test_a_stack_and_the_files_beside_it(stack: Path) -> None:
    stack.with_suffix(".xf").write_text("0 1 -1 0 3 5\n" * 3)
    series = read_imod_tilt_series(stack, tomogram_size_px=(6, 4, 2))
    assert (series.name, series.pixel_size, series.image_size_px) == ("TS_1", 2.5, (6, 4))
    assert isinstance(series.images, np.memmap)
    assert series.image_names[2] == f"000003@{stack}"
    assert series.tilt_angles.tolist() == [-20, 0, 20]
    np.testing.assert_allclose(series.shifts, [[12.5, -7.5]] * 3)
    np.testing.assert_allclose(series.tilt_axis_angles, [90] * 3)
    assert series.dose.tolist() == [0, 0, 0]


def test_refined_angles_win_over_raw_ones(stack: Path) -> None:
    stack.with_suffix(".tlt").write_text("-18\n2\n22\n")
    assert read_imod_tilt_series(stack).tilt_angles.tolist() == [-18, 2, 22]


def test_an_mdoc_gives_dose_voltage_and_axis(stack: Path) -> None:
    Path(f"{stack}.mdoc").write_text(MDOC)
    series = read_imod_tilt_series(stack)
    assert series.dose.tolist() == [4, 0, 2]
    assert series.acquisition.voltage == 200
    assert series.tilt_axis_angles.tolist() == [12.5] * 3
    given = read_imod_tilt_series(stack, tilt_axis_angle=3.0, name="other")
    assert (given.name, given.tilt_axis_angles.tolist()) == ("other", [3.0] * 3)


def test_files_may_be_given(stack: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tlt").write_text("1\n2\n3\n")
    (tmp_path / "a.xf").write_text("1 0 0 1 2 0\n" * 3)
    (tmp_path / "a.mdoc").write_text(MDOC)
    with pytest.warns(SubtomoWarning):  # the header says 2.5 Å
        series = read_imod_tilt_series(
            stack,
            tlt=tmp_path / "a.tlt",
            xf=tmp_path / "a.xf",
            mdoc=tmp_path / "a.mdoc",
            pixel_size=3.0,
        )
    assert series.tilt_angles.tolist() == [1, 2, 3]
    np.testing.assert_allclose(series.shifts, [[-6, 0]] * 3)
    assert series.dose.tolist() == [4, 0, 2]


def test_a_series_of_a_needle(shared_data: Path) -> None:
    folder = shared_data / "etspy_haadf_tilt_series"
    series = read_imod_tilt_series(folder / "HAADF_91x64x64.mrc", tlt=folder / "HAADF.rawtlt")
    assert series.images.shape == (91, 64, 64)
    assert series.tilt_angles.tolist() == list(range(-90, 91, 2))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("TS_1.tlt", "1\n2\n", "tilt angles: 2 lines, but .*TS_1.st has 3 images"),
        ("TS_1.tlt", "1\n2\nx\n", "TS_1.tlt, line 3: 'x'; expected a tilt angle"),
        ("TS_1.tlt", "1\n2\nnan\n", "line 3: 'nan'"),
        ("TS_1.tlt", "\n", "is empty"),
        ("TS_1.xf", "1 0 0 1 0\n", "line 1: '1 0 0 1 0'; expected A11 A12 A21 A22 DX DY"),
        ("TS_1.xf", "1 0 0 1 0 0\n", "TS_1.xf: 1 lines, but .*TS_1.st has 3 images"),
    ],
)
def test_bad_files(stack: Path, name: str, text: str, message: str) -> None:
    (stack.parent / name).write_text(text)
    with pytest.raises(FormatError, match=message):
        read_imod_tilt_series(stack)


def test_missing_angles_are_named(stack: Path) -> None:
    stack.with_suffix(".rawtlt").unlink()
    with pytest.raises(
        MissingFileError, match=r"no tilt angles .* expected TS_1.tlt or TS_1.rawtlt"
    ):
        read_imod_tilt_series(stack)


@pytest.mark.parametrize(
    ("text", "message"),
    [("0\nnan\n", "line 2: 'nan'"), ("inf\n", "line 1: 'inf'"), ("0\n181\n", "angle is 181;")],
)
def test_impossible_tilt_angles_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.tlt").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_tlt(tmp_path / "a.tlt")
