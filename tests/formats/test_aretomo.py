from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError, SettingsError
from subtomo.formats.aretomo import read_aln, read_aretomo_tilt_series, read_aretomo_tlt
from subtomo.formats.imod import alignment_from_xf
from subtomo.formats.volumes import write_stack

COLUMNS = "# SEC     ROT     GMAG     TX     TY    SMEAN   SFIT   SCALE   BASE   TILT\n"
# First and last row of a file of AreTomo3, spaces shortened; from alnfile's tests (BSD-3-Clause).
ARETOMO3 = (
    "# AreTomo Alignment / Priims bprmMn\n# RawSize = 4096 4096 2\n# NumPatches = 0\n"
    "# AlphaOffset =    -7.00\n# BetaOffset =     0.00\n# Thickness = 2050\n"
    + COLUMNS
    + "    1   -95.4040    1.00000      9.220    103.933  1.00  1.00  1.00  0.00  -63.20\n"
    "    2   -95.4040    1.00000   -633.320   -527.601  1.00  1.00  1.00  0.00   56.79\n"
)
# As AreTomo2 writes it: sections from 0, dark images left out, local alignments below.
ARETOMO2 = (
    "# AreTomo Alignment / Priims bprmMn \n# RawSize = 6 4 5\n# NumPatches = 1\n"
    "# DarkFrame =     0    0   -55.00\n# DarkFrame =     4    2    55.00\n"
    + COLUMNS
    + "    4   -10.6414    1.00000     30.409     -7.146  1.00  1.00  1.00  0.00  -41.00\n"
    "    3   -10.6414    1.00000     25.102     -4.066  1.00  1.00  1.00  0.00  -39.00\n"
    "    1   -10.6414    1.00000     28.247     -7.649  1.00  1.00  1.00  0.00  -37.00\n"
    "# Local Alignment\n   0   0   186.65   186.65    -0.40    -1.04   1.0\n"
)


def write(folder: Path, text: str) -> Path:
    (folder / "TS_1.aln").write_text(text)
    return folder / "TS_1.aln"


def test_a_file_of_aretomo_3(tmp_path: Path) -> None:
    alignment = read_aln(write(tmp_path, ARETOMO3))
    assert alignment.raw_size == (4096, 4096, 2)
    assert alignment.sections.tolist() == [0, 1]
    assert alignment.tilt_axis_angles.tolist() == [-95.404, -95.404]
    assert alignment.shifts_px.tolist() == [[9.22, 103.933], [-633.32, -527.601]]
    assert alignment.tilt_angles.tolist() == [-63.2, 56.79]  # AlphaOffset is in them
    assert (alignment.angle_offset, alignment.n_patches) == (-7, 0)


def test_dark_images_and_local_alignments_are_left_out(tmp_path: Path) -> None:
    alignment = read_aln(write(tmp_path, ARETOMO2))
    assert alignment.sections.tolist() == [4, 3, 1]
    assert alignment.dark_sections.tolist() == [0, 2]


# AreTomo's own ImodUtil/CSaveXF.cpp: a = R(-ROT), and the shift is a · (-TX, -TY).
def test_rotation_and_shift_are_those_of_aretomos_xf(tmp_path: Path) -> None:
    series = read_aretomo_tilt_series(write(tmp_path, ARETOMO2), pixel_size=2.0)
    angle = np.radians(10.6414)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = turn @ [-30.409, 7.146]
    axis, shifts = alignment_from_xf(np.hstack([turn, shift[:, None]])[None], 2.0)
    np.testing.assert_allclose(series.tilt_axis_angles[:1], axis)
    np.testing.assert_allclose(series.shifts[:1], shifts)


def test_images_of_the_raw_stack(tmp_path: Path) -> None:
    images = np.arange(5 * 4 * 6, dtype=np.float32).reshape(5, 4, 6)
    write_stack(tmp_path / "TS_1.mrc", images, 2.5)
    series = read_aretomo_tilt_series(
        write(tmp_path, ARETOMO2), stack=tmp_path / "TS_1.mrc", tomogram_size_px=(6, 4, 2)
    )
    np.testing.assert_array_equal(series.images[...], images[[4, 3, 1]])
    assert series.image_names[0] == f"000005@{tmp_path}/TS_1.mrc"
    assert (series.pixel_size, series.image_size_px, series.name) == (2.5, (6, 4), "TS_1")
    np.testing.assert_allclose(series.shifts[0], [30.409 * 2.5, -7.146 * 2.5])
    assert series.extra["section"].tolist() == [4, 3, 1]


def test_an_mdoc_gives_the_dose(tmp_path: Path) -> None:
    angles = (-55, -37, 55, -39, -41)
    sections = [
        f"[ZValue = {i}]\nTiltAngle = {a}\nExposureDose = 3\n" for i, a in enumerate(angles)
    ]
    (tmp_path / "a.mdoc").write_text("".join(sections))
    series = read_aretomo_tilt_series(
        write(tmp_path, ARETOMO2), mdoc=tmp_path / "a.mdoc", pixel_size=1.0
    )
    assert series.dose.tolist() == [12, 9, 3]


# Angles of the stage are 10 degrees off, nearer to those of the neighbours.
def test_an_mdoc_is_matched_by_the_stages_angles(tmp_path: Path) -> None:
    header, offset = "# NumPatches = 1\n", "# AlphaOffset = 10.00\n"
    angles = (-65, -47, 45, -49, -51)
    sections = [
        f"[ZValue = {i}]\nTiltAngle = {a}\nExposureDose = 3\n" for i, a in enumerate(angles)
    ]
    (tmp_path / "a.mdoc").write_text("".join(sections))
    series = read_aretomo_tilt_series(
        write(tmp_path, ARETOMO2.replace(header, header + offset)),
        mdoc=tmp_path / "a.mdoc",
        pixel_size=1.0,
    )
    assert series.dose.tolist() == [12, 9, 3]


def test_order_and_dose_of_aretomo_3(tmp_path: Path) -> None:
    (tmp_path / "a_TLT.txt").write_text(" -3.00  2  1.9\n  0.01  1  2.0\n\n  3.00  3  2.1\n")
    tilts = read_aretomo_tlt(tmp_path / "a_TLT.txt")
    assert tilts.stage_angles.tolist() == [-3, 0.01, 3]
    assert tilts.order is not None
    assert tilts.order.tolist() == [2, 1, 3]
    assert tilts.dose is not None
    assert tilts.dose.tolist() == [1.9, 2, 2.1]
    (tmp_path / "a_TLT.txt").write_text("-3\n0\n")
    assert read_aretomo_tlt(tmp_path / "a_TLT.txt").order is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-3 1\n0 1\n", "second column is no order from 1 to 2"),
        ("-3 1\n0\n", "expected tilt angle, order and dose"),
        ("-3 x\n", "expected tilt angle, order and dose"),
        ("", "expected lines of tilt angle, order and dose"),
        ("-3 1 2\n0 2 -2\n", "a dose of -2; expected 0"),
    ],
)
def test_bad_orders(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a_TLT.txt").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_aretomo_tlt(tmp_path / "a_TLT.txt")


def test_a_stack_of_another_size_or_no_pixel_size(tmp_path: Path) -> None:
    write_stack(tmp_path / "s.mrc", np.zeros((5, 4, 4), np.float32), 2.5)
    with pytest.raises(FormatError, match=r"s.mrc: images of 4 x 4 pixels, but .* says 6 x 4"):
        read_aretomo_tilt_series(write(tmp_path, ARETOMO2), stack=tmp_path / "s.mrc")
    with pytest.raises(SettingsError, match=r"give the stack or pixel_size"):
        read_aretomo_tilt_series(write(tmp_path, ARETOMO2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ARETOMO2.replace("   4    2 ", f"   4 {'9' * 20} "), "line 5: .*expected SEC ROT"),
        ("1 2 3\n", "line 1: '1 2 3'; expected SEC ROT"),
        (ARETOMO3.replace("# RawSize = 4096 4096 2\n", ""), "no '# RawSize = x y n'"),
        (ARETOMO3.split("    1   -95")[0], "no rows of SEC ROT"),
        (  # AreTomo2 issue 11 on GitHub
            ARETOMO3.replace("56.79", "1567301525373690323140608.00"),
            r"section 2 has TILT 1.5673e\+24; expected degrees",
        ),
        (ARETOMO3.replace("    1   -95", "    3   -95"), "the first section is 2; expected 0 or 1"),
        (ARETOMO3.replace("    1   -95", "    2   -95"), "section 2 is there twice"),
        (ARETOMO3.replace("103.933", "nan"), "section 1 has a ROT, TX or TY that is not finite"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_aln(write(tmp_path, text))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.aln: no such file"):
        read_aln(tmp_path / "none.aln")
