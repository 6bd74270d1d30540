"""Files appear whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from subtomo.errors import DiskFullError, FormatError, OutputError
from subtomo.formats import atomic
from subtomo.formats.atomic import ZARR, replacing


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.mrc.gz"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.name.endswith(".mrc.gz")
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_keeps_what_was_there_and_removes_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(FormatError, match="own"), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise FormatError("own")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_a_folder_of_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    for content in ("first", "second"):
        with replacing(path, folder_with=["mark"]) as temporary:
            temporary.mkdir()
            (temporary / "mark").touch()
            (temporary / "chunk").write_text(content)
    assert (path / "chunk").read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("folder_with", "words"),
    [((), "d.csv is a folder; expected the name of a file"), (ZARR, "holds something else")],
)
def test_a_folder_with_something_else_is_never_replaced(
    tmp_path: Path, folder_with: tuple[str, ...], words: str
) -> None:
    path = tmp_path / "d.csv"
    path.mkdir()
    (path / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match=words), replacing(path, folder_with=folder_with):
        pytest.fail("the block is not begun")
    assert (path / "thesis.tex").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / ".partial-full"
    full.symlink_to("/dev/full")  # the kernel's own ENOSPC
    monkeypatch.setattr(atomic, "_temporary_name", lambda path: full)
    with (
        pytest.raises(DiskFullError, match=r"a\.bin: no space left.*--resume"),
        replacing(tmp_path / "a.bin") as temporary,
    ):
        temporary.write_bytes(b"x" * 100_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["file.write(bytes(10**6))", "np.zeros(10**6).tofile(file)"])
def test_a_file_size_limit_counts_as_a_full_disk(tmp_path: Path, how: str) -> None:
    program = f"""
import resource, signal, sys
import numpy as np
from subtomo.formats.atomic import replacing
from subtomo.errors import DiskFullError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with replacing(sys.argv[1]) as temporary, temporary.open("wb", buffering=0) as file:
        while {how}: pass
        raise OSError("1000 requested and 500 written")
except DiskFullError as error:
    print(error)
"""
    path = tmp_path / "a.bin"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert "a.bin: no space left" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), replacing(tmp_path / "file/a.mrc"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission"), replacing(tmp_path / "a") as temporary:
        temporary.write_text("")
    tmp_path.chmod(0o700)


def test_the_input_that_is_missing_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised, replacing(tmp_path / "out" / "a.mrc"):
        (tmp_path / "in" / "b.mrc").read_bytes()
    assert not isinstance(raised.value, OutputError)
