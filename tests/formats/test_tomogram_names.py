import pytest

from subtomo.errors import DataError, SettingsError
from subtomo.formats.tomogram_names import (
    ByTomogram,
    base_name,
    file_name_of,
    match_tomogram_names,
    require_different_files,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TS_01", "TS_01"),
        ("TS_01_10.00Apx.mrc.gz", "TS_01_10.00Apx"),
        ("/data/rec/tomo_ts01.mrc_15.00Apx.mrc", "tomo_ts01.mrc_15.00Apx"),
        (r"F:\frames\TS_02.mrc.tomostar", "TS_02"),
        ("TS_03.tomostar", "TS_03"),
        ("tomo.v2", "tomo.v2"),
        ("folder/", "folder"),
    ],
)
def test_folders_and_suffixes_do_not_count(name: str, expected: str) -> None:
    assert base_name(name) == expected


def test_the_same_name_comes_first_then_the_base_name_then_that_of_the_series() -> None:
    known = ["a/TS_1.mrc", "TS_1", "TS_2_10.00Apx", "TS_3"]
    names = ["TS_1", "b/TS_3.rec", "TS_2.tomostar", "TS_9"]
    found = match_tomogram_names(names, known)
    assert found == {"TS_1": "TS_1", "b/TS_3.rec": "TS_3", "TS_2.tomostar": "TS_2_10.00Apx"}


def test_two_of_one_base_name_are_both_named() -> None:
    with pytest.raises(SettingsError, match=r"TS_1.rec of the table may be a/TS_1.mrc or b/TS_1"):
        match_tomogram_names(["TS_1.rec"], ["a/TS_1.mrc", "b/TS_1.mrc"])


def test_values_are_found_by_any_of_them() -> None:
    values = ByTomogram({"TS_1": 1, "TS_2": 2})
    assert values["x/TS_2.mrc"] == 2
    assert "TS_3" not in values
    assert dict(values) == {"TS_1": 1, "TS_2": 2}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TS_01", "TS_01"),
        ("a/b.c", "a_b.c"),
        ("..", "__"),
        ("../../outside", "___.._outside"),
        ("/etc/passwd", "_etc_passwd"),
        (".partial-1", "_partial-1"),
        ("", "_"),
    ],
)
def test_a_tomograms_file_is_no_path(name: str, expected: str) -> None:
    assert file_name_of(name) == expected


def test_tomograms_never_share_a_file() -> None:
    require_different_files(["a/b", "a/b", "a_c"])
    with pytest.raises(DataError, match="tomograms a/b and a_b would have files of one name, a_b"):
        require_different_files(["a/b", "a_b"])
