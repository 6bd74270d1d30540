"""Tomograms are found by folders, wildcards and the label."""

from pathlib import Path

import pytest

from subtomo.errors import MissingFileError, SettingsError
from subtomo.tomograms.import_tomograms.finding import find_tomograms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Volumes as reconstruction programs leave them; only names count here."""
    names = ["TS_01_rec.mrc", "TS_02_rec.mrc", "TS_02_even_rec.mrc", "TS_10_rec.mrc.gz"]
    names += ["03/full.rec", "04/full.rec", "04/notes.txt", ".hidden_rec.mrc", "stack_rec.mrcs"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(*args: object, **options: object) -> list[str]:
    return list(find_tomograms(*args, **options))  # type: ignore[arg-type]


def test_a_folder_stands_for_its_volumes(folder: Path) -> None:
    expected = ["TS_01_rec", "TS_02_even_rec", "TS_02_rec", "TS_10_rec"]
    assert names([folder]) == expected
    assert find_tomograms([folder])["TS_10_rec"] == folder / "TS_10_rec.mrc.gz"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{TS}_rec.mrc", ["TS_01", "TS_02_even", "TS_02"]),
        ("TS_##_rec.mrc*", ["TS_01_rec", "TS_02_rec", "TS_10_rec"]),
        ("TS_?2_rec.mrc", ["TS_02_rec"]),
        ("{TS}/full.rec", ["03", "04"]),
        ("**/{TS}_even_rec.mrc", ["TS_02"]),
        ("{TS}_*.mrc", ["TS_01", "TS_02_even", "TS_02"]),
    ],
)
def test_a_pattern_chooses_and_names(folder: Path, pattern: str, expected: list[str]) -> None:
    assert names([folder], pattern=pattern) == expected
    assert names([folder / pattern]) == expected


def test_the_same_label_twice_is_the_same_text(tmp_path: Path) -> None:
    for name in ("a/a_rec.mrc", "b/c_rec.mrc"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert names([tmp_path], pattern="{TS}/{TS}_rec.mrc") == ["a"]


def test_words_leave_files_out(folder: Path) -> None:
    assert names([folder], excluded=["even", "10"]) == ["TS_01_rec", "TS_02_rec"]
    # the word is looked for below the folder only
    assert names([folder], excluded=[folder.name, "even"]) != []
    with pytest.raises(MissingFileError, match="all of its 4 volumes are left out by --exclude TS"):
        names([folder], excluded=["TS"])


def test_a_name_with_wildcard_signs_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "tomo#1.mrc").touch()
    assert names([tmp_path / "tomo#1.mrc"]) == ["tomo#1"]


def test_what_is_wrong_is_named(folder: Path) -> None:
    with pytest.raises(MissingFileError, match=r"nothing\.mrc: no such file or folder"):
        names([folder / "nothing.mrc"])
    with pytest.raises(MissingFileError, match=r"no volume fits the pattern \*\.em; found 03, 04"):
        names([folder], pattern="*.em")
    with pytest.raises(SettingsError, match="are both called full; expected different names"):
        names([folder], pattern="*/full.rec")
    with pytest.raises(SettingsError, match="has no effect without a folder"):
        names([folder / "TS_01_rec.mrc"], pattern="*.mrc")


def test_a_pattern_that_leads_nowhere_is_refused(folder: Path) -> None:
    for pattern in ("", "/etc/*"):
        with pytest.raises(SettingsError, match=r"--pattern is '.*'; expected names below the fol"):
            names([folder], pattern=pattern)


def test_a_label_beside_itself_is_a_text_twice(tmp_path: Path) -> None:
    (tmp_path / "abab.mrc").touch()
    assert names([tmp_path], pattern="{TS}{TS}.mrc") == ["ab"]
