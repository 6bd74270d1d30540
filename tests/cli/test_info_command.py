"""``subtomo info`` prints what files are; a wrong one gives one line and status 2."""

from pathlib import Path

import numpy as np
import pytest

from subtomo.cli.main import run
from subtomo.formats.volumes import write_volume
from subtomo.model import Volume


def test_it_prints_aligned_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tif"
    write_volume(path, Volume(np.zeros((2, 3, 4), np.float32), 10.0))
    assert run(["info", str(path), str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"file        {path}"
    assert "pixel size  10 Å" in lines
    assert lines.count("") == 1  # between the two files


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(tmp_path / "none.mrc")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "none.mrc: no such file or folder" in told.err
    assert len(told.err.strip().splitlines()) == 1
