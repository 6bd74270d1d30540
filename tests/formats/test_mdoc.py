from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError
from subtomo.formats.mdoc import dose_before, match_sections, read_mdoc, write_mdoc

# Laid out as SerialEM 4 writes it (a dose-symmetric session, sections in order of acquisition).
SERIAL_EM = r"""PixelSpacing = 1.724
Voltage = 200
ImageFile = tomo200528_100.mrc
ImageSize = 3836 3710
Montage = 1

[T = SerialEM: Acquired on a microscope          30-May-21  22:34:28    ]

[T =     Tilt axis angle = -88.7, binning = 1  spot = 6  camera = 1 bidir = 0.0]

[ZValue = 0]
TiltAngle = 0.01
ExposureDose = 2.2
SubFramePath = D:\frames\tomo_0.0_May30.tif
DateTime = 30-May-21  22:19:28
UnknownKey = a = b

[ZValue = 1]
TiltAngle = 3.01
ExposureDose = 2.3
SubFramePath = D:\frames\tomo_3.0_May30.tif
DateTime = 30-May-21  22:21:28

[ZValue = 2]
TiltAngle = -2.99
ExposureDose = 2.4
SubFramePath = D:\frames\tomo_-3.0_May30.tif
DateTime = 30-May-21  22:20:28
"""
TOMO5 = """[ZValue = 0]
TiltAngle = 10.0
ExposureDose = 3
TiltAxisAngle = 84.1
PixelSpacing = 1.5
Voltage = 300
SubFramePath = /data/a.eer
DateTime = 2024-08-27 10:00:00.5
"""


def write(folder: Path, text: str) -> Path:
    (folder / "t.mdoc").write_text(text)
    return folder / "t.mdoc"


def test_what_a_session_says(tmp_path: Path) -> None:
    mdoc = read_mdoc(write(tmp_path, SERIAL_EM))
    assert (mdoc.pixel_size, mdoc.voltage, mdoc.tilt_axis_angle) == (1.724, 200.0, -88.7)
    first = mdoc.sections[0]
    assert (first.kind, first.number) == ("ZValue", "0")
    assert first.file_name == "tomo_0.0_May30.tif"
    assert first.number_of("ExposureDose") == 2.2
    assert first.values["UnknownKey"] == "a = b"


def test_keys_may_be_in_the_sections(tmp_path: Path) -> None:
    mdoc = read_mdoc(write(tmp_path, TOMO5))
    assert (mdoc.pixel_size, mdoc.voltage, mdoc.tilt_axis_angle) == (1.5, 300.0, 84.1)
    assert mdoc.sections[0].file_name == "a.eer"


@pytest.mark.parametrize(
    "text", ["27-Aug-2024  09:08:07", "27-Aug-24 09:08:07", "2024-08-27 09:08:07"]
)
def test_dates_in_both_formats(tmp_path: Path, text: str) -> None:
    mdoc = read_mdoc(write(tmp_path, f"[ZValue = 0]\nDateTime = {text}\n"))
    assert mdoc.sections[0].acquired == datetime(2024, 8, 27, 9, 8, 7)


@pytest.mark.parametrize("text", [SERIAL_EM, TOMO5])
def test_every_key_is_written_back(tmp_path: Path, text: str) -> None:
    mdoc = read_mdoc(write(tmp_path, text))
    write_mdoc(tmp_path / "t.mdoc", mdoc)
    assert read_mdoc(tmp_path / "t.mdoc") == mdoc
    kept = [line.split() for line in (tmp_path / "t.mdoc").read_text().splitlines() if line]
    given = [
        line.replace("[T =     ", "[T = ").replace("    ]", "]").split()
        for line in text.splitlines()
        if line
    ]
    assert kept == given


def test_dose_before_each_tilt_counts_by_time(tmp_path: Path) -> None:
    mdoc = read_mdoc(write(tmp_path, SERIAL_EM))
    sections = match_sections(mdoc, [-3.0, 0.0, 3.0])
    assert [section.number for section in sections] == ["2", "0", "1"]
    np.testing.assert_allclose(dose_before(mdoc, sections), [2.2, 0, 4.6])


def test_dose_counts_by_section_without_times(tmp_path: Path) -> None:
    text = "\n".join(line for line in SERIAL_EM.splitlines() if "DateTime" not in line)
    mdoc = read_mdoc(write(tmp_path, text))
    np.testing.assert_allclose(dose_before(mdoc, mdoc.sections), [0, 2.2, 4.5])


def test_an_offset_between_stage_and_refined_angles_is_no_matter(tmp_path: Path) -> None:
    mdoc = read_mdoc(write(tmp_path, SERIAL_EM))
    numbers = [section.number for section in match_sections(mdoc, [7.0, 10.0, 13.0])]
    assert numbers == ["2", "0", "1"]


def test_images_left_out_of_the_stack(tmp_path: Path) -> None:
    mdoc = read_mdoc(write(tmp_path, SERIAL_EM))
    sections = match_sections(mdoc, [-3.0, 3.0])
    np.testing.assert_allclose(dose_before(mdoc, sections), [2.2, 4.6])
    with pytest.raises(FormatError, match=r"3 sections do not match 4 tilts"):
        match_sections(mdoc, [-3.0, 0.0, 3.0, 6.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PixelSpacing = 1\n", r"no \[ZValue = ...\] section"),
        ("nonsense\n", "line 1: found 'nonsense'; expected key = value"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_mdoc(write(tmp_path, text))


def test_missing_and_wrong_keys_name_their_section(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.mdoc"):
        read_mdoc(tmp_path / "none.mdoc")
    mdoc = read_mdoc(write(tmp_path, "[ZValue = 4]\nTiltAngle = x\nDateTime = 9ay-99-1 x\n"))
    with pytest.raises(FormatError, match=r"\[ZValue = 4\]: DateTime is '9ay-99-1 x'; expected"):
        _ = mdoc.sections[0].acquired
    with pytest.raises(FormatError, match=r"\[ZValue = 4\]: TiltAngle is 'x'; expected a number"):
        match_sections(mdoc, [0.0])
    with pytest.raises(
        FormatError, match=r"\[ZValue = 4\]: no ExposureDose; found TiltAngle, DateTime"
    ):
        dose_before(mdoc, mdoc.sections)


def test_numbers_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    mdoc = read_mdoc(write(tmp_path, "[ZValue = 4]\nTiltAngle = nan\nExposureDose = -2\n"))
    with pytest.raises(FormatError, match=r"\[ZValue = 4\]: TiltAngle is 'nan'; expected"):
        match_sections(mdoc, [0.0])
    with pytest.raises(FormatError, match=r"\[ZValue = 4\]: ExposureDose is -2; expected 0"):
        dose_before(mdoc, mdoc.sections)
