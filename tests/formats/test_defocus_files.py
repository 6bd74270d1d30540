from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError, MissingFileError, SubtomoWarning
from subtomo.formats.defocus_files import read_defocus

# Header and columns of CTFFIND 4.1.14; AreTomo 3 adds a column and may count from 0.
CTFFIND = (
    "# Output from CTFFind version 4.1.14, run on 2023-02-02 15:13:07\n"
    "# Columns: #1 - micrograph number; #2 - defocus 1 [Angstroms]; #3 - defocus 2; ...\n"
    "1.000000 20100.5 19900.25 12.0 1.5707963 0.565683 1.980663\n"
    "2.000000 30100.5 29900.25 -12.0 0.0 0.565683 1.980663\n"
)
# Flags 1 + 4: astigmatism and phase shift; defocus in nm.
CTFPLOTTER = "5  0  0. 0. 0 3\n1 1 -60 -60 2010 1990 30 90\n3 3 60 60 3010 2990 30 10\n"


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_ctffind(tmp_path: Path) -> None:
    ctf = read_defocus(write(tmp_path, "a_ctf.txt", CTFFIND), 2)
    assert ctf.defocus_u.tolist() == [20100.5, 30100.5]
    assert ctf.defocus_v.tolist() == [19900.25, 29900.25]
    assert ctf.defocus_angle.tolist() == [12, -12]
    np.testing.assert_allclose(ctf.phase_shift, [90, 0], atol=1e-5)
    assert ctf.scale.tolist() == [1, 1]


def test_aretomo_counts_from_0_in_any_order(tmp_path: Path) -> None:
    text = "   1 22000.0 21500.0 170.0 0 0.2 5.0 1\n   0 21000.5 20000.2 12.0 0 0.1 4.5 1\n"
    ctf = read_defocus(write(tmp_path, "a_CTF.txt", text), 2)
    assert ctf.defocus_u.tolist() == [21000.5, 22000]


def test_ctfplotter_is_in_nm_and_interpolated(tmp_path: Path) -> None:
    with pytest.warns(SubtomoWarning, match=r"a.defocus: no row for 2 of 4 views; their defocus"):
        ctf = read_defocus(write(tmp_path, "a.defocus", CTFPLOTTER), 4)
    np.testing.assert_allclose(ctf.defocus_u, [20100, 25100, 30100, 30100])
    np.testing.assert_allclose(ctf.defocus_v, [19900, 24900, 29900, 29900])
    np.testing.assert_allclose(ctf.defocus_angle, [30, 30, 30, 30])
    np.testing.assert_allclose(ctf.phase_shift, [90, 50, 10, 10])


def test_ctfplotter_in_radians(tmp_path: Path) -> None:
    text = "15  0  0. 0. 0 3\n1 1 0 0 2010 1990 0.5235988 1.5707963\n2 2 0 0 2010 1990 0 0\n"
    ctf = read_defocus(write(tmp_path, "a.defocus", text), 2)
    np.testing.assert_allclose(ctf.defocus_angle, [30, 0], atol=1e-5)
    np.testing.assert_allclose(ctf.phase_shift, [90, 0], atol=1e-5)


def test_ctfplotter_version_2_with_ranges_of_views(tmp_path: Path) -> None:
    ctf = read_defocus(write(tmp_path, "a.defocus", "1 3 -9 -3 2000 2\n4 6 3 9 2300\n"), 6)
    np.testing.assert_allclose(ctf.defocus_u, [20000, 20000, 21000, 22000, 23000, 23000])
    np.testing.assert_allclose(ctf.defocus_v, ctf.defocus_u)


def test_only_views_that_are_in_use_need_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "a.defocus", CTFPLOTTER)
    assert read_defocus(path, 9, np.array([0, 2])).defocus_u.tolist() == [20100, 30100]
    with pytest.raises(FormatError, match=r"rows for views 1 to 3, but .* 1 to 5; expected rows"):
        read_defocus(path, 9, np.array([0, 2, 4]))


# Equal defocus at crossed axes is no astigmatism half way between.
def test_astigmatism_is_interpolated_as_a_vector(tmp_path: Path) -> None:
    text = "1 0 0. 0. 0 3\n1 1 0 0 2100 1900 0\n3 3 0 0 2100 1900 90\n"
    with pytest.warns(SubtomoWarning, match="no row for 1 of 3 views"):
        ctf = read_defocus(write(tmp_path, "a.defocus", text), 3)
    np.testing.assert_allclose(ctf.defocus_u - ctf.defocus_v, [2000, 0, 2000], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a_ctf.txt", "# nothing\n", "no values"),
        ("a_ctf.txt", CTFFIND.replace("20100.5", "x"), "line 3: .*expected numbers"),
        ("a_ctf.txt", CTFFIND.replace("20100.5", "inf"), "a defocus 1 is not finite"),
        (
            "a_ctf.txt",
            CTFFIND.replace("30100.5 29900.25", "3.01 2.99"),
            "defocus 1 of image 2 is 3.01 Å; expected Å, such as 25700 .*: the file looks like µm",
        ),
        ("a.defocus", "1 1 0 0 2.01 2\n2 2 0 0 2.0\n", "20.1 Å; expected .* in the file nm: the"),
        ("a_ctf.txt", "1 2 3\n", "a row of 3 values; expected number, defocus 1"),
        ("a_ctf.txt", CTFFIND.replace("29900.25", ""), "a row of 6 values"),
        (
            "a_CTF.txt",
            "1 31000 30000 30 0 0.2 5 1\n2 30000 30 0 0.2 5 1\n",
            "rows of 7 and of 8 values; expected all of one length",
        ),
        (  # of AreTomo 3, all without defocus 2
            "a_CTF.txt",
            "1 31000 30 0 0.2 5 1\n2 30000 -30 0 0.2 5 1\n",
            "every row defocus 2 is less than a tenth of defocus 1, first 30 of 31000 Å; expected",
        ),
        ("a_ctf.txt", CTFFIND.replace("1.980663", "1 2 3 4 5"), "a row of 11 values"),
        ("a_ctf.txt", CTFFIND.replace("19900.25", "-1"), "a defocus 2 is -1 Å; expected 0 to"),
        ("a_ctf.txt", CTFFIND.replace("20100.5", "200001"), "a defocus 1 is 200001 Å; expected 0"),
        ("a_ctf.txt", CTFFIND.replace("-12.0", "nan"), "an angle of the astigmatism is not finite"),
        ("a_ctf.txt", CTFFIND.replace("1.5707963", "inf"), "a phase shift is not finite"),
        ("a.defocus", CTFPLOTTER.replace("30 10", "30 10 7"), "a row of 9 values; expected 8"),
        ("a_ctf.txt", CTFFIND.replace("2.000000", "4"), "2 rows; expected one for each of the 2"),
        ("a_ctf.txt", CTFFIND.split("2.000000")[0], "1 rows; expected one for each of the 2"),
        ("a.defocus", "1 1 0 0 2000\n", "neither version 2 nor 3"),
        ("a.defocus", "1 0 0. 0. 0 3\n1 1 0 0 2000\n", "a row of 5 values; expected 7"),
        ("a.defocus", "1 1 0 0 2000 2\n3 3 0 0 2000\n", "views 1 to 3, but .* images 1 to 2"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_defocus(write(tmp_path, name, text), 2)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none.txt: no such file"):
        read_defocus(tmp_path / "none.txt", 2)
