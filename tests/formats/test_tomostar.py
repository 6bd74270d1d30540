from pathlib import Path

import pytest

from subtomo.errors import StarError
from subtomo.formats.tomostar import read_tomostar

# From WarpTools' quick start for EMPIAR-10491, shortened; the second file name says -38.0 degrees.
TEXT = """data_

loop_
_wrpMovieName #1
_wrpAngleTilt #2
_wrpAxisAngle #3
_wrpDose #4
_wrpAverageIntensity #5
_wrpMaskedFraction #6
../frames/2Dvs3D_53-1_00041_-40.0.tif   40.01  -93.500  105.600006  3.854  0.000
../frames/2Dvs3D_53-1_00040_-38.0.tif   38.00  -93.500  102.96001  3.950  0.000
"""


def write(folder: Path, text: str) -> Path:
    (folder / "TS_1.tomostar").write_text(text)
    return folder / "TS_1.tomostar"


def test_tilt_angles_have_relions_sign(tmp_path: Path) -> None:
    series = read_tomostar(write(tmp_path, TEXT), pixel_size=0.79)
    assert (series.name, series.pixel_size, len(series)) == ("TS_1", 0.79, 2)
    assert series.tilt_angles.tolist() == [-40.01, -38]
    assert series.tilt_axis_angles.tolist() == [-93.5, -93.5]
    assert series.dose.tolist() == [105.600006, 102.96001]
    assert series.shifts.tolist() == [[0, 0], [0, 0]]
    assert series.image_names[0] == "../frames/2Dvs3D_53-1_00041_-40.0.tif"


def test_offsets_where_there_are_some(tmp_path: Path) -> None:
    text = TEXT.replace("wrpAverageIntensity", "wrpAxisOffsetX")
    text = text.replace("wrpMaskedFraction", "wrpAxisOffsetY")
    assert read_tomostar(write(tmp_path, text), pixel_size=1).shifts[0].tolist() == [3.854, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("wrpAngleTilt", "angle"), "no column wrpAngleTilt; expected Warp's"),
        (TEXT.replace("wrpDose", "dose"), "no column wrpDose"),
        (TEXT.replace("38.00", "x"), "wrpAngleTilt is 'x'; expected a number"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StarError, match=message):
        read_tomostar(write(tmp_path, text), pixel_size=1)
