from pathlib import Path

import pytest

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.imod_tilt_com import TiltCom, read_tilt_com

# As etomo writes it, shortened.
TEXT = """# comment THICKNESS 7
$setenv IMOD_OUTPUT_FORMAT MRC
$tilt -StandardInput
InputProjections TS_01_ali.mrc
OutputFile TS_01_full_rec.mrc
IMAGEBINNED 4
TILTFILE TS_01.tlt
THICKNESS 2000
RADIAL 0.35 0.035
XAXISTILT 1.5
FULLIMAGE 3708 3832
OFFSET -2.25
EXCLUDELIST 1,2,38-40
EXCLUDELIST2 2, 41
SHIFT 3.0 -40.5
$if (-e ./savework) ./savework
"""


def write(folder: Path, text: str) -> Path:
    (folder / "tilt.com").write_text(text)
    return folder / "tilt.com"


def test_all_that_counts_is_read(tmp_path: Path) -> None:
    assert read_tilt_com(write(tmp_path, TEXT)) == TiltCom(
        thickness_px=2000,
        angle_offset=-2.25,
        x_axis_tilt=1.5,
        shift_px=(3.0, -40.5),
        excluded=(1, 2, 38, 39, 40, 41),
        tilt_file="TS_01.tlt",
        projections="TS_01_ali.mrc",
    )


def test_what_is_missing_is_zero(tmp_path: Path) -> None:
    assert read_tilt_com(write(tmp_path, "THICKNESS 300\n")) == TiltCom(thickness_px=300)


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    com = read_tilt_com(write(tmp_path, "TILTFILE a.tlt\nLOCALFILE a.xf\nOFFSET 0 2\n"))
    assert com.left_out == ("LOCALFILE", "OFFSET in x")


def test_whose_it_is(tmp_path: Path) -> None:
    com = read_tilt_com(write(tmp_path, TEXT))
    assert com.is_of("TS_01")
    assert not com.is_of("TS_0")
    assert not com.is_of("TS_010")
    assert TiltCom().is_of("anything")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("newstack\n", "neither TILTFILE nor THICKNESS"),
        (TEXT.replace("XAXISTILT 1.5", "XAXISTILT x"), "XAXISTILT is 'x'; expected numbers"),
        ("THICKNESS -5\n", "THICKNESS is -5; expected 1 pixel or more"),
        ("THICKNESS nan\n", "THICKNESS is nan; expected 1 pixel or more"),
        (TEXT.replace("38-40", "38-"), "EXCLUDELIST is '1,2,38-'; expected views"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_tilt_com(write(tmp_path, text))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"tilt.com: no such file"):
        read_tilt_com(tmp_path / "tilt.com")
