"""What the page on geometric models shows works as written."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from subtomo.cli.main import run
from subtomo.formats.particles import read_particles
from subtomo.picking.models.model_file import read_models
from subtomo.picking.models.model_types import MODEL_TYPES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "geometric_models.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_that_orients_points_works_as_written(tmp_path, monkeypatch):
    for name in ("crowns.csv", "membrane.csv"):
        shutil.copy(DOCS / "examples" / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    command = re.search(r"\$ subtomo (pick model crowns.csv(?:.*\\\n)*.*)\n", PAGE)[1]
    assert run([*shlex.split(command.replace("\\\n", " ")), "--quiet"]) == 0
    particles = read_particles("crowns/particles.star")
    assert particles.is_oriented.tolist() == [True] * 12
    log = Path("crowns/log.txt").read_text(encoding="utf-8")
    assert "12 particles of 12 points, median distance from the surface 70.9 Å" in log


def test_the_examples_are_files_of_models_and_the_page_names_every_type(tmp_path):
    examples = read_models(DOCS / "examples" / "geometric_models.json")
    assert {model.type for model in examples} == set(MODEL_TYPES) - {"general", "segmentation"}
    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1]
    (tmp_path / "models.json").write_text(shown)
    (model,) = read_models(tmp_path / "models.json")
    assert len(model.particles()) > 1
    for kind in MODEL_TYPES:
        assert f"| `{kind}` |" in PAGE
