"""Files of tilt angles."""

from pathlib import Path

import pytest

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.acquisition_file import AcquiredTilts, AxisTilts, read_acquisition_file


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tilts.txt"
    path.write_text(text)
    return path


def test_one_axis_and_two(tmp_path: Path) -> None:
    text = "File_name angleMin angleMax step tiltAxisAngle\n"
    text += "# as collected\nTS_01.mrc -60 60 3 85.5\nmy tomo.mrc\t-50\t54\t2\t0\t-48\t48\t2\t90\n"
    assert read_acquisition_file(written(tmp_path, text)) == {
        "TS_01.mrc": AcquiredTilts(AxisTilts(-60, 60, 3, 85.5)),
        "my tomo.mrc": AcquiredTilts(AxisTilts(-50, 54, 2, 0), AxisTilts(-48, 48, 2, 90)),
    }


def test_commas(tmp_path: Path) -> None:
    found = read_acquisition_file(written(tmp_path, "a b.mrc, -60, 60, 3, 85\n"))
    assert found == {"a b.mrc": AcquiredTilts(AxisTilts(-60, 60, 3, 85))}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.mrc -60 60 3\n", r"line 1: is 'a.mrc -60 60 3'; expected a file name and lowest angle"),
        ("a.mrc -60 60 three 85\n", "line 1: is"),
        ("-60 60 3 85\n", "line 1: is"),
        ("a.mrc 60 -60 3 85\n", "tilts 60, -60, 3, 85; expected two increasing angles"),
        ("a.mrc -60 60 0 85\n", "a step from 0.01 to 90"),
        ("a.mrc -60 nan 3 85\n", "expected two increasing"),
        ("a.mrc -60 60 3 85\na.mrc -60 60 3 85\n", "line 2: a.mrc comes twice"),
        ("# nothing\n", "holds no row"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_acquisition_file(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file"):
        read_acquisition_file(tmp_path / "tilts.txt")
    (tmp_path / "binary.txt").write_bytes(b"a\x00\x81")
    with pytest.raises(FormatError, match="holds binary data; expected rows of tilt angles"):
        read_acquisition_file(tmp_path / "binary.txt")
