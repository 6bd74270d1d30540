"""Fields and columns that another program has no word for, in files that have room for them."""

import json
from pathlib import Path

import numpy as np
import pytest

from subtomo.errors import FormatError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.star import read_star
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, VoxelGrid

CONTEXT = TableContext({"TS_1": VoxelGrid(10.0, (100, 100, 50))})
FILES = {"cbox": "TS_1.cbox", "pytom": "TS_1.xml", "eman-list": "TS_1.lst", "copick": "TS_1.json"}


def _particles() -> Particles:
    return Particles(
        np.full(3, "TS_1"),
        np.arange(9.0).reshape(3, 3),
        class_name=np.array(["80S/a", "", "tric b"]),
        instance=np.array(["left", "right", ""]),
        source=np.array(["net", "", "by hand"]),
        half=np.array([1, 2, 0]),
        box_size=np.array([32, 0, 16]),
        extra={
            "rlnLogLikeliContribution": np.array([1.5, -2.25, 0.1]),
            "my column": np.array(["<a>", 'it\'s "b"', ""]),
            "dynamo.tag": np.array([3, 5, 7]),
        },
    )


@pytest.mark.parametrize("name", FILES)
def test_all_comes_back(name: str, tmp_path: Path) -> None:
    path, particles = tmp_path / FILES[name], _particles()
    if name == "cbox":  # a name in STAR has no spaces: they become _
        particles.extra["my_column"] = particles.extra.pop("my column")
    write_particles(path, particles, context=CONTEXT, format_name=name)
    found = read_particles(path, context=CONTEXT, format_name=name)
    for field in ("class_name", "instance", "source", "half", "box_size"):
        assert getattr(found, field).tolist() == getattr(particles, field).tolist(), field
    for column, values in particles.extra.items():
        assert found.extra[column].tolist() == values.tolist(), column
        assert found.extra[column].dtype.kind == values.dtype.kind


def test_files_of_others_carry_nothing(tmp_path: Path) -> None:
    plain = Particles(np.full(1, "TS_1"), np.zeros((1, 3)))
    for name, file in FILES.items():
        write_particles(tmp_path / file, plain, context=CONTEXT, format_name=name)
        assert "subtomo." not in (tmp_path / file).read_text()
        assert '"subtomo":' not in (tmp_path / file).read_text()
        assert "<subtomo" not in (tmp_path / file).read_text()


def test_columns_of_others_stay_apart(tmp_path: Path) -> None:
    particles = _particles().with_columns(extra={"Width": np.arange(3)})
    write_particles(tmp_path / "TS_1.cbox", particles, context=CONTEXT)
    table = read_star(tmp_path / "TS_1.cbox")["cryolo"]
    assert table.text("Width").tolist() == ["32", "0", "16"]
    assert table.text("subtomo.Width").tolist() == ["0", "1", "2"]


def test_a_half_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = tmp_path / "TS_1.json"
    point = {"location": {"x": 1, "y": 2, "z": 3}, "subtomo": {"half": "first"}}
    path.write_text(json.dumps({"pickable_object_name": "a", "points": [point]}))
    with pytest.raises(FormatError, match=r"TS_1.json, row 1: half is 'first'; expected a number"):
        read_particles(path, context=CONTEXT)
