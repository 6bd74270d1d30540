"""docs/tables.md lists every format, and its example says what it says."""

import shutil
from pathlib import Path

import pytest

from subtomo.cli.main import run
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.particle_formats import PARTICLE_FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"


@pytest.mark.parametrize("row", PARTICLE_FORMATS, ids=lambda row: row.name)
def test_every_format_has_a_line(row: ParticleFormat) -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    (line,) = [line for line in lines if f"| `{row.name}` |" in line]
    assert f"`{row.suffixes[0]}`" in line


def test_the_example_runs(
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(shared_data / "particle_tables" / "relion_4.0.star", tmp_path)
    monkeypatch.chdir(tmp_path)
    example = PAGE.read_text().split("```console\n")[1].split("```")[0]
    commands = [line.split()[2:] for line in example.splitlines() if line.startswith("$")]
    shown = [line for line in example.splitlines() if not line.startswith("$")]
    assert [run(command) for command in commands] == [0, 0]
    assert capsys.readouterr().out.splitlines() == shown
