from pathlib import Path

import pytest

from subtomo.formats.paths import find_file, is_remote, name_in_table, not_found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("a.mrc", "Job/b.mrc", "Job/job1/c.mrc", "cwd/b.mrc", "cwd/c.mrc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_beside_the_table_then_here_then_above(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "cwd")
    table = project / "Job/job1/t.star"
    assert find_file("c.mrc", table) == project / "Job/job1/c.mrc"
    assert find_file("b.mrc", table) == project / "cwd/b.mrc"
    assert find_file("a.mrc", table) == project / "a.mrc"
    assert find_file("Job/b.mrc", table) == project / "Job/b.mrc"
    assert find_file(str(project / "a.mrc"), table) == project / "a.mrc"
    assert find_file("none.mrc", table) is None
    assert find_file("Job", table) == project / "Job"  # such as an OME-Zarr image


def test_absolute_paths_are_written_relative_to_the_table(tmp_path: Path) -> None:
    assert name_in_table(tmp_path / "a/b.mrc", tmp_path / "out/t.star") == "../a/b.mrc"
    assert name_in_table("a/b.mrc", tmp_path / "out/t.star") == "a/b.mrc"


def test_only_in_the_given_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "cwd")
    table = project / "Job/job1/t.star"
    assert find_file("b.mrc", table, project / "Job") == project / "Job/b.mrc"
    assert find_file("c.mrc", table, project / "Job") is None
    assert find_file(str(project / "a.mrc"), table, project / "Job") == project / "a.mrc"
    assert not_found("c.mrc", table, project / "Job").endswith(f"looked in {project}/Job")


def test_addresses_stay_as_they_are(tmp_path: Path) -> None:
    assert is_remote("s3://bucket/a.zarr")
    assert not is_remote("/data/a.zarr")
    assert name_in_table("https://host//a.zarr", tmp_path / "t.star") == "https://host//a.zarr"


def test_text_too_long_for_a_name_is_no_file(tmp_path: Path) -> None:
    assert find_file("x" * 5000, tmp_path / "table.star") is None
