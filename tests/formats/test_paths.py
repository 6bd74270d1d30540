from pathlib import Path

import pytest

from subtomo.formats.paths import find_file, name_in_table


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
