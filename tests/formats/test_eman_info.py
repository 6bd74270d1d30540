"""Info files of EMAN: both frames of their coordinates, by the formulas of its own programs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtomo.errors import SettingsError
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, TomogramFrame, VoxelGrid

GRID = VoxelGrid(10.0, (101, 100, 50), (1.0, 2.0, 3.0))
CONTEXT = TableContext({"TS_1": GRID})
CLASSES = {"0": {"name": "ribosome", "boxsize": 32}, "3": {"name": "tm", "boxsize": 48}}
BOXES: list[list[Any]] = [
    [224, 316, 260, "manual", 0.0, 0],  # the first of Scipion's test of its import
    [1.5, -2, 3, "tm", 7.25, 3],
]


def _file(folder: Path, **content: Any) -> Path:
    path = folder / "TS_1_info.json"
    path.write_text(json.dumps({"boxes_3d": BOXES, "class_list": CLASSES, **content}))
    return path


def test_from_the_corner(tmp_path: Path) -> None:
    particles = read_particles(_file(tmp_path), context=CONTEXT)
    indices = np.array([box[:3] for box in BOXES], dtype=float)
    np.testing.assert_allclose(particles.position, indices * 10 + (1, 2, 3))
    assert set(particles.tomogram.tolist()) == {"TS_1"}
    assert particles.class_name.tolist() == ["ribosome", "tm"]
    assert particles.source.tolist() == ["manual", "tm"]
    assert particles.score.tolist() == [0, 7.25]
    assert particles.box_size.tolist() == [32, 48]


def test_from_the_middle_in_unbinned_pixels(tmp_path: Path) -> None:
    particles = read_particles(_file(tmp_path, apix_unbin=2.5), context=CONTEXT)
    # x = b * apix_unbin / apix + nx // 2; the middle voxel is (50, 50, 25)
    indices = np.array([box[:3] for box in BOXES]) * 2.5 / 10 + (50, 50, 25)
    np.testing.assert_allclose(particles.position, indices * 10 + (1, 2, 3))
    assert particles.box_size.tolist() == [8, 12]


def test_the_middle_needs_the_size(tmp_path: Path) -> None:
    path = _file(tmp_path, apix_unbin=2.5)
    with pytest.raises(SettingsError, match=r"TS_1, of unknown size.*--tomogram-size X Y Z"):
        read_particles(path, context=TableContext(pixel_size=10.0))
    assert len(read_particles(_file(tmp_path), context=TableContext(pixel_size=10.0))) == 2


def test_both_frames_are_written(tmp_path: Path) -> None:
    path = tmp_path / "TS_1_info.json"
    particles = Particles(
        np.full(2, "TS_1"),
        GRID.positions([[50.0, 50.0, 25.0], [60.0, 50.0, 20.0]]),
        class_name=np.array(["b", "a"]),
        box_size=np.array([8, 12]),
        score=np.array([0.5, np.nan]),
    )
    context = TableContext({"TS_1": GRID}, {"TS_1": TomogramFrame((404, 400, 200), 2.5)})
    write_particles(path, particles, context=context)
    content = json.loads(path.read_text())
    assert content["apix_unbin"] == 2.5
    assert content["boxes_3d"] == [[0, 0, 0, "manual", 0.5, 0], [40, 0, -20, "manual", 0, 1]]
    assert content["class_list"] == {
        "0": {"name": "b", "boxsize": 32},
        "1": {"name": "a", "boxsize": 48},
    }
    write_particles(path, particles, context=CONTEXT, format_name="eman-corner")
    content = json.loads(path.read_text())
    assert "apix_unbin" not in content
    assert content["boxes_3d"][1][:3] == [60, 50, 20]
    assert content["class_list"]["1"]["boxsize"] == 12


def test_without_the_full_resolution_its_own_pixels_count(tmp_path: Path) -> None:
    path = tmp_path / "TS_1_info.json"
    particles = Particles(np.full(1, "TS_1"), GRID.positions([[60.0, 50.0, 20.0]]))
    write_particles(path, particles, context=CONTEXT)
    content = json.loads(path.read_text())
    assert content["apix_unbin"] == 10
    assert content["boxes_3d"][0][:3] == [10, 0, -5]


def test_what_else_a_file_says_stays(tmp_path: Path) -> None:
    path = _file(tmp_path, tlt_params=[[1, 2, 3, 4, 5]], defocus=[3.5])
    particles = read_particles(path, context=CONTEXT)
    write_particles(path, particles.select([1]), context=CONTEXT)
    content = json.loads(path.read_text())
    assert content["tlt_params"] == [[1, 2, 3, 4, 5]]
    assert content["defocus"] == [3.5]
    assert len(content["boxes_3d"]) == 1
    assert content["class_list"] == {"0": {"name": "tm", "boxsize": 48}}


def test_more_values_of_a_box_come_back(tmp_path: Path) -> None:
    boxes = [[*BOXES[0], 12.5, "a"], [*BOXES[1], 13.5, "b"]]
    path = _file(tmp_path, boxes_3d=boxes)
    particles = read_particles(path, context=CONTEXT)
    assert particles.extra["eman.box_7"].tolist() == [12.5, 13.5]
    again = tmp_path / "again_info.json"
    write_particles(again, particles, context=CONTEXT, format_name="eman-corner")
    assert [box[6:] for box in json.loads(again.read_text())["boxes_3d"]] == [
        [12.5, "a"],
        [13.5, "b"],
    ]


def test_old_boxes_without_class_and_score(tmp_path: Path) -> None:
    path = _file(tmp_path, boxes_3d=[[1, 2, 3], [4, 5, 6, "manual"]], class_list={})
    particles = read_particles(path, context=CONTEXT)
    assert particles.class_name.tolist() == ["0", "0"]
    assert np.isnan(particles.score).all()
